"""The pages; each module draws one and registers its own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.app.context import AppContext


def register_pages(context: AppContext) -> None:
    """Make all pages known to NiceGUI."""
    from antiphon.app.pages import (
        agreement,
        benchmark,
        home,
        label,
        loop,
        map,
        people,
        recordings,
        search,
    )

    for module in (
        agreement,
        benchmark,
        home,
        label,
        loop,
        map,
        people,
        recordings,
        search,
    ):
        module.register(context)
