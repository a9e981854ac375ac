"""Which windows come into a queue, with what chance, and what is kept of it."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.api import Project
from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.choosing import Wish, row_of
from antiphon.pipeline.annotate.disagreement import (
    count_disputed,
    find_disagreements,
    span_of,
)
from antiphon.pipeline.annotate.leasing import lease
from antiphon.pipeline.annotate.queues import make_queue, queue_state, renew
from antiphon.pipeline.annotate.said import Said, Span
from antiphon.pipeline.annotate.stratified import sample_of
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.sampling import how_chosen
from antiphon.pipeline.train import training_set
from antiphon.pipeline.windows import load_windows, targets


def clear(project: Project, keep: int = 6) -> None:
    """Forget what is known of all recordings but the first few."""
    said = project.folder.catalogue.annotations()
    recording = said.column("recording_id").to_numpy()
    gone = ~np.isin(recording, np.unique(recording)[:keep])
    project.folder.catalogue.remove_annotations(ids=said.column("id").to_numpy()[gone].tolist())


def all_items(project: Project, queue: int, who: str = "kim") -> list:
    return list(lease(project.folder, queue, who, 10_000).items)


def test_a_strategy_chooses_windows_without_labels(trained: Project) -> None:
    clear(trained)
    queue = make_queue(trained.folder, trained.table(), "strategy", 8, strategy="margin", seed=1)
    assert (queue.total, queue.kind, queue.name) == (8, "strategy", "strategy margin")
    expected = trained.next(8, strategy="margin", seed=1)
    items = all_items(trained, queue.id)
    assert [(i.span.recording_id, i.span.start_s) for i in items] == [
        (e.window.recording_id, round(e.window.start_s, 6)) for e in expected
    ]
    assert [i.suggested for i in items] == [e.suggested for e in expected]
    assert all(item.chance is None for item in items)
    with pytest.raises(UserError, match="goes with a search"):
        make_queue(trained.folder, None, "strategy", 8, where=WindowFilter(min_score=0.5))


def test_renewal_leaves_what_people_have_seen(trained: Project) -> None:
    clear(trained)
    folder = trained.folder
    queue = make_queue(folder, None, "strategy", 8, strategy="margin", seed=1)
    held = lease(folder, queue.id, "kim", 4).items
    answer(folder, "kim", held[0].span, Said(complete=True), key="1", item=held[0].id)
    answer(folder, "kim", held[1].span, None, kind="skip", key="2", item=held[1].id)
    before = queue.parameters["seed"]
    state = renew(folder, queue.id, strategy="random", seed=9)
    assert (state.total, state.done, state.skipped, state.held) == (8, 1, 1, 2)
    assert (state.parameters["strategy"], state.parameters["seed"]) == ("random", 9)
    assert before == 1
    rest = lease(folder, queue.id, "lee", 99).items
    assert len(rest) == 4
    assert not {item.span for item in rest} & {item.span for item in held}
    assert len({item.span for item in rest}) == 4
    # All windows are shown now, so nothing is left to exchange.
    assert renew(folder, queue.id).total == 8
    assert renew(folder, queue.id, n=3, seed=2).total == 11


def test_random_windows_have_equal_known_chances(trained: Project) -> None:
    folder = trained.folder
    windows = load_windows(folder, trained.table())
    queue = make_queue(folder, None, "random", 12, seed=3)
    items = all_items(trained, queue.id)
    assert len({item.span for item in items}) == 12
    assert {item.chance for item in items} == {12 / len(windows)}
    assert queue.parameters["frame"] == len(windows)
    rows = np.array([row_of(windows, item.span) for item in items])
    assert how_chosen(folder, windows.take(rows)) == ""
    site = str(windows.texts("site")[0])
    some = make_queue(folder, None, "random", 10**4, where=WindowFilter(sites=(site,)), seed=3)
    assert some.total == some.parameters["frame"] == int((windows.texts("site") == site).sum())
    with pytest.raises(UserError, match="chances"):
        make_queue(folder, None, "random", 5, per_recording=1)


def test_windows_by_score_have_the_chances_of_their_strata(trained: Project) -> None:
    folder = trained.folder
    data = training_set(folder, trained.table())
    label = data.labels[int(np.nansum(data.targets, axis=0).argmax())]
    queue = make_queue(folder, None, "stratified", 20, label=label, seed=3)
    windows = load_windows(folder, trained.table())
    strata = {s["name"]: s for s in queue.parameters["strata"]}
    assert sum(s["size"] for s in strata.values()) == len(windows)
    assert sum(s["drawn"] for s in strata.values()) == queue.total == 20
    items = all_items(trained, queue.id)
    for item in items:
        stratum = strata[item.stratum]
        assert item.chance == pytest.approx(stratum["drawn"] / stratum["size"])
        assert stratum["low"] <= item.utility <= stratum["high"]
    # Horvitz-Thompson: the inverse chances add up to the archive.
    assert sum(1 / item.chance for item in items) == pytest.approx(len(windows))
    rows = np.array([row_of(windows, item.span) for item in items])
    words = how_chosen(folder, windows.take(rows))
    assert "20 were drawn with known, unequal chances" in words
    assert "weighted by its chance" in words

    present = targets(folder, windows.take(rows), [label])[:, 0] == 1.0
    for item, there in zip(items, present, strict=True):
        said = Said(present=(label,)) if there else Said(absent=(label,))
        answer(folder, "kim", item.span, said, key=f"k{item.id}", item=item.id)
    sample = sample_of(folder, queue.id)
    assert (len(sample.spans), sample.open, sample.unclear) == (20, 0, 0)
    np.testing.assert_array_equal(np.sort(sample.score), np.sort([i.utility for i in items]))
    assert sample.present.sum() == present.sum()
    found = sample.quality(float(np.sort(sample.score)[-5]))
    assert present.sum() > 0
    assert 0.0 <= found.precision.low <= found.precision.value <= found.precision.high <= 1.0
    with pytest.raises(UserError, match="does not know the label 'x'"):
        make_queue(folder, None, "stratified", 20, label="x")
    with pytest.raises(UserError, match="was not drawn by the score"):
        sample_of(folder, make_queue(folder, None, "random", 2).id)


def test_a_search_ranks_by_a_window_or_by_score(trained: Project) -> None:
    folder = trained.folder
    windows = load_windows(folder, trained.table())
    like = span_of(windows, 7)
    queue = make_queue(folder, None, "search", 5, like=like)
    items = all_items(trained, queue.id)
    assert items[0].span == like
    assert items[0].utility == pytest.approx(1.0, abs=1e-2)
    assert [i.utility for i in items] == sorted((i.utility for i in items), reverse=True)
    label = training_set(folder, trained.table()).labels[0]
    where = WindowFilter(detected=(label,), min_score=0.01)
    scored = all_items(trained, make_queue(folder, None, "search", 5, where=where).id)
    assert scored
    assert all(item.utility >= 0.01 for item in scored)
    with pytest.raises(UserError, match="Nothing to search for"):
        make_queue(folder, None, "search", 5)
    with pytest.raises(UserError, match="No embedded window lies there"):
        make_queue(folder, None, "search", 5, like=Span(10**6, -1, 0.0, 1.0))


def test_chosen_windows_stay_as_they_are(trained: Project) -> None:
    folder = trained.folder
    windows = load_windows(folder, trained.table())
    spans = [span_of(windows, row) for row in (9, 2, 9)]
    # A window of no table is as good; it has no suggestions.
    odd = Span(spans[0].recording_id, -1, 0.1, 1.3)
    queue = make_queue(folder, None, "chosen", 10, windows=[*spans, odd], name=" by hand ")
    assert queue.name == "by hand"
    items = all_items(trained, queue.id)
    assert [item.span for item in items] == [spans[0], spans[1], odd]
    for wrong, message in (([Span(10**6, -1, 0.0, 1.0)], "no recording"), ([], "No window fits")):
        with pytest.raises(UserError, match=message):
            make_queue(folder, None, "chosen", 10, windows=wrong)


def test_disagreements_are_left_out_of_training_until_they_are_settled(labelled: Project) -> None:
    folder = labelled.folder
    windows = load_windows(folder, labelled.table())
    label = folder.catalogue.label_names()[0]
    clear(labelled, 12)
    row = len(windows) - 1
    span = span_of(windows, row)
    answer(folder, "kim", span, Said(present=(label,)), key="1")
    assert targets(folder, windows.take(np.array([row])), [label]).tolist() == [[1.0]]
    answer(folder, "lee", span, Said(complete=True), key="2")
    (found,) = find_disagreements(folder, windows)
    assert (found.span, found.label) == (span, label)
    assert (found.present, found.absent) == (("kim",), ("lee",))
    assert count_disputed(folder, windows) == (1, 1)
    data = training_set(folder, labelled.table())
    assert data.disputed == 1
    (place,) = np.flatnonzero(data.rows == row)
    column = data.labels.index(label)
    assert np.isnan(data.targets[place, column])
    assert (np.delete(data.targets[place], column) == 0.0).all()

    queue = make_queue(folder, None, "disagreement", 10)
    (item,) = lease(folder, queue.id, "max", 5).items
    assert (item.span, item.utility) == (span, 1.0)
    assert [one.annotator for one in item.answers] == ["kim", "lee"]
    answer(
        folder,
        "max",
        span,
        Said(absent=(label,)),
        kind="settle",
        key="3",
        item=item.id,
        seen=item.seen,
    )
    assert find_disagreements(folder, windows) == []
    assert training_set(folder, labelled.table()).disputed == 0
    assert targets(folder, windows.take(np.array([row])), [label]).tolist() == [[0.0]]
    assert queue_state(folder, queue.id).left == 0
    with pytest.raises(UserError, match="People agree"):
        make_queue(folder, None, "disagreement", 10)


def test_a_wish_survives_being_stored() -> None:
    from datetime import date

    wish = Wish(
        kind="search",
        n=7,
        where=WindowFilter(
            sites=("A",),
            hours=(22.0, 4.5),
            dates=(date(2026, 5, 1), date(2026, 5, 2)),
            labels=("dove",),
            unlabelled=True,
            detected=("toad",),
            min_score=0.2,
            max_score=0.8,
        ),
        like=Span(1, 0, 3.0, 6.0),
        per_recording=2,
        seed=5,
    )
    import json

    assert Wish.from_json("search", json.loads(json.dumps(wish.to_json()))) == wish


def test_what_makes_no_queue_is_refused(labelled: Project) -> None:
    for kind, n, message in (("other", 5, "no queue of kind"), ("random", 0, "at least one")):
        with pytest.raises(UserError, match=message):
            make_queue(labelled.folder, None, kind, n)
    with pytest.raises(UserError, match="no detector"):
        make_queue(labelled.folder, None, "stratified", 5, label="x")


def test_next_keeps_the_chances_of_random_windows(labelled: Project) -> None:
    clear(labelled)
    labelled.next(5, strategy="random", seed=1)
    labelled.next(5, strategy="random", per_recording=1, seed=1)
    labelled.next(5, strategy="coreset", seed=1)
    first, limited, sought = [e.data for e in labelled.folder.catalogue.events("queue")]
    windows = load_windows(labelled.folder, labelled.table())
    names = labelled.folder.catalogue.label_names()
    free = np.isnan(targets(labelled.folder, windows, names)).all(axis=1).sum()
    assert first["chances"] == [pytest.approx(5 / free)] * 5
    assert "chances" not in limited
    assert "chances" not in sought
