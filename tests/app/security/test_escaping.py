"""Names that are scripts are shown as text, on every page; what slips through does not run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update

from antiphon.app.pages.frame import PAGES
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Label, Recording

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
Serving = Callable[..., AbstractContextManager[str]]


def _poison(project: Path) -> None:
    """Give a label, all sites and a recording names that are scripts."""
    folder = ProjectFolder.open(project)
    with folder.catalogue.database.write() as connection:
        connection.execute(
            update(Label).where(Label.name == "Zipper Frog").values(name=EVIL, common_name=EVIL)
        )
        connection.execute(update(Recording).values(site=EVIL))
        connection.execute(update(Recording).where(Recording.id == 1).values(path=f"{EVIL}.wav"))
    folder.close()


def test_no_name_becomes_part_of_a_page(serving: Serving, project: Path, page: Page) -> None:
    _poison(project)
    refused: list[str] = []
    page.on(
        "console",
        lambda message: (
            refused.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    seen = 0
    with serving(project, "--as", EVIL[:40]) as url:
        for address in ("/", "/people", *(address for _, address in PAGES)):
            page.goto(url + address)
            page.wait_for_function("window.socket?.connected")
            page.wait_for_timeout(500)
            assert page.locator("details.person summary").text_content() == EVIL[:40]
            assert page.evaluate("window.pwned") is None, address
            assert page.locator('img[src="x"]').count() == 0, address
            seen += EVIL[:20] in str(page.evaluate("document.getElementById('main').textContent"))
        # Otherwise nothing above could have failed.
        assert seen >= 2
        assert refused == []
        # And were a page ever to make markup of a name, the browser would not run it.
        page.evaluate("html => document.getElementById('main').innerHTML = html", EVIL)
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None
        assert refused
