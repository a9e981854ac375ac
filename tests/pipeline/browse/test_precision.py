"""Precision at thresholds from labelled windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from antiphon.api import Project
from antiphon.audio.synthesis.dataset import write_dataset
from antiphon.heads.thresholds import choose_thresholds
from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.queues import make_queue
from antiphon.pipeline.annotate.said import Said, Span
from antiphon.pipeline.browse.precision import (
    held_out,
    labels_version,
    precision_of,
    share_by_group,
)
from antiphon.pipeline.browse.thresholds import count_thresholds
from antiphon.pipeline.detectors import current_detector
from antiphon.pipeline.windows import load_windows
from antiphon.store import queues
from antiphon.store.project import ProjectFolder


def test_shares_are_those_counted_by_hand() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.3], np.float32)
    positive = np.array([True, True, False, False])
    groups = np.array([7, 7, 9, 9])
    thresholds = np.array([0.0, 0.5, 0.8, 0.85, 0.95], np.float32)
    value, low, high = share_by_group(score, positive, groups, thresholds)
    np.testing.assert_allclose(value, [2 / 4, 2 / 3, 2 / 3, 1.0, np.nan])
    # Exact binomial intervals with the two groups as the sample: 1 of 2, and 1 of 1.
    assert (low[0], high[0]) == pytest.approx((0.0126, 0.9874), abs=1e-4)
    assert (low[3], high[3]) == pytest.approx((0.025, 1.0))
    assert np.isnan([low[4], high[4]]).all()


def test_intervals_agree_with_those_of_the_training() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 10)
    score = rng.random(400).astype(np.float32)
    positive = rng.random(400) < score
    (chosen,) = choose_thresholds(
        score[:, None], positive[:, None].astype(np.float32), groups, precision=0.8, level=0.95
    )
    value, low, high = share_by_group(score, positive, groups, np.float32([chosen.value]))
    assert value[0] == pytest.approx(chosen.precision)
    # Two bootstraps of the same resampling, by different draws.
    assert low[0] == pytest.approx(chosen.precision_low, abs=0.03)
    assert high[0] == pytest.approx(chosen.precision_high, abs=0.03)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A project with a detector, of which half the recordings are labelled."""
    path = tmp_path_factory.mktemp("precision")
    made = write_dataset(
        path / "sounds", seed=5, sites=3, days=1, recordings_per_site_day=4, duration_s=16.0
    )
    said = path / "said"
    said.mkdir()
    for facts in made.recordings[:8]:
        (said / facts.table.name).write_bytes(facts.table.read_bytes())
    project, _ = Project.create(path / "project", audio=[made.audio])
    project.embed("spectral", sample_rate=16_000, window_s=2.0, n_mels=32, dim=64)
    project.import_labels(said, complete=True, label_column="Species", annotator="truth")
    project.train(name="first")
    return project.folder


def test_a_sample_by_score_counts_every_window_by_its_chance(folder: ProjectFolder) -> None:
    table = folder.table()
    detector = current_detector(folder)
    label = detector.labels[0]
    windows = load_windows(folder, table)
    thresholds = count_thresholds(windows, detector)[label].thresholds

    before = precision_of(folder, detector, held_out(folder, table, detector), label, thresholds)
    assert not before.weighted
    assert "came from elsewhere" in before.how
    version = labels_version(folder)

    queue = make_queue(folder, table, "stratified", 24, label=label, seed=1)
    with folder.catalogue.database.read() as connection:
        items = queues.items(connection, queue.id)
    for place, item in enumerate(items):
        there = place % 3 == 0
        answer(
            folder,
            "ann",
            Span(*item.window[:1], item.channel, item.start_s, item.end_s),
            Said(present=(label,) if there else (), absent=() if there else (label,)),
            key=f"sample {place}",
            item=item.id,
        )
    assert labels_version(folder) != version
    after = precision_of(folder, detector, held_out(folder, table, detector), label, thresholds)
    assert after.weighted
    assert after.windows == len(items)
    assert "holds for all 96 windows" in after.how

    # Horvitz and Thompson by hand, at a threshold in the middle.
    at = int(np.searchsorted(thresholds, np.median([i.utility for i in items])))
    weight = np.array([1 / i.chance for i in items])
    over = np.array([i.utility >= thresholds[at] for i in items])
    right = np.array([place % 3 == 0 for place in range(len(items))])
    expected = (weight * over * right).sum() / (weight * over).sum()
    assert after.value[at] == pytest.approx(expected, abs=1e-6)
    assert after.low[at] <= expected <= after.high[at]
    assert after.labelled[at] == over.sum()


def test_sought_out_windows_are_said_to_be(folder: ProjectFolder) -> None:
    from antiphon.pipeline.browse.precision import how_labelled

    table = folder.table()
    windows = load_windows(folder, table)
    make_queue(folder, table, "strategy", 5, strategy="margin", seed=1)
    said = how_labelled(folder, windows)
    assert "were sought out" in said
    assert "no random sample" in said


def test_only_equal_chances_of_all_windows_make_a_random_sample(folder: ProjectFolder) -> None:
    from antiphon.pipeline.browse.precision import how_labelled
    from antiphon.pipeline.filters import WindowFilter

    windows = load_windows(folder, folder.table())
    site = windows.recordings.column("site").to_pylist()[0]
    here = WindowFilter(sites=(site,))

    def drawn(kind: str, **wish: Any) -> str:
        queue = make_queue(folder, None, kind, 8, seed=3, **wish)
        with folder.catalogue.database.read() as connection:
            items = queues.items(connection, queue.id)
        wanted = {(item.recording_id, item.start_s) for item in items}
        places = zip(windows.recording_id.tolist(), windows.start_s.tolist(), strict=True)
        return how_labelled(
            folder, windows.take(np.array([i for i, p in enumerate(places) if p in wanted]))
        )

    assert "8 were drawn by score" in drawn("stratified", label=current_detector(folder).labels[0])
    assert "8 were drawn by chance from a part of all windows" in drawn("random", where=here)
