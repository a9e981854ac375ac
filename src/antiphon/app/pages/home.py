"""The first page: where the project stands, and where to go on."""

from __future__ import annotations

import asyncio

from fastapi import Request
from nicegui import ui

from antiphon.app.api.status import status
from antiphon.app.context import AppContext
from antiphon.app.pages.frame import PAGES, frame


def register(context: AppContext) -> None:
    """Make the page known."""

    @ui.page("/")
    async def home(request: Request) -> None:
        with frame(request, "Home") as person:
            now = await asyncio.to_thread(status, context, person)
            ui.label(now.name).classes("text-2xl")
            ui.label(
                f"{now.recordings:,} recordings, {now.windows:,} windows, "
                f"{now.labels_spent:,} labelled spans, {len(now.labels)} labels"
            )
            for name, address in PAGES:
                ui.link(name, f"{context.settings.root_path}{address}")
