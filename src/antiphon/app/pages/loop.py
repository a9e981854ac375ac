"""The page "Loop": what labelling buys, and how windows are chosen; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/loop")
    def page(request: Request) -> None:
        with frame(request, "Loop"):
            ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/loop.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/loop.js"></script>')
            ui.element("div").props('id="loop-page"').classes("loop")
