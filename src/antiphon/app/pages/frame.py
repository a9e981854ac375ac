"""What all pages have in common: header, navigation, landmarks, light and dark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from fastapi import Request
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

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

_SUN = (
    '<svg class="sun" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="4"/><path d="M12 2v2M12 '
    "20v2M2 12h2M20 12h2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4"
    '"/></svg>'
)
_MOON = (
    '<svg class="moon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linejoin="round" aria-hidden="true"><path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 '
    '1 0 10.5 10.5z"/></svg>'
)


def head(root: str) -> str:
    """Return what stands in the head of every page, also of those that NiceGUI does not draw."""
    root = escape(root)
    return (
        f'<script src="{root}/static/frame/theme.js"></script>'
        f'<link rel="stylesheet" href="{root}/static/frame/app.css">'
    )


@contextmanager
def frame(
    request: Request, title: str, *, live: bool = False, reading: bool = False
) -> Iterator[Person]:
    """Draw the frame around a page's contents; yields who looks at it.

    Parameters
    ----------
    title
        Of the page; the entry of the navigation with this name is marked.
    live
        Whether the page's controls call Python through NiceGUI's socket. Such a page is loaded
        anew when the server was started again; others keep what is on them.
    reading
        Whether the page is text, set in lines that are not too long.
    """
    context, person = context_of(request), person_of(request)
    root = context.settings.root_path
    ui.page_title(f"{title} · {context.folder.root.name} · Antiphon")
    ui.colors(primary="#17646a")
    facts = {"root": root, "token": person.token, "person": person.name, "live": live}
    facts |= {"role": person.role, "accounts": context.settings.accounts}
    known = json.dumps(facts).replace("<", "\\u003c")
    ui.add_head_html(f"<script>window.antiphon = {known}</script>{head(root)}")
    ui.add_head_html(f'<script type="module" src="{root}/static/frame/frame.js"></script>')
    # Quasar makes its page a <main>, header included; the landmark is ours, around the contents.
    outer = ui.context.client.content.parent_slot
    if outer is not None:
        outer.parent.props('role="none"')
    ui.link("Skip to the contents", "#main").classes("skip")
    with ui.element("header").classes("app-header"):
        with ui.link(target=f"{root}/").classes("brand").props('aria-label="Antiphon, home"'):
            ui.element("img").props(f'src="{root}/static/frame/favicon.svg" alt=""')
            text("span", "Antiphon")
        with ui.element("nav").props('aria-label="Pages"').classes("pages"):
            for name, address in PAGES:
                link = ui.link(name, f"{root}{address}")
                if name == title:
                    link.props('aria-current="page"')
        ui.element("div").classes("rest")
        with ui.element("div").props('id="app-status" role="status"').classes("app-status"):
            text("span", "").classes("text")
            ui.link("Log in", f"{root}/login", new_tab=True).props("hidden")
        _person_menu(root, person, accounts=context.settings.accounts)
        button = ui.element("button").classes("icon-button")
        button.props('id="theme-switch" type="button" aria-label="Dark colours" aria-pressed=false')
        with button:
            ui.html(_SUN + _MOON, sanitize=False)
    main = ui.element("main").props('id="main" tabindex="-1"')
    main.props["aria-label"] = title
    if reading:
        main.classes("reading")
    with main:
        yield person


def _person_menu(root: str, person: Person, *, accounts: bool) -> None:
    with ui.element("details").classes("person"):
        summary = text("summary", person.name)
        summary.props["aria-label"] = f"You are {person.name}"
        with ui.element("div").classes("menu"):
            how = person.role if accounts else "without login"
            text("div", f"{person.name}, {how}").classes("who muted")
            ui.link("People" if person.is_manager else "Your account", f"{root}/people")
            ui.link("Interface for programs", f"{root}/api/docs")
            if accounts:
                with (
                    ui.element("form")
                    .props(f'method="post" action="{root}/logout"')
                    .classes("logout"),
                    ui.element("button").props('type="submit"'),
                ):
                    text("span", "Log out")


def text(tag: str, words: str) -> ui.element:
    """Make an element of plain text; whatever is in it is shown as it is."""
    return TextElement(tag=tag, text=words)
