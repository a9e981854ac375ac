"""Pages that a script draws from the REST interface alone: a frame, a stylesheet, a place."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from nicegui import ui

from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame, text


@dataclass(frozen=True, slots=True)
class Scripted:
    """One such page; its script is ``static/NAME/main.js`` and draws into ``#NAME-page``.

    Parameters
    ----------
    title
        As in the navigation.
    classes
        Of the place it draws into.
    sheets
        Its stylesheets, under ``static/``.
    reading
        Whether the page is text, set in lines that are not too long.
    headed
        Whether the script draws the page's heading; otherwise one is there for screen readers.
    """

    title: str
    classes: str
    sheets: tuple[str, ...] = ()
    reading: bool = False
    headed: bool = True

    @property
    def name(self) -> str:
        """Its address without the slash, and its folder under ``static/``."""
        return self.title.lower()


SCRIPTED = (
    Scripted("Loop", "loop", ("loop/loop.css",)),
    Scripted("Search", "find search", ("search/search.css",), headed=False),
    # The card of a point and the actions on a choice are those of the search.
    Scripted("Map", "find map", ("search/search.css", "map/map.css"), headed=False),
    Scripted("Recordings", "browse", ("recordings/recordings.css",)),
    Scripted("Agreement", "agree", ("agreement/agreement.css",)),
    # Its tables and tabs are those of the page about agreement.
    Scripted("Benchmark", "bench", ("agreement/agreement.css", "benchmark/benchmark.css")),
    Scripted("People", "stack", reading=True),
)


def register(context: AppContext) -> None:
    """Make the pages known."""
    for page in SCRIPTED:
        _register(context.settings.root_path, page)


def _register(root: str, page: Scripted) -> None:
    @ui.page(f"/{page.name}")
    def draw(request: Request) -> None:
        with frame(request, page.title, reading=page.reading):
            for sheet in page.sheets:
                ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/{sheet}">')
            script = f"{root}/static/{page.name}/main.js"
            ui.add_head_html(f'<script type="module" src="{script}"></script>')
            if not page.headed:
                text("h1", page.title).classes("visually-hidden")
            ui.element("div").props(f'id="{page.name}-page"').classes(page.classes)
