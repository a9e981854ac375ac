"""The pages; each module draws one and registers its own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.app.context import AppContext


def register_pages(context: AppContext) -> None:
    """Make all pages known to NiceGUI."""
    from antiphon.app.pages import home, label, scripted

    for module in (home, label, scripted):
        module.register(context)
