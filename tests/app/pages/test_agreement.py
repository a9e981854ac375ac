"""The page "Agreement" in a browser: settle a disagreement, see who agrees, share a queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.said import Said, Span
from antiphon.pipeline.windows import load_windows
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS
from tests.app.pages.label_steps import press, stands_in
from tests.app.running import open_served
from tests.app.security.people import PASSWORDS, add_people

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ONE, TWO, _ = LABELS
NAUGHTY = "eve <img src=x onerror=alert(1)>"


def disagree(project: Path, *people: str) -> list[Span]:
    """Let the second person contradict the first on two windows and agree on four."""
    folder = ProjectFolder.open(project)
    try:
        windows = load_windows(folder, folder.table())
        told = folder.catalogue.annotations().column("recording_id").to_numpy()
        rows = np.flatnonzero(~np.isin(windows.recording_id, told))[:6]
        spans = [
            Span(
                int(windows.recording_id[i]),
                int(windows.channel[i]),
                float(windows.start_s[i]),
                float(windows.end_s[i]),
            )
            for i in rows
        ]
        for k, span in enumerate(spans):
            for n, who in enumerate(people):
                label = TWO if k < 2 and n else ONE
                said = Said(present=(label,), complete=True)
                answer(folder, who, span, said, key=f"{who} {k}", seconds=3.0, force=True)
        return spans
    finally:
        folder.close()


def test_ultrasound_is_drawn_linearly_and_heard_slowly(
    project: Path, serving: Any, page: Page
) -> None:
    disagree(project, "ann", "ben")

    def as_ultrasound(route: Route) -> None:
        found = route.fetch().json()
        for row in found["rows"]:
            row["window"]["sample_rate"] = 192_000
        route.fulfill(json=found)

    page.route("**/api/agreement/disagreements*", as_ultrasound)
    with serving(project, "--as", "ben") as url:
        with page.expect_request("**/api/media/spectrogram*") as drawn:
            page.goto(f"{url}/agreement")
        assert "scale=linear" in drawn.value.url
        page.wait_for_function("document.querySelector('.picture canvas')?.width > 0")
        with page.expect_request("**/api/media/audio*") as heard:
            page.get_by_role("button", name="Play").click()
        assert "slow=10" in heard.value.url


def test_a_second_person_settles_by_keyboard(project: Path, serving: Any, page: Page) -> None:
    spans = disagree(project, "ann", NAUGHTY)
    with serving(project, "--as", "ben") as url:
        page.goto(f"{url}/agreement")
        page.get_by_text("2 windows to settle").wait_for()
        history = page.get_by_role("region", name="History of this window")
        history.get_by_text(f"present: {ONE}").wait_for()
        # Names are shown as they are, and nothing in them runs.
        assert history.get_by_text(NAUGHTY).count() == 1
        page.wait_for_function("document.querySelector('.picture canvas')?.width > 0")
        press(page, "y", "n")
        page.get_by_role("button", name="Settle", exact=True).wait_for()
        press(page, "Enter")
        page.get_by_text("1 window to settle").wait_for()
        found = stands_in(project)[spans[0]]
        assert [(one.annotator, one.kind) for one in found] == [
            ("ann", "answer"),
            (NAUGHTY, "answer"),
            ("ben", "settle"),
        ]
        assert (found[2].said.present, found[2].said.absent) == ((ONE,), (TWO,))
        press(page, "z")
        page.get_by_text("2 windows to settle").wait_for()
        assert [one.kind for one in stands_in(project)[spans[0]]] == ["answer", "answer"]
        press(page, "j", "x", "x", "Enter")
        page.get_by_text("1 window to settle").wait_for()
        page.get_by_label("Show").select_option("settled")
        page.get_by_text("settled by ben: cannot tell").first.wait_for()
        assert stands_in(project)[spans[1]][2].said.unsure == (ONE, TWO)


def test_measures_work_and_history_are_shown(project: Path, serving: Any, page: Page) -> None:
    disagree(project, "ann", "ben")
    with serving(project) as url:
        page.goto(f"{url}/agreement?part=measures")
        row = page.get_by_role("row", name=ONE).first
        row.wait_for()
        cells = [cell.strip() for cell in row.locator("td").all_inner_texts()]
        # Four of six say ONE together; two windows differ. Six windows are too few to go by.
        assert cells[0] == "6"
        assert "too few: 6 shared windows" in cells[-1]
        page.get_by_role("tab", name="Who and when").click()
        page.get_by_role("row", name="ben").first.wait_for()
        assert page.get_by_role("row", name="ben").first.locator("td").first.inner_text() == "6"
        page.keyboard.press("ArrowRight")
        page.get_by_text("Answers, corrections and settlements").wait_for()
        page.locator(".events li").nth(11).wait_for()
        assert page.locator(".events li").count() == 12


def test_a_manager_gives_two_people_the_same_queue(project: Path, page: Page) -> None:
    add_people(project)
    with open_served(project) as url:
        page.goto(f"{url}/agreement?part=queues")
        page.locator("#name").fill("mia")
        page.locator("#password").fill(PASSWORDS["mia"])
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="Same queue for several").click()
        page.get_by_label("How many").fill("4")
        page.get_by_role("button", name="Make the queues").click()
        page.get_by_text("ben, mia got 4 windows each.").wait_for()
        page.get_by_text("0 of 4").nth(1).wait_for()
        assert page.get_by_text("0 of 4").count() == 2
        # Only one's own queue can be opened.
        page.locator(".shares a").click()
        page.wait_for_url("**/label?queue=*")


def test_one_person_alone_is_told_how_to_add_others(
    project: Path, serving: Any, page: Page
) -> None:
    folder = ProjectFolder.open(project)
    folder.catalogue.remove_annotations(
        source=None, ids=folder.catalogue.annotations()["id"].to_pylist()
    )
    folder.close()
    with serving(project) as url:
        page.goto(f"{url}/agreement")
        page.get_by_text(f"antiphon users add {project} NAME").wait_for()
        page.get_by_text("Nothing to settle: nobody contradicts anybody.").wait_for()
