"""The page "Benchmark"."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""

    @ui.page("/benchmark")
    def page(request: Request) -> None:
        with frame(request, "Benchmark"):
            ui.label("Benchmark")
