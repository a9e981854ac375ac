"""What is wrong with a page for a screen reader, a keyboard and weak eyes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_CHECK = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

STEADY = """() => !document.querySelector('[aria-busy="true"]') && document.getAnimations()
  .every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands, a sentence each."""
    page.wait_for_function(STEADY)
    found: list[str] = page.evaluate(_CHECK)
    return found
