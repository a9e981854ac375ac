"""The page "Agreement": people beside each other; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/agreement")
    def page(request: Request) -> None:
        with frame(request, "Agreement"):
            ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/agreement.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/agreement.js"></script>')
            ui.element("div").props('id="agreement-page"').classes("agree")
