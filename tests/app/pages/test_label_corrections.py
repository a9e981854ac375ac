"""What a person corrects on the page "Label": undoing, settling, changing an earlier answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.queues import make_queue
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
    spans_in,
    stands_in,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST, SECOND, THIRD = LABELS


@pytest.fixture(scope="module")
def app(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A project that is served as ``ann``; each test works on windows of its own."""
    project = shutil.copytree(trained, tmp_path_factory.mktemp("label") / "project")
    served = Served(Path(project))
    try:
        yield served
    finally:
        served.kill()


def test_an_undo_outlives_the_tab_it_was_made_in(app: Served, page: Page) -> None:
    queue = queue_in(app.project, slice(0, 4))
    open_queue(page, app.url, queue)
    span = clip(page)
    press(page, keys_of(page)[FIRST], "Enter")
    all_saved(page)
    page.route("**/undo", lambda route: route.abort())
    press(page, "u")
    page.get_by_text("Server not reached: 1 kept here").wait_for()
    other = page.context.new_page()
    page.close(run_before_unload=False)
    open_queue(other, app.url, queue)
    all_saved(other)
    other.wait_for_function("labelPage.outbox.waiting === 0")
    assert span not in stands_in(app.project)


def test_an_undo_holds_though_another_tab_has_sent_the_answer(app: Served, page: Page) -> None:
    open_queue(page, app.url, queue_in(app.project, slice(24, 28)))
    key = keys_of(page)
    page.route("**/api/answers", lambda route: route.abort())
    spans = []
    for label in (FIRST, SECOND):
        spans.append(clip(page))
        press(page, key[label], "Enter")
    page.get_by_text("Server not reached: 2 kept here").wait_for()
    other = page.context.new_page()
    open_queue(other, app.url, queue_in(app.project, slice(28, 32)))
    other.wait_for_function("labelPage.outbox.waiting === 0")
    assert {one.annotator for span in spans for one in stands_in(app.project)[span]} == {"ann"}
    press(page, "u")
    page.unroute("**/api/answers")
    all_saved(page)
    stands = stands_in(app.project)
    assert spans[0] in stands
    assert spans[1] not in stands


def test_undoing_a_refused_answer_gives_it_up(app: Served, page: Page) -> None:
    open_queue(page, app.url, queue_in(app.project, slice(4, 8)))
    span = clip(page)
    folder = ProjectFolder.open(app.project)
    answer(folder, "ben", span, Said(present=(FIRST,)), key="ben was first")
    folder.close()
    press(page, keys_of(page)[SECOND], "Enter")
    page.get_by_role("dialog", name="Answered twice").wait_for()
    press(page, "Escape")
    page.get_by_text("1 to decide").wait_for()
    press(page, "u")
    all_saved(page)
    assert [one.annotator for one in stands_in(app.project)[span]] == ["ben"]


def test_a_settlement_leaves_labels_alone_that_it_does_not_name(app: Served, page: Page) -> None:
    (span,) = spans_in(app.project, slice(8, 9))
    folder = ProjectFolder.open(app.project)
    answer(folder, "ben", span, Said(present=(FIRST, SECOND), complete=True), key="ben")
    answer(folder, "cem", span, Said(present=(SECOND,), absent=(FIRST,)), key="cem")
    queue = make_queue(folder, None, "disagreement", 1).id
    folder.close()
    open_queue(page, app.url, queue)
    press(page, keys_of(page)[FIRST], "Enter")
    all_saved(page)
    (settled,) = (one for one in stands_in(app.project)[span] if one.kind == "settle")
    assert (settled.said.present, settled.said.complete) == ((FIRST,), False)


def test_going_back_to_a_settlement_corrects_the_settlement(app: Served, page: Page) -> None:
    (span,) = spans_in(app.project, slice(12, 13))
    folder = ProjectFolder.open(app.project)
    answer(folder, "ben", span, Said(present=(FIRST,)), key="ben says")
    answer(folder, "ann", span, Said(present=(FIRST,)), kind="settle", key="ann settles")
    folder.close()
    open_queue(page, app.url, queue_in(app.project, slice(16, 20)))
    press(page, "ArrowLeft")
    page.get_by_text("your settlement").wait_for()
    assert clip(page) == span
    press(page, f"Shift+{keys_of(page)[FIRST]}", "Enter")
    all_saved(page)
    (settled,) = (one for one in stands_in(app.project)[span] if one.annotator == "ann")
    assert (settled.kind, settled.said.absent) == ("settle", (FIRST,))
