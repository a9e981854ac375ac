"""Blends of members of which some are missing, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.blends import KINDS, blend_scores
from tests.soundscape.ensemble.making import ensemble_of, rows_of

X = np.array([[0.1], [0.2], [0.3], [0.4]])
Y = np.array([[0.9], [0.8], [0.7], [0.6]])
ROWS = rows_of("f", 4)
WEIGHTS = {"x": 0.75, "y": 0.25}


def _two(kind="rank", **more):
    return ensemble_of({"kind": kind, "of": WEIGHTS}, classes=("a",), **more)


def test_rank_blend_by_hand():
    found = _two().combine({"x": X, "y": Y}, ROWS)
    # Positions of x are 1/5 ... 4/5, those of y 4/5 ... 1/5.
    assert found.score[:, 0] == pytest.approx([0.35, 0.45, 0.55, 0.65])
    assert found.there.all()
    assert found.notes() == []


def test_a_window_that_a_member_did_not_score():
    scored = np.array([True, True, True, False])
    hidden = Y.copy()
    hidden[3] = np.nan
    found = _two().combine({"x": X, "y": hidden}, ROWS, {"y": scored})
    # y is ranked among its three windows: 3/4, 2/4, 1/4; the last window is x alone.
    wanted = [
        0.75 * 0.2 + 0.25 * 0.75,
        0.75 * 0.4 + 0.25 * 0.5,
        0.75 * 0.6 + 0.25 * 0.25,
        0.8,
    ]
    assert found.score[:, 0] == pytest.approx(wanted, abs=1e-6)
    assert [(p.members, p.windows) for p in found.parts] == [(("x", "y"), 3), (("x",), 1)]
    assert found.parts[0].weights == pytest.approx(WEIGHTS)
    assert found.parts[1].weights == pytest.approx({"x": 1.0})
    assert found.notes() == ["1 of 4 windows were scored by other members than most."]


def test_a_member_that_is_gone():
    found = _two("probability").combine({"y": Y}, ROWS)
    assert found.score == pytest.approx(Y)
    assert found.absent == ("x",)
    assert "x" in found.notes()[0]


def test_a_class_that_a_member_does_not_know():
    ensemble = ensemble_of(
        {"kind": "probability", "of": {"x": 1, "y": 3}}, knows={"x": ["a"], "y": ["b", "a"]}
    )
    x = ensemble.align("x", [[0.4], [0.8]])
    y = ensemble.align("y", [[0.1, 0.2], [0.3, 0.6]])
    assert np.array_equal(x, [[0.4, np.nan], [0.8, np.nan]], equal_nan=True)
    found = ensemble.combine({"x": x, "y": y}, rows_of("f", 2))
    assert found.score == pytest.approx(
        np.array([[0.25 * 0.4 + 0.75 * 0.2, 0.1], [0.25 * 0.8 + 0.75 * 0.6, 0.3]])
    )


def test_a_class_that_nobody_knows_has_its_prior_and_is_named():
    ensemble = ensemble_of({"of": {"x": 1}}, knows={"x": ["a"]}, prior=0.125)
    assert ensemble.unknown_classes == ("b",)
    found = ensemble.combine({"x": ensemble.align("x", X)}, ROWS)
    assert found.score[:, 1].tolist() == [0.125] * 4
    assert found.fills.prior == 4
    assert "1 class, which have their prior everywhere: b" in found.notes()[0]


def test_a_group_without_a_member_gives_its_weight_to_the_others_inside():
    groups = {"g": {"kind": "probability", "of": {"x": 1, "y": 1}}}
    ensemble = ensemble_of(
        {"kind": "probability", "of": {"g": 0.8, "z": 0.2}}, groups=groups, classes=("a",)
    )
    z = np.full((4, 1), 0.5)
    scored = np.array([True, False, False, True])
    found = ensemble.combine({"x": X, "y": Y, "z": z}, ROWS, {"x": scored, "z": ~scored})
    wanted = [(0.1 + 0.9) / 2, 0.8 * 0.8 + 0.1, 0.8 * 0.7 + 0.1, (0.4 + 0.6) / 2]
    assert found.score[:, 0] == pytest.approx(wanted)
    weights = {part.members: part.weights for part in found.parts}
    assert weights[("x", "y")] == pytest.approx({"x": 0.5, "y": 0.5})
    assert weights[("y", "z")] == pytest.approx({"y": 0.8, "z": 0.2})


@pytest.mark.parametrize("kind", KINDS)
def test_complete_blends_are_the_evaluators(kind):
    rng = np.random.default_rng(0)
    scores = rng.random((2, 24, 3)).round(2)
    ensemble = ensemble_of({"kind": kind, "of": WEIGHTS}, classes=("a", "b", "c"))
    found = ensemble.combine(dict(zip("xy", scores, strict=True)), rows_of("fg", 12))
    wanted = blend_scores(scores, kind, [0.75, 0.25])
    if kind == "rank":
        # Positions are mid-ranks / (n + 1), and those of the evaluator / n.
        wanted = wanted * 24 / 25
    assert found.score == pytest.approx(wanted, abs=1e-12)


def test_weights_by_class_and_taxon(tmp_path):
    taxonomy = tmp_path / "t.csv"
    taxonomy.write_text("primary_label,class_name\na,Aves\nb,Insecta\nc,Aves\nd,Amphibia\n")
    blend = {
        "kind": "probability",
        "of": {"x": {"Aves": 3, "c": 0, "default": 1}, "y": 1},
    }
    ensemble = ensemble_of(blend, classes=("a", "b", "c", "d"), taxonomy=taxonomy)
    x, y = np.ones((1, 4)), np.zeros((1, 4))
    found = ensemble.combine({"x": x, "y": y}, ["f_5"])
    assert found.score[0] == pytest.approx([0.75, 0.5, 0, 0.5])
    # Where only x is left, a weight of 0 is no part: class c is filled in.
    alone = ensemble.combine({"x": x}, ["f_5"])
    assert alone.there.tolist() == [[True, True, False, True]]


def test_windows_that_nobody_scored_get_the_mean_of_their_recording_or_of_the_run():
    ensemble = ensemble_of({"kind": "probability", "of": {"x": 1}}, classes=("a",))
    rows = rows_of("fg", 2)
    x = np.array([[0.2], [0.0], [0.0], [0.0]])
    some = ensemble.combine({"x": x}, rows, {"x": np.array([True, False, False, False])})
    assert some.score[:, 0] == pytest.approx([0.2, 0.2, 0.2, 0.2])
    assert (some.fills.recording, some.fills.run, some.fills.prior) == (1, 2, 0)
    none = ensemble.combine({}, rows)
    assert none.score[:, 0].tolist() == [0.5] * 4
    assert none.fills.prior == 4
    assert none.to_json()["windows_scored"] == 0


def test_steps_reach_to_scored_windows_of_the_same_recording_only():
    ensemble = ensemble_of(
        {"kind": "probability", "of": {"x": 1}},
        classes=("a",),
        postprocess=["smooth:1,2,1"],
        unreached="prior",
        prior=0.25,
    )
    x = np.array([[0.4], [0.9], [0.8], [0.1]])
    rows = ["f_5", "f_10", "f_15", "g_5"]
    found = ensemble.combine({"x": x}, rows)
    assert found.score[:, 0] == pytest.approx(
        [(2 * 0.4 + 0.9) / 3, (0.4 + 2 * 0.9 + 0.8) / 4, (0.9 + 2 * 0.8) / 3, 0.1]
    )
    # With the middle window gone, the two others are no neighbours: they are 10 s apart.
    gone = ensemble.combine({"x": x}, rows, {"x": np.array([True, False, True, True])})
    assert gone.score[:, 0] == pytest.approx([0.4, 0.25, 0.8, 0.1])


def test_steps_for_a_taxon_at_another_hop(tmp_path):
    taxonomy = tmp_path / "t.csv"
    taxonomy.write_text("primary_label,class_name\na,Aves\nb,Insecta\n")
    ensemble = ensemble_of(
        {"kind": "probability", "of": {"x": 1}},
        taxonomy=taxonomy,
        postprocess=["mean:1@Insecta", "max:1@Aves"],
        window={"hop_s": 2.5},
    )
    x = np.array([[0.1, 0.2], [0.5, 0.4], [0.3, 0.9]])
    found = ensemble.combine({"x": x}, ["f_5", "f_7.5", "f_10"])
    assert found.score[:, 0] == pytest.approx([0.5, 0.5, 0.5])
    assert found.score[:, 1] == pytest.approx([0.5, 0.5, 0.5])
    one = ensemble.combine({"x": x}, ["f_5", "f_7.5", "f_12.5"])
    assert one.score[:, 0] == pytest.approx([0.5, 0.5, 0.3])


def test_a_step_for_an_unknown_taxon_is_refused(tmp_path):
    taxonomy = tmp_path / "t.csv"
    taxonomy.write_text("primary_label,class_name\na,Aves\nb,Insecta\n")
    with pytest.raises(UserError, match=r"names Insects.*Did you mean 'Insecta'"):
        ensemble_of({"of": {"x": 1}}, taxonomy=taxonomy, postprocess=["mean:1@Insects"])


def test_faulty_scores_are_named():
    ensemble = _two()
    broken = X.copy()
    broken[2] = np.nan
    with pytest.raises(UserError, match=r"'x' gave nan for class a at f_15.*1 such"):
        ensemble.combine({"x": broken, "y": Y}, ROWS)
    with pytest.raises(UserError, match=r"gave 1\.4 .*4 such"):
        ensemble.combine({"x": X + 1.3, "y": Y}, ROWS)
    with pytest.raises(UserError, match=r"\(4, 1\)"):
        ensemble.combine({"x": X[:3], "y": Y}, ROWS)
    with pytest.raises(UserError, match="scores of 'z'"):
        ensemble.combine({"x": X, "z": Y}, ROWS)
    with pytest.raises(UserError, match="scores of 'zz'"):
        ensemble.combine({"x": X}, ROWS, {"zz": np.ones(4, bool)})
    with pytest.raises(UserError, match="bool"):
        ensemble.combine({"x": X}, ROWS, {"x": np.ones(4)})
    with pytest.raises(UserError, match="'f5' is not"):
        ensemble.combine({"x": X[:1]}, ["f5"])


def test_chunks_of_classes_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    classes = tuple("abcdefg")
    groups = {"g": {"kind": "zlogit", "of": {"x": 1, "y": {"b": 2, "default": 1}}}}
    ensemble = ensemble_of({"of": {"g": 1, "z": 2}}, groups=groups, classes=classes)
    scores = {name: rng.random((20, 7)) for name in "xyz"}
    available = {"y": rng.random(20) < 0.5, "x": rng.random(20) < 0.7}
    whole = ensemble.combine(scores, rows_of("fg", 10), available)
    monkeypatch.setattr("antiphon.soundscape.ensemble.blending._CELLS", 180)
    parts = ensemble.combine(scores, rows_of("fg", 10), available)
    assert np.array_equal(whole.score, parts.score)


def test_no_window_is_no_fault():
    found = _two().combine({"x": X[:0], "y": Y[:0]}, [])
    assert found.score.shape == (0, 1)
    assert found.parts == ()
