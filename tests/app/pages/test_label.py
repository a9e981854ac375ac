"""A person labels on the page; the catalogue is looked at afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.pipeline.annotate.answers import answer, history
from antiphon.pipeline.annotate.leasing import lease
from antiphon.pipeline.annotate.said import Said
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS
from tests.app.pages.label_steps import (
    Served,
    all_saved,
    clip,
    keys_of,
    open_queue,
    press,
    queue_in,
    stands_in,
    wait_for_clip,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST, SECOND, THIRD = LABELS


@pytest.fixture(scope="module")
def app(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A project that is served as ``ann``; each test makes a queue of its own."""
    project = shutil.copytree(trained, tmp_path_factory.mktemp("label") / "project")
    served = Served(Path(project))
    try:
        yield served
    finally:
        served.kill()


def test_thirty_clips_are_labelled_by_keys(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(31))
    said: dict[Any, tuple[set[str], set[str], set[str], bool]] = {}
    open_queue(page, url, queue)
    key = keys_of(page)
    assert set(LABELS) <= set(key)
    for i in range(30):
        span = clip(page)
        assert span not in said
        if i % 5 == 0:
            press(page, key[FIRST], f"Shift+{key[SECOND]}")
            said[span] = ({FIRST}, {SECOND}, set(), True)
        elif i % 5 == 1:
            press(page, "n")
            said[span] = (set(), set(), set(), True)
        elif i % 5 == 2:
            # A second press takes a mark back, and another state replaces it.
            press(page, key[FIRST], key[FIRST], key[SECOND], f"Alt+{key[SECOND]}")
            press(page, key[THIRD])
            said[span] = ({THIRD}, set(), {SECOND}, True)
        elif i % 5 == 3:
            press(page, key[FIRST], key[SECOND], key[THIRD], "c")
            said[span] = (set(LABELS), set(), set(), False)
        else:
            press(page, key[SECOND])
            said[span] = ({SECOND}, set(), set(), True)
        press(page, "Enter")
        if i % 5 == 3:
            press(page, "c")
        if i % 6 == 5:
            # Two answers back; they are still marked as they were. One gets another label.
            press(page, "u", "u", "Enter")
            assert clip(page) == span
            press(page, "m")
            page.keyboard.type("far away")
            press(page, "Enter", "Enter")
        if i == 17:
            # Back to an earlier answer, which is changed, and on where it was left.
            before = clip(page)
            press(page, "ArrowLeft")
            assert clip(page) == span
            press(page, f"Alt+{key[FIRST]}", "Enter")
            assert clip(page) == before
            present, absent, unsure, complete = said[span]
            said[span] = (present - {FIRST}, absent, unsure | {FIRST}, complete)
        if i == 20:
            # What is marked outlives a reload, and so does undo.
            press(page, key[THIRD])
            marked = clip(page)
            all_saved(page)
            page.reload()
            wait_for_clip(page)
            assert clip(page) == marked
            assert page.evaluate("[...labelPage.work.draft.marks.keys()]") == [THIRD]
            press(page, key[THIRD], "u")
            page.wait_for_function(
                "start => labelPage.work.clip.window.start_s === start", arg=span.start_s
            )
            assert clip(page) == span
            press(page, "Enter")
            assert clip(page) == marked
    all_saved(page)
    assert page.locator(".count").inner_text() == "30 of 31"
    press(page, "s")
    page.get_by_role("heading", name="All done").wait_for()
    all_saved(page)
    measured = page.evaluate("performance.getEntriesByName('antiphon clip change').length")
    assert measured >= 10
    stands = stands_in(project)
    answers = {span: stands[span][0] for span in said}
    assert {
        span: (set(a.said.present), set(a.said.absent), set(a.said.unsure), a.said.complete)
        for span, a in answers.items()
    } == said
    assert sum(a.said.note == "far away" for a in answers.values()) == 5
    assert all(a.seconds is not None and a.seconds >= 0 for a in answers.values())
    assert all(a.suggested is not None for a in answers.values())
    folder = ProjectFolder.open(project)
    try:
        rows = folder.catalogue.annotations().to_pylist()
    finally:
        folder.close()
    own = [row for row in rows if row["annotator"] == "ann" and row["presence"] == "present"]
    windows = {(span.recording_id, span.start_s) for span in said}
    told = [row for row in own if (row["recording_id"], row["start_s"]) in windows]
    assert len(told) == sum(len(present) for present, _, _, _ in said.values())


