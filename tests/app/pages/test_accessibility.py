"""Every page, light and dark: landmarks, names of controls, contrast, what scrolls."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.app.benches import encoder_run, strategy_run
from tests.app.pages.accessibility import faults
from tests.app.pages.label_steps import open_queue, press, queue_in
from tests.app.pages.test_agreement import disagree
from tests.app.running import open_served
from tests.app.security.people import PASSWORDS, add_people

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = (
    "/",
    "/label",
    "/loop",
    "/search",
    "/map",
    *(f"/recordings?part={part}" for part in ("day", "recordings", "detections")),
    *(f"/recordings?part={part}" for part in ("activity", "thresholds")),
    *(f"/agreement?part={part}" for part in ("settle", "measures", "work", "history", "queues")),
    *(f"/benchmark?part={part}" for part in ("strategies", "steps", "encoders")),
)
BROKEN = """<html lang="en"><title>x</title><main><h1>a</h1><h3>b</h3><nav></nav><i id="a"></i>
<i id="a"></i><p style="color:#999">pale</p><p style="opacity:.5">thin</p><button></button><input>
<div style="height:20px;overflow:auto"><p>a<br>b<br>c</p></div><img src="data:,"><p
aria-labelledby="z" tabindex="3" role="option">q</p><textarea style="border:1px solid #eee">
</textarea></main></html>"""


def test_the_check_finds_what_is_wrong(page: Page) -> None:
    page.set_content(BROKEN)
    said = "\n".join(faults(page))
    for found in (
        "A heading of level 3 follows one of 1: b",
        "The id a is given twice.",
        "aria-labelledby of p means z",
        "No name: nav",
        "No name: button",
        "No name: input",
        "No alt: img",
        "The order of Tab is forced: p",
        "A option without its group: p",
        "Scrolls, but not by keyboard: div",
        "Contrast 2.8: p “pale”",
        "p “thin”",
        "The edge of textarea",
    ):
        assert found in said
    page.set_content("<html lang='en'><title>x</title><main><h1>a</h1><p>plain</p></main></html>")
    assert faults(page) == []


def light_and_dark(page: Page, what: str) -> list[str]:
    """Return what is wrong with what is on the screen in both looks."""
    found = []
    looks: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for look in looks:
        page.emulate_media(color_scheme=look)
        found += [f"{what}, {look}: {fault}" for fault in faults(page)]
    page.emulate_media(color_scheme="light")
    return found


def test_every_page(project: Path, tmp_path: Path, serving: Any, page: Page) -> None:
    shutil.copytree(strategy_run(tmp_path / "made"), project / "benchmarks" / "strategies")
    encoder_run(project / "benchmarks" / "encoders")
    disagree(project, "ann", "ben")
    queue = queue_in(project, slice(0, 6))
    found = []
    with serving(project, "--as", "mia") as url:
        for address in PAGES:
            page.goto(f"{url}{address}")
            page.wait_for_load_state("networkidle")
            found += light_and_dark(page, address)
        open_queue(page, url, queue)
        press(page, "1", "Shift+2", "Alt+3")
        found += light_and_dark(page, "a clip")
        for key in ("?", "/"):
            press(page, key)
            page.locator("dialog[open]").wait_for()
            found += light_and_dark(page, f"the dialog of {key}")
            press(page, "Escape")
    assert not found, "\n".join(found)


def test_pages_of_people_who_log_in(project: Path, page: Page) -> None:
    add_people(project)
    with open_served(project) as url:
        page.goto(f"{url}/people")
        found = light_and_dark(page, "login")
        page.locator("#name").fill("mia")
        page.locator("#password").fill(PASSWORDS["mia"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/people")
        page.get_by_role("button", name="Add").wait_for()
        found += light_and_dark(page, "people")
    assert not found, "\n".join(found)
