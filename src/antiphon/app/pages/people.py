"""The page "People": one's own password; for managers, who may log in."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/people")
    def page(request: Request) -> None:
        with frame(request, "People", reading=True):
            ui.add_head_html(f'<script type="module" src="{root}/static/people.js"></script>')
            ui.element("div").props('id="people-page"').classes("stack")
