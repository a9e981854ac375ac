"""The page "Benchmark": runs of strategies and encoders; its script draws it."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/benchmark")
    def page(request: Request) -> None:
        with frame(request, "Benchmark"):
            for sheet in ("agreement", "benchmark"):
                ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/{sheet}.css">')
            ui.add_head_html(f'<script type="module" src="{root}/static/benchmark.js"></script>')
            ui.element("div").props('id="benchmark-page"').classes("bench")
