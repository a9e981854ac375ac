"""Classes of members brought to those of the output."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import FormatError, UserError
from antiphon.soundscape.ensemble.classes import align_classes, read_class_map, read_classes


def test_classes_go_by_name():
    found = align_classes("m", ["c", "x", "a"], ["a", "b", "c"])
    assert found.known.tolist() == [True, False, True]
    assert (found.unknown, found.unused) == (("b",), ("x",))
    scores = found.apply([[0.1, 0.2, 0.3]])
    assert np.array_equal(scores, [[0.3, np.nan, 0.1]], equal_nan=True)
    half = found.apply(np.zeros((1, 3), np.float16))
    assert (scores.dtype, half.dtype) == (np.float64, np.float32)


def test_a_map_renames_joins_and_leaves_out():
    mapping = {"Turdus merula": "eurbla", "merula song": "eurbla", "noise": "", "b": "c"}
    found = align_classes(
        "m", ["Turdus merula", "noise", "merula song", "b", "a"], ["a", "b", "c", "eurbla"], mapping
    )
    # b goes to c, and so no longer to b.
    assert found.unknown == ("b",)
    assert found.unused == ("noise",)
    scores = found.apply([[0.2, 0.9, 0.6, 0.5, 0.1], [0.7, 0.9, 0.6, 0.5, 0.1]])
    assert scores[:, [0, 2, 3]] == pytest.approx(np.array([[0.1, 0.5, 0.6], [0.1, 0.5, 0.7]]))


@pytest.mark.parametrize(
    ("own", "mapping", "words"),
    [
        (["d", "e"], None, r"None of the 2 classes of member 'm' \(d, e\).*class_map"),
        (["a", "a"], None, "classes twice: a"),
        (["song"], {"sing": "a"}, r"member 'm' does not have: sing.*Did you mean 'song'"),
        (["song"], {"song": "owls"}, r"the ensemble does not have: owls.*Did you mean 'owl'"),
    ],
)
def test_faults_name_the_member(own, mapping, words):
    with pytest.raises(UserError, match=words):
        align_classes("m", own, ["a", "b", "owl"], mapping)


def test_scores_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"\(windows, 1\)"):
        align_classes("m", ["a"], ["a", "b"]).apply(np.zeros((3, 2)))


def test_class_maps(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("member_class,class\nTurdus merula,eurbla\nnoise,\n")
    assert read_class_map(path) == {"Turdus merula": "eurbla", "noise": ""}
    path.write_text("member_class,class\nx,a\nx,b\n")
    with pytest.raises(FormatError, match="class x goes to two: a and b"):
        read_class_map(path)
    path.write_text("from,to\nx,a\n")
    with pytest.raises(FormatError, match="member_class, class"):
        read_class_map(path)


def test_the_order_of_a_sample_submission(tmp_path):
    # As in a challenge with species that have no code: 47 numbers and 187 codes.
    wanted = [str(1491113 + k) for k in range(47)] + [f"code{k}" for k in range(187)]
    np.random.default_rng(0).shuffle(wanted)
    path = tmp_path / "sample.csv"
    path.write_text(f"row_id,{','.join(wanted)}\nf_5,{','.join(['0.004'] * 234)}\n")
    assert read_classes(path) == tuple(wanted)


def test_tables_and_texts_of_classes(tmp_path):
    table, text = tmp_path / "t.csv", tmp_path / "t.txt"
    table.write_text("primary_label,class_name\nb,Aves\n00123,Insecta\nb,Aves\n")
    assert read_classes(table) == ("b", "00123")
    text.write_text("b  # a bird\n\n00123\n")
    assert read_classes(text) == ("b", "00123")
    text.write_text("b\nb\n")
    with pytest.raises(FormatError, match="1 class doubled: b"):
        read_classes(text)
    table.write_text("label\nb\n")
    with pytest.raises(FormatError, match="row_id or primary_label"):
        read_classes(table)
    with pytest.raises(FormatError, match="no such file"):
        read_classes(tmp_path / "none.txt")
