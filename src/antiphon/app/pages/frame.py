"""What all pages have in common: header, navigation, landmarks, light and dark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from nicegui import ui

from antiphon.app.security.identity import Person, context_of, person_of

PAGES = (
    ("Label", "/label"),
    ("Loop", "/loop"),
    ("Search", "/search"),
    ("Map", "/map"),
    ("Recordings", "/recordings"),
    ("Agreement", "/agreement"),
    ("Benchmark", "/benchmark"),
)
"""Titles and addresses in the order of the navigation."""


@contextmanager
def frame(request: Request, title: str) -> Iterator[Person]:
    """Draw the frame around a page's contents; yields who looks at it."""
    context, person = context_of(request), person_of(request)
    root = context.settings.root_path
    ui.page_title(f"{title} · {context.folder.root.name} · Antiphon")
    settings = json.dumps({"root": root, "token": person.token}).replace("<", "\\u003c")
    ui.add_head_html(f"<script>window.antiphon = {settings}</script>")
    ui.add_head_html(f'<link rel="stylesheet" href="{root}/static/app.css">')
    ui.dark_mode(None)
    with ui.header().props('role="banner"').classes("items-center gap-6"):
        ui.link("Antiphon", f"{root}/").classes("brand")
        with ui.element("nav").props('aria-label="Pages"').classes("flex gap-4"):
            for name, address in PAGES:
                link = ui.link(name, f"{root}{address}").classes("nav")
                if name == title:
                    link.props('aria-current="page"')
        ui.space()
        ui.label(person.name).props('aria-label="You are"')
    with ui.element("main").props(f'aria-label="{title}"').classes("w-full"):
        yield person
