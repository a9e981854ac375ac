"""The page "Map": all windows in two dimensions; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/map")
    def page(request: Request) -> None:
        with frame(request, "Map"):
            for sheet in ("search", "map"):
                ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/{sheet}.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/map.js"></script>')
            ui.element("div").props('id="map-page"').classes("find map")
