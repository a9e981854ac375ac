"""The page "Label": one clip after the other, answered by keys; its script draws it."""

from __future__ import annotations

import asyncio
import json

from fastapi import Request
from nicegui import ui

from antiphon.active.registry import list_strategies
from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame, text


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/label")
    async def page(request: Request) -> None:
        strategies = [{"name": s.name, "summary": s.summary} for s in list_strategies()]
        project = await asyncio.to_thread(lambda: context.folder.catalogue.identity)
        with frame(request, "Label") as person:
            config = {"project": project, "person": person.name, "strategies": strategies}
            # No closing tag in a name can end the script.
            known = json.dumps(config).replace("<", "\\u003c")
            ui.add_head_html(
                f'<script type="application/json" id="label-config">{known}</script>'
                f'<link rel="stylesheet" href="{root}/static/label/label.css">'
                f'<script type="module" src="{root}/static/label/main.js"></script>'
            )
            text("h1", "Label").classes("visually-hidden")
            ui.element("div").props('id="label-page"').classes("label-page")
