# ruff: noqa: E402
"""One detector per fold, and what it says of the recordings it never heard."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.align import align
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.evaluation.blending.files.truth import read_truth
from antiphon.evaluation.blending.trust.provenance import read_out_of_fold
from antiphon.training.checkpoints import load_model
from antiphon.training.data.sources import read_sources
from antiphon.training.detection.files import LABELS, SCORES, TRUTH
from antiphon.training.detection.folds import FOLDS, REPORT, TRAINED_ON, train_folds
from antiphon.training.detection.measures import COLUMNS, measure, table_rows
from antiphon.training.detection.scoring import ScoredWindows, score_recordings
from antiphon.training.loop import run
from tests.training.detection.tiny import CLASSES, config, write_folder

FEW = {"loop": {"steps": 2}}


def settings(root, **changes):
    folds = {"folds": {"count": 3}, "holdout": {"share": 0.2}}
    return config(root, **FEW, data=folds, **changes)


def table_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = write_folder(tmp_path_factory.mktemp("audio"), per_class=6)
    out = tmp_path_factory.mktemp("runs") / "folds"
    return root, out, train_folds(settings(root), out)


def test_every_recording_is_scored_once_by_a_model_that_never_heard_it(done):
    _, out, report = done
    assert report.missing == ()
    assert report.stopped is None
    fold_of = {row["filename"].split("/")[-1][:-4]: row["fold"] for row in table_of(out / FOLDS)}
    assert len(fold_of) == 18
    found = read_scores(report.scores)
    assert found.classes == CLASSES
    assert len(found.rows) == 36
    for fold in range(3):
        place = out / f"fold-{fold}"
        scored = {row.rpartition("_")[0] for row in read_scores(place / SCORES).rows}
        heard = {row["recording"] for row in table_of(place / TRAINED_ON)}
        assert scored == {stem for stem, held in fold_of.items() if held == str(fold)}
        assert heard == set(fold_of) - scored


def test_the_scores_are_those_of_the_kept_models(done):
    root, out, _ = done
    data = settings(root).data
    table, _ = read_sources(data)
    found = read_scores(out / "fold-1" / SCORES)
    whole = score_recordings(load_model(out / "fold-1" / "model"), table, data)
    by_row = dict(zip(whole.rows, whole.scores, strict=True))
    for row, scores in zip(found.rows, found.score, strict=True):
        np.testing.assert_allclose(scores, by_row[row], atol=1e-6)


def test_classes_are_spread_over_the_folds(done):
    _, out, _ = done
    for kind in CLASSES:
        folds = [row["fold"] for row in table_of(out / FOLDS) if row["filename"].startswith(kind)]
        assert sorted(folds) == ["0", "0", "1", "1", "2", "2"]


def test_blend_reads_what_is_written(done):
    _, out, report = done
    problem = align([read_scores(report.scores)], read_truth(out / TRUTH))
    assert problem.truth.sum() == 36
    for row, label in zip(problem.rows, problem.truth, strict=True):
        assert problem.classes[int(label.argmax())] == row.split("-")[0]
    assert set(read_out_of_fold(out / FOLDS).fold.values()) == {"0", "1", "2"}
    labels = read_scores(out / LABELS)
    assert set(np.unique(labels.score)) == {0.0, 1.0}


def test_the_table_says_how_good_each_fold_is(done):
    _, out, report = done
    rows = json.loads((out / REPORT).read_text())["folds"]
    assert [row["fold"] for row in rows] == ["0", "1", "2", "all"]
    assert [row["windows"] for row in rows] == [12, 12, 12, 36]
    assert {row["auc_classes"] for row in rows} == {3}
    assert len(table_rows(report.folds)[0]) == len(COLUMNS)


def test_what_is_finished_is_not_done_again(done, monkeypatch):
    root, out, report = done

    def never(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(run, "_train", never)
    again = train_folds(settings(root), out)
    assert again.folds == report.folds


def test_folds_one_by_one_and_more_recordings_later(tmp_path):
    root = write_folder(tmp_path / "audio", per_class=3)
    out = tmp_path / "out"
    first = train_folds(settings(root), out, [1])
    assert first.missing == (0, 2)
    assert [one.fold for one in first.folds] == ["1"]
    assert not (out / SCORES).exists()
    kept = (out / FOLDS).read_text()
    rest = train_folds(settings(root), out, [0, 2])
    assert rest.missing == ()
    assert (out / SCORES).is_file()
    assert (out / FOLDS).read_text() == kept


def test_what_cannot_be_is_refused(tmp_path):
    root = write_folder(tmp_path / "audio", per_class=1)
    with pytest.raises(UserError, match="no fold 3: 3 folds count from 0"):
        train_folds(settings(root), tmp_path / "out", [3])
    with pytest.raises(UserError, match=r"loop\.processes=1"):
        train_folds(config(root, loop={"processes": 2, "steps": 2}), tmp_path / "out")
    with pytest.raises(UserError, match=r"3 groups .* make no 5 folds"):
        train_folds(config(root, **FEW), tmp_path / "out")
    (tmp_path / "single").mkdir()
    (tmp_path / "single" / "config.yaml").write_text("stage: detector\n")
    with pytest.raises(UserError, match="a run of its own"):
        train_folds(settings(root), tmp_path / "single")


def test_measures_leave_out_what_is_not_known():
    nan = np.nan
    windows = ScoredWindows(
        ("a", "a", "b", "b"),
        np.arange(4.0),
        np.arange(4.0) + 1,
        ("x", "y", "z"),
        np.array([[0.9, 0.1, 0.5], [0.2, 0.2, 0.5], [0.3, 0.3, 0.5], [0.1, 0.4, 0.5]], np.float32),
        np.array([[1, 0, 1], [0, nan, 1], [1, 1, 1], [nan, 0, 1]], np.float32),
    )
    found = measure("0", windows)
    # x: 0.9 and 0.3 above 0.2. y: 0.3 above 0.1 and below 0.4. z: nothing to compare with.
    assert found.auc == pytest.approx((1.0 + 0.5) / 2)
    assert (found.auc_classes, found.map_classes) == (2, 3)
    assert (found.recordings, found.windows) == (2, 4)


def test_what_shares_a_group_with_a_stated_side_is_scored_by_no_fold(tmp_path):
    root = write_folder(tmp_path / "audio", per_class=2)
    (tmp_path / "kept").mkdir()
    name = next((root / "low").glob("*.wav")).name
    (tmp_path / "kept" / name).write_bytes((root / "low" / name).read_bytes())
    base = settings(root)
    kept = {"kind": "folder", "path": str(tmp_path / "kept"), "side": "validation", "name": "kept"}
    sources = [base.data.sources[0].model_dump(exclude_unset=True), kept]
    data = {"folds": {"count": 2}, "sources": sources}
    report = train_folds(config(root, **FEW, data=data), tmp_path / "out")
    stems = [row.rpartition("_")[0] for row in read_scores(report.scores).rows]
    assert len(set(stems)) == 5
    assert name.removesuffix(".wav") not in stems


def test_a_fold_that_holds_nothing_is_refused_before_it_is_trained(done):
    root, out, _ = done
    more = config(root, **FEW, data={"folds": {"count": 5}})
    with pytest.raises(UserError, match="no recording into fold 4 of 5"):
        train_folds(more, out, [4])
    assert not (out / "fold-4").exists()