def test_box_is_drawn_and_resized_to_the_pixel(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(31, 35))
    plain = '{"scale": "linear", "around": 0}'
    page.add_init_script(f"localStorage.setItem('antiphon.sight', '{plain}')")
    open_queue(page, url, queue)
    span = clip(page)
    # The axes say where the picture lies: seconds and Hz for each pixel.
    frame = page.evaluate(
        "(({left, top, width, height, start_s, end_s, low_hz, high_hz}) =>"
        "({left, top, width, height, start_s, end_s, low_hz, high_hz}))"
        "(labelPage.work.sight.view.frame)"
    )
    assert (frame["start_s"], frame["end_s"]) == (span.start_s, span.end_s)
    assert (frame["low_hz"], frame["high_hz"]) == (0, 12_000)
    place = page.locator(".sight").bounding_box()
    assert place is not None
    x0, y0 = place["x"] + frame["left"], place["y"] + frame["top"]

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(x0 + start[0], y0 + start[1])
        page.mouse.down()
        page.mouse.move(x0 + end[0], y0 + end[1], steps=4)
        page.mouse.up()

    press(page, keys_of(page)[SECOND])
    drag((200, 60), (500, 160))
    # A label's key renames the box that was just drawn; the mark before it stays.
    press(page, keys_of(page)[FIRST])
    drag((500, 110), (620, 110))
    drag((400, 60), (400, 30))
    press(page, "Enter")
    all_saved(page)
    (answer,) = stands_in(project)[span]
    (box,) = answer.said.boxes
    second = (span.end_s - span.start_s) / frame["width"]
    hertz = 12_000 / frame["height"]
    assert box.label == FIRST
    assert set(answer.said.present) == {FIRST, SECOND}
    assert box.start_s == pytest.approx(span.start_s + 200 * second, abs=second)
    assert box.end_s == pytest.approx(span.start_s + 620 * second, abs=second)
    assert box.high_hz == pytest.approx(12_000 - 30 * hertz, abs=hertz)
    assert box.low_hz == pytest.approx(12_000 - 160 * hertz, abs=hertz)


def test_label_is_added_by_typing(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(35, 39))
    open_queue(page, url, queue)
    span = clip(page)
    press(page, "/")
    page.keyboard.type("zipper")
    page.get_by_role("option", name=THIRD).wait_for()
    press(page, "Enter")
    page.locator(f'.chip[data-label="{THIRD}"][data-state=present]').wait_for()
    press(page, "/")
    page.keyboard.type("<b>Moss Piper</b>")
    press(page, "Enter")
    chip = page.locator(".chip", has_text="<b>Moss Piper</b>")
    chip.wait_for()
    assert chip.get_attribute("data-state") == "present"
    assert keys_of(page)["<b>Moss Piper</b>"] not in {keys_of(page)[name] for name in LABELS}
    # The key works at once, and the list of keys shows and changes it.
    press(page, keys_of(page)["<b>Moss Piper</b>"])
    assert chip.get_attribute("data-state") == ""
    press(page, "?")
    page.get_by_role("button", name="<b>Moss Piper</b>:").click()
    press(page, "x", "Escape", "x")
    # From the next clip on, suggestions are hidden; the answer says so.
    press(page, "h", "Enter")
    blind = clip(page)
    press(page, "n", "Enter")
    all_saved(page)
    stands = stands_in(project)
    assert stands[blind][0].suggested is None
    (labelled,) = stands[span]
    assert labelled.suggested is not None
    assert set(labelled.said.present) == {THIRD, "<b>Moss Piper</b>"}


def test_key_right_after_a_dialog_counts(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(94, 96))
    open_queue(page, url, queue)
    span = clip(page)
    press(page, keys_of(page)[FIRST], "?")
    # Before the browser draws again, the focus is still on a button of the closed dialog.
    page.evaluate(
        """() => {
          const dialog = document.querySelector("dialog[open]");
          dialog.querySelector("button.key").focus();
          dialog.close();
          const enter = { key: "Enter", code: "Enter", bubbles: true, cancelable: true };
          document.activeElement.dispatchEvent(new KeyboardEvent("keydown", enter));
        }"""
    )
    all_saved(page)
    (answer,) = stands_in(project)[span]
    assert answer.said.present == (FIRST,)


