"""A self-contained HTML page: shell, tables, panels. It loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from antiphon.plots.colour import SERIES_ON_BLACK, SERIES_ON_WHITE
from antiphon.plots.svg import element

# A table with more rows gets a field that filters them.
_MANY_ROWS = 12
# One with more than these scrolls on its own, under its headings.
_VERY_MANY_ROWS = 30


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page.

    Parameters
    ----------
    id
        Its anchor, a word.
    title
        Its heading.
    body
        Its HTML.
    """

    id: str
    title: str
    body: Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name
        Its heading.
    numeric
        Whether it is set to the right and sorted as numbers.
    hint
        What it means, as a tooltip.
    """

    name: str
    numeric: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that sorts by something else than its text.

    Parameters
    ----------
    content
        Text (escaped) or markup (kept).
    sort
        Number to sort by; cells without one come last.
    """

    content: str
    sort: float | None = None


def environment(*loaders: BaseLoader) -> Environment:
    """Return a Jinja environment that escapes everything and refuses undefined names.

    Parameters
    ----------
    loaders
        Where to look for templates before this package's own.
    """
    own = PackageLoader("antiphon.plots", "templates")
    return Environment(
        loader=ChoiceLoader([*loaders, own]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(
    title: str, sections: Sequence[Section], *, subtitle: str = "", footer: str = ""
) -> str:
    """Return a whole page with a navigation over its sections.

    The page follows the reader's light or dark setting; ``data-theme="light"`` or ``"dark"`` on
    the root element overrides it. Its content security policy allows no network and no script
    but its own.
    """
    script = _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            subtitle=subtitle,
            footer=footer,
            sections=sections,
            style=Markup(_style()),
            script=Markup(script),
            script_hash=digest,
        )
    )


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | Cell]],
    *,
    caption: str,
    show_caption: bool = False,
) -> Markup:
    """Return a table that sorts by a click on a heading and, if long, can be filtered.

    The first column heads its row.

    Parameters
    ----------
    caption
        What the table holds; for screen readers only unless ``show_caption``.
    """
    head = []
    for column in columns:
        button = element("button", column.name, type="button", title=column.hint or None)
        kind = "number" if column.numeric else None
        head.append(element("th", button, scope="col", class_=kind))
    body = [element("tr", *_cells(columns, row)) for row in rows]
    inner = element(
        "table",
        element("caption", caption, class_=None if show_caption else "hidden"),
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_="filterable" if len(rows) > _MANY_ROWS else None,
    )
    kind = "wide tall" if len(rows) > _VERY_MANY_ROWS else "wide"
    return element("div", inner, class_=kind, tabindex="0", role="region", aria_label=caption)


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and values as a definition list."""
    items = [element("div", element("dt", n), element("dd", v)) for n, v in pairs]
    return element("dl", *items, class_="facts")


def figure(picture: Markup, caption: str, *, data: Markup | None = None) -> Markup:
    """Return a chart with its caption and, folded, the table of its numbers."""
    parts = [element("div", picture, class_="wide"), element("figcaption", caption)]
    if data is not None:
        parts.append(folded("The numbers", data))
    return element("figure", *parts)


def folded(summary: str, body: Markup) -> Markup:
    """Return something that opens on a click; open when printed."""
    return element("details", element("summary", summary), body)


def switch(name: str, panels: Sequence[tuple[str, Markup]]) -> Markup:
    """Return panels of which one is chosen by name from a list; all show without scripts.

    Parameters
    ----------
    name
        What is chosen, as "Site".
    panels
        Name and content of each; the first shows at the start.
    """
    if len(panels) == 1:
        ((title, body),) = panels
        return element("div", element("h3", title), body)
    inner = [
        element("div", element("h3", title), body, class_="panel", data_title=title)
        for title, body in panels
    ]
    return element("div", *inner, class_="switch", data_name=name)


def _cells(columns: Sequence[Column], row: Sequence[str | Cell]) -> list[Markup]:
    cells = []
    for index, (column, content) in enumerate(zip(columns, row, strict=True)):
        cell = content if isinstance(content, Cell) else Cell(content)
        sort = None if cell.sort is None or cell.sort != cell.sort else f"{cell.sort:.10g}"
        attributes = {"class_": "number" if column.numeric else None, "data_sort": sort}
        if index == 0:
            cells.append(element("th", cell.content, scope="row", **attributes))
        else:
            cells.append(element("td", cell.content, **attributes))
    return cells


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    return files("antiphon.plots").joinpath("assets", name).read_text(encoding="utf-8")


def _style() -> str:
    def colours(series: Sequence[str]) -> str:
        return "".join(f"--s{i}:{colour};" for i, colour in enumerate(series, start=1))

    light, dark = colours(SERIES_ON_WHITE), colours(SERIES_ON_BLACK)
    css = _asset("page.css")
    return css.replace("/* series-light */", light).replace("/* series-dark */", dark)
