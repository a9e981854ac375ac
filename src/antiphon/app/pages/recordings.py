"""The page "Recordings": days, detections, activity and thresholds; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/recordings")
    def page(request: Request) -> None:
        with frame(request, "Recordings"):
            ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/recordings.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/recordings.js"></script>')
            ui.element("div").props('id="recordings-page"').classes("browse")