def test_nothing_here_asks_for_the_first_label(app: Served, page: Page) -> None:
    queue = queue_in(app.project, slice(45, 47))
    # The page of a project without labels; the server has some, which it need not know.
    page.route("**/api/labels", lambda route: route.fulfill(json=[]), times=1)
    open_queue(page, app.url, queue)
    span = clip(page)
    press(page, "0")
    page.get_by_role("heading", name="What do you look for?").wait_for()
    press(page, "Escape")
    nothing = page.locator("[data-command=nothing]")
    assert nothing.get_attribute("aria-pressed") == "false"
    press(page, "0")
    page.get_by_role("combobox", name="Name of a label").fill("heron")
    press(page, "Enter")
    page.locator("[data-command=nothing][aria-pressed=true]").wait_for()
    press(page, "Enter")
    all_saved(page)
    (answer,) = stands_in(app.project)[span]
    assert not answer.said.present
    assert answer.said.complete


def test_nobody_sees_the_same_clip(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(47, 87))
    folder = ProjectFolder.open(project)
    try:
        # Two tabs of one person, and another person.
        tabs = [page, page.context.new_page()]
        for tab in tabs:
            open_queue(tab, url, queue)
        seen = [item.span for item in lease(folder, queue, "ben", 8).items]
        assert len(seen) == 8
        for _ in range(5):
            for tab in tabs:
                seen.append(clip(tab))
                press(tab, "n", "Enter")
        seen += [clip(tab) for tab in tabs]
        for tab in tabs:
            all_saved(tab)
    finally:
        folder.close()
    assert len(seen) == len(set(seen)) == 20
    stands = stands_in(project)
    assert [stands[span][0].annotator for span in seen if span in stands] == ["ann"] * 10


def test_killed_server_loses_no_answer(app: Served, page: Page) -> None:
    project = app.project
    queue = queue_in(project, slice(87, 94))
    open_queue(page, app.url, queue)
    key = keys_of(page)
    given = {}
    for _ in range(2):
        given[clip(page)] = FIRST
        press(page, key[FIRST], "Enter")
    all_saved(page)
    app.kill()
    assert set(given) <= set(stands_in(project))
    for _ in range(2):
        given[clip(page)] = SECOND
        press(page, key[SECOND], "Enter")
    page.get_by_text("Server not reached: 2 kept here").wait_for()
    # An answer that is on its way can be taken back like any other.
    press(page, "u")
    taken_back = clip(page)
    app.start()
    all_saved(page)
    assert clip(page) == taken_back
    press(page, key[FIRST], "Enter")
    given[taken_back] = FIRST
    all_saved(page)
    stands = stands_in(project)
    for span, label in given.items():
        (found,) = stands[span]
        assert label in found.said.present
    folder = ProjectFolder.open(project)
    try:
        kinds = [one.kind for span in given for one in history(folder, span=span)]
    finally:
        folder.close()
    assert kinds.count("answer") - kinds.count("retract") == 4


def test_answers_given_twice_are_decided_by_the_person(app: Served, page: Page) -> None:
    project, url = app.project, app.url
    queue = queue_in(project, slice(39, 45))
    folder = ProjectFolder.open(project)
    try:
        open_queue(page, url, queue)
        key = keys_of(page)
        spans = []
        for button in ("Keep mine as well", "Drop mine"):
            span = clip(page)
            spans.append(span)
            answer(folder, "ben", span, Said(present=(SECOND,)), key=f"ben {button}")
            press(page, key[FIRST], "Enter")
            dialog = page.get_by_role("dialog", name="Answered twice")
            dialog.get_by_text(f"present: {SECOND}").wait_for()
            dialog.get_by_text(f"present: {FIRST}").wait_for()
            dialog.get_by_role("button", name=button).click()
            dialog.wait_for(state="detached")
            all_saved(page)
    finally:
        folder.close()
    stands = stands_in(project)
    assert {a.annotator: a.said.present for a in stands[spans[0]]} == {
        "ben": (SECOND,),
        "ann": (FIRST,),
    }
    assert [a.annotator for a in stands[spans[1]]] == ["ben"]
