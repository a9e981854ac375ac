"""The page "Search": windows by example, label and score; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/search")
    def page(request: Request) -> None:
        with frame(request, "Search"):
            ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/search.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/search.js"></script>')
            ui.element("div").props('id="search-page"').classes("find search")
