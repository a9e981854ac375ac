"""Frozen references: single recordings get what the whole set gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import FileError, ModelError, UserError
from antiphon.evaluation.blending.files.submission import ScoreFile, write_scores
from antiphon.evaluation.blending.scoring.blends import blend_scores
from antiphon.soundscape.ensemble.blending import Ensemble
from antiphon.soundscape.ensemble.fitting import fit_reference
from antiphon.soundscape.ensemble.reference import Reference
from tests.soundscape.ensemble.making import config_of, rows_of

CLASSES = ("a", "b", "c")
FILES = [f"f{k}" for k in range(6)]
ROWS = rows_of(FILES, 12)
N = len(ROWS)
BLEND = {"kind": "rank", "of": {"g": 0.9, "z": 0.1}}
GROUPS = {"g": {"kind": "zlogit", "of": {"x": 0.6, "y": 0.4}}}


def _scores(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.random((N, 3)).astype(np.float32) for name in "xyz"}


def _files(scores, rows=ROWS):
    return {
        name: ScoreFile(Path(f"{name}.csv"), tuple(rows), CLASSES, s.astype(np.float64), name)
        for name, s in scores.items()
    }


def _open(config):
    return Ensemble.open(config, {member.name: CLASSES for member in config.members})


def _by_file(ensemble, scores):
    """Combine one recording at a time."""
    parts = []
    for k in range(len(FILES)):
        some = slice(12 * k, 12 * (k + 1))
        found = ensemble.combine({name: s[some] for name, s in scores.items()}, ROWS[some])
        parts.append(found.score)
    return np.vstack(parts)


def test_single_recordings_get_the_rank_blend_of_the_whole_set(tmp_path):
    config = config_of({"of": {"x": 0.75, "y": 0.25}}, classes=CLASSES)
    scores = {name: s.round(2) for name, s in _scores().items() if name != "z"}
    fit_reference(config, _files(scores)).save(tmp_path / "r.safetensors")
    frozen = _open(config.model_copy(update={"reference": tmp_path / "r.safetensors"}))
    whole = _open(config).combine(scores, ROWS).score
    assert np.array_equal(_by_file(frozen, scores), whole)
    evaluators = blend_scores(np.stack([scores["x"], scores["y"]]), "rank", [0.75, 0.25])
    assert np.allclose(whole, evaluators * N / (N + 1), rtol=1e-14)
    assert frozen.reference.bound == 0
    assert (frozen.needs_all_windows, _open(config).needs_all_windows) == (False, True)


def test_so_do_groups_inside_and_steps(tmp_path):
    config = config_of(BLEND, groups=GROUPS, classes=CLASSES, postprocess=["smooth", "mean:0.3"])
    scores = _scores()
    fit_reference(config, _files(scores)).save(tmp_path / "r.safetensors")
    frozen = _open(config.model_copy(update={"reference": tmp_path / "r.safetensors"}))
    whole = _open(config).combine(scores, ROWS).score
    assert np.allclose(_by_file(frozen, scores), whole, rtol=1e-12)


def test_a_thinned_reference_keeps_its_bound(tmp_path):
    config = config_of({"of": {"x": 0.75, "y": 0.25}}, classes=CLASSES)
    scores = {name: s for name, s in _scores().items() if name != "z"}
    reference = fit_reference(config, _files(scores), most=10)
    reference.save(tmp_path / "r.safetensors")
    frozen = _open(config.model_copy(update={"reference": tmp_path / "r.safetensors"}))
    error = np.abs(_by_file(frozen, scores) - _open(config).combine(scores, ROWS).score).max()
    # 71 steps of rank in 9 spans: at most 7 windows hidden in each.
    assert frozen.reference.bound == pytest.approx(7 / (N + 1))
    assert 0 < error <= frozen.reference.bound
    assert frozen.reference.facts["most"] == 10


def test_a_saved_reference_reads_back_the_same(tmp_path):
    config = config_of(BLEND, groups=GROUPS, classes=CLASSES)
    made = fit_reference(config, _files(_scores()))
    made.save(tmp_path / "r.safetensors")
    read = Reference.load(tmp_path / "r.safetensors")
    assert (read.classes, read.recipe, read.facts) == (made.classes, made.recipe, made.facts)
    assert read.facts["windows"] == N
    assert read.facts["recordings"] == len(FILES)
    for name in ("values", "below", "upto", "start", "stop", "counts", "rows"):
        pair = (getattr(one.nodes["blend"].ranks, name) for one in (made, read))
        assert np.array_equal(*pair)
    assert np.array_equal(made.nodes["g"].mean, read.nodes["g"].mean)


def test_weights_of_the_blend_itself_may_change_but_not_those_inside(tmp_path):
    config = config_of(BLEND, groups=GROUPS, classes=CLASSES)
    path = tmp_path / "r.safetensors"
    fit_reference(config, _files(_scores())).save(path)
    other = {"kind": "rank", "of": {"g": 0.5, "z": 0.5}}
    _open(config_of(other, groups=GROUPS, classes=CLASSES, reference=path))
    inside = {"g": {"kind": "zlogit", "of": {"x": 0.5, "y": 0.5}}}
    with pytest.raises(ModelError, match=r"blend 'blend': 'g' was blended otherwise.*soundscape"):
        _open(config_of(BLEND, groups=inside, classes=CLASSES, reference=path))
    with pytest.raises(ModelError, match="3 classes"):
        _open(config_of(BLEND, groups=GROUPS, classes=CLASSES[::-1], reference=path))


def test_a_class_that_the_reference_lacks_is_named(tmp_path):
    config = config_of({"of": {"x": 1, "y": 1}}, classes=CLASSES)
    files = _files({name: s for name, s in _scores().items() if name != "z"})
    one = files["y"]
    files["y"] = ScoreFile(one.path, one.rows, CLASSES[:2], one.score[:, :2], one.name)
    path = tmp_path / "r.safetensors"
    fit_reference(config, files).save(path)
    config = config.model_copy(update={"reference": path})
    with pytest.raises(ModelError, match=r"'y' knows 1 class that it did not score.*: c"):
        _open(config)
    known = {"x": CLASSES, "y": CLASSES[:2]}
    scores = _scores()
    ensemble = Ensemble.open(config, known)
    y = ensemble.align("y", scores["y"][:, :2])
    found = ensemble.combine({"x": scores["x"], "y": y}, ROWS).score
    order = scores["x"][:, 2].argsort()
    assert np.allclose(found[order, 2], np.arange(1, N + 1) / (N + 1))


@pytest.mark.parametrize("member", ["x", "g"])
def test_a_member_that_is_gone_at_run_time(member, tmp_path):
    config = config_of(BLEND, groups=GROUPS, classes=CLASSES)
    path = tmp_path / "r.safetensors"
    fit_reference(config, _files(_scores())).save(path)
    gone = {"x"} if member == "x" else {"x", "y"}
    there = {name: CLASSES for name in "xyz" if name not in gone}
    ensemble = Ensemble.open(config.model_copy(update={"reference": path}), there)
    scores = {name: s for name, s in _scores().items() if name in there}
    found = ensemble.combine(scores, ROWS)
    assert found.there.all()
    assert found.absent == tuple(sorted(gone))
    if member == "g":
        order = scores["z"][:, 0].argsort()
        assert np.allclose(found.score[order, 0], np.arange(1, N + 1) / (N + 1))


def test_files_of_other_windows_or_members_are_refused():
    config = config_of({"of": {"x": 1, "y": 1}}, classes=CLASSES)
    files = _files({name: s for name, s in _scores().items() if name != "z"})
    one = files["y"]
    fewer = ScoreFile(one.path, one.rows[:-2], CLASSES, one.score[:-2], "y")
    with pytest.raises(FileError, match=r"y\.csv.*2 windows missing: f5_55, f5_60"):
        fit_reference(config, {**files, "y": fewer})
    with pytest.raises(UserError, match="no score file of 1 member: y"):
        fit_reference(config, {"x": files["x"]})
    with pytest.raises(UserError, match=r"'yy'.*Did you mean 'y'"):
        fit_reference(config, {**files, "yy": one})
    logits = ScoreFile(one.path, one.rows, CLASSES, one.score - 1, "y")
    with pytest.raises(FileError, match="no probability"):
        fit_reference(config, {**files, "y": logits})
    with pytest.raises(UserError, match="needs no reference"):
        fit_reference(config_of({"kind": "logit", "of": {"x": 1}}), {})


def test_files_are_read_in_any_order_of_windows_and_classes(tmp_path):
    config = config_of({"of": {"x": 1, "y": 1}}, classes=CLASSES)
    scores = _scores()
    write_scores(tmp_path / "x.csv", ROWS, CLASSES, scores["x"])
    write_scores(tmp_path / "y.parquet", ROWS[::-1], CLASSES[::-1], scores["y"][::-1, ::-1])
    found = fit_reference(config, {"x": tmp_path / "x.csv", "y": tmp_path / "y.parquet"})
    wanted = fit_reference(config, {n: f for n, f in _files(scores).items() if n != "z"})
    ranks = [one.nodes["blend"].ranks for one in (found, wanted)]
    assert np.array_equal(ranks[0].values, ranks[1].values)
    assert np.array_equal(ranks[0].below, ranks[1].below)


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "r.safetensors"
    with pytest.raises(ModelError, match="no such file"):
        Reference.load(path)
    path.write_bytes(b"not a file of tensors")
    with pytest.raises(ModelError, match="corrupt"):
        Reference.load(path)
    from safetensors.numpy import load_file, save_file

    config = config_of({"of": {"x": 1, "y": 1}}, classes=CLASSES)
    fit_reference(config, {n: f for n, f in _files(_scores()).items() if n != "z"}).save(path)
    tensors = load_file(path)
    save_file(tensors, tmp_path / "other.safetensors", {"format": "another"})
    with pytest.raises(ModelError, match="no reference"):
        Reference.load(tmp_path / "other.safetensors")
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    tensors["blend/stop"][0, 0] = 10**6
    save_file(tensors, path, metadata)
    with pytest.raises(ModelError, match="damaged"):
        Reference.load(path)


def test_a_reference_that_cannot_be_written_says_where(tmp_path):
    (tmp_path / "file").write_text("")
    made = fit_reference(
        config_of({"of": {"x": 1}}, classes=CLASSES), {"x": _files(_scores())["x"]}
    )
    with pytest.raises(ModelError, match="cannot be written"):
        made.save(tmp_path / "file" / "r.safetensors")
