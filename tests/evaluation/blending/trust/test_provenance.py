"""Declared training: what may be judged, and what may not."""

from __future__ import annotations

import pytest

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.trust.provenance import (
    Declaration,
    check_provenance,
    read_out_of_fold,
    read_trained_on,
)

FILES = ("a", "b", "c", "d")


def _status(declaration):
    return check_provenance(["m"], FILES, {"m": declaration})[0]


def _map(tmp_path, text):
    path = tmp_path / "map.csv"
    path.write_text(text)
    return read_out_of_fold(path)


def test_what_is_declared_decides():
    found = check_provenance(
        ["open", "clean", "leaky"],
        FILES,
        {
            "clean": Declaration(frozenset({"x", "y"})),
            "leaky": Declaration(frozenset({"x", "b", "a"})),
        },
    )
    assert [f.status for f in found] == ["undeclared", "held out", "not evaluable"]
    assert [f.evaluable for f in found] == [True, True, False]
    assert found[2].overlap == ("a", "b")
    assert "2 of the 4 recordings" in found[2].reason


def test_a_model_that_does_not_exist_is_named():
    with pytest.raises(UserError, match="modle"):
        check_provenance(["model"], FILES, {"modle": Declaration(frozenset({"x"}))})


def test_a_map_makes_an_overlap_evaluable(tmp_path):
    folds = _map(tmp_path, "filename,fold\na.ogg,0\nb.ogg,1\nc.ogg,0\nd.ogg,1\n")
    assert _status(Declaration(frozenset("abcdx"), folds)).status == "out of fold"
    assert _status(Declaration(None, folds)).status == "out of fold"


def test_a_map_without_a_recording_that_was_trained_on(tmp_path):
    folds = _map(tmp_path, "filename,fold\na,0\nb,1\n")
    found = _status(Declaration(frozenset("abc"), folds))
    assert found.status == "not evaluable"
    assert "1 recordings that it was trained on are not in the out-of-fold map: c" in found.reason
    # Without a list, nothing says that c and d were left out of the training.
    assert "2 recordings" in _status(Declaration(None, folds)).reason
    assert _status(Declaration(frozenset("ab"), folds)).status == "out of fold"


def test_a_map_in_which_a_fold_scores_what_it_saw(tmp_path):
    folds = _map(tmp_path, "filename,fold,excluded\na,0,0\nb,1,0\nc,0,0;1\nd,1,1\n")
    found = _status(Declaration(frozenset("abcd"), folds))
    assert found.status == "not evaluable"
    assert "1 recordings were scored by a fold model that was trained on them: b" in found.reason


def test_a_map_that_leaves_out_everything_contradicts_the_list(tmp_path):
    folds = _map(tmp_path, "filename,fold,excluded\na,0,0;1\nb,1,0;1\nc,0,0;1\nd,1,1;0\n")
    found = _status(Declaration(frozenset("abcd"), folds))
    assert found.status == "not evaluable"
    assert "left out by every fold" in found.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("filename\na\n", "missing or doubled: fold"),
        ("filename,fold\na,0\na.wav,1\n", "two folds: a"),
        ("filename,fold\na,0\nb,0\n", "all recordings are in one fold"),
        ("filename,fold\na,0\nb,\n", "row 2"),
        ("filename,fold,excluded\na,0,0\nb,1,7\n", "fold 7, which scored no recording"),
        ("filename,fold\n", "it has no row"),
    ],
)
def test_maps_that_cannot_be(tmp_path, text, said):
    with pytest.raises(FormatError, match=said):
        _map(tmp_path, text)


def test_lists_of_recordings(tmp_path):
    text = tmp_path / "list.txt"
    text.write_text("# focal clips\nsite/a.ogg\n\nb.wav  # again\nc\n")
    table = tmp_path / "list.csv"
    table.write_text("recording,fold\na.ogg,1\nb.flac,2\n0012,2\n")
    assert read_trained_on(text) == {"a", "b", "c"}
    assert read_trained_on(table) == {"a", "b", "0012"}
    (tmp_path / "odd.csv").write_text("name\na\n")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    for name, said in (
        ("odd.csv", "no column"),
        ("empty.txt", "names no recording"),
        ("gone.txt", "no such file"),
    ):
        with pytest.raises(FormatError, match=said):
            read_trained_on(tmp_path / name)
