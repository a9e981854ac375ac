from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.labels.annotation import make_annotations
from antiphon.labels.targets import window_targets
from antiphon.training.data.reading import said_by
from antiphon.training.data.table import Statements
from antiphon.training.data.targets import crop_targets, presence_shares
from tests.training.data.making import config, folder_of_tones, table_of

NAMES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A table of one recording whose source says nothing by silence."""
    folder = folder_of_tones(
        tmp_path_factory.mktemp("targets"), [f"{n}/{n}" for n in NAMES], seconds=0.1
    )
    source = {"kind": "folder", "path": folder, "label_folders": True, "exhaustive": "stated"}
    return table_of(config(source))


def with_annotations(table, annotations):
    rows = annotations.append_column("recording_id", [[0] * annotations.num_rows])
    said, _ = said_by(rows, NAMES, np.zeros(1, np.int64))
    statements = Statements.sort(
        3, said.recording, said.label, said.start_s, said.end_s, said.value
    )
    return replace(table, statements=statements), rows


times = st.one_of(st.none(), st.integers(0, 40).map(lambda n: n / 4))
row = st.tuples(
    times,
    st.integers(0, 16).map(lambda n: n / 4),
    st.sampled_from([*NAMES, None]),
    st.sampled_from(["present", "absent", "unsure"]),
).map(lambda r: (*r[:3], "absent") if r[2] is None else r)


@settings(max_examples=120, deadline=None)
@given(
    rows=st.lists(row, max_size=8),
    start=st.integers(0, 32),
    length=st.integers(1, 20),
    share=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_crops_follow_the_rule_of_windows(bare, rows, start, length, share):
    begin, long, label, presence = zip(*rows, strict=True) if rows else ((),) * 4
    end = [None if b is None else b + d for b, d in zip(begin, long, strict=True)]
    table, annotations = with_annotations(
        bare,
        make_annotations(
            {
                "recording": ["r"] * len(rows),
                "start_s": list(begin),
                "end_s": end,
                "label": list(label),
                "presence": list(presence),
            }
        ),
    )
    low, high = start / 4, (start + length) / 4
    labels, known = crop_targets(table, 0, low, high, share)
    (expected,) = window_targets([0], [low], [high], [-1], annotations, NAMES, share)
    np.testing.assert_array_equal(np.where(known == 1, labels, np.nan), expected)
    assert (labels[known == 0] == 0).all()


@pytest.mark.parametrize(
    ("exhaustive", "known"),
    [("all", [1, 1, 1, 1]), ("own", [1, 1, 0, 0]), ("stated", [1, 0, 0, 0])],
)
def test_what_silence_of_a_source_means(tmp_path, exhaustive, known):
    folder_of_tones(tmp_path / "one", ["a/a", "b/b"], seconds=0.1)
    folder_of_tones(tmp_path / "two", ["c/c", "d/d"], seconds=0.1)
    table = table_of(
        config(
            {
                "kind": "folder",
                "path": tmp_path / "one",
                "label_folders": True,
                "exhaustive": exhaustive,
            },
            {"kind": "folder", "path": tmp_path / "two", "label_folders": True},
        )
    )
    assert table.classes.names == ("a", "b", "c", "d")
    labels, said = crop_targets(table, 0, 0.0, 0.1, 0.5)
    assert labels.tolist() == [1, 0, 0, 0]
    assert said.tolist() == known


def test_unlabelled_recordings_of_an_exhaustive_source_are_unknown(tmp_path):
    folder_of_tones(tmp_path, ["x", "y"], seconds=0.1)
    (tmp_path / "labels.csv").write_text("recording,label\nx.wav,a\n", encoding="utf-8")
    source = {"kind": "folder", "path": tmp_path, "labels": "labels.csv", "exhaustive": "all"}
    table = table_of(config(source))
    assert crop_targets(table, 0, 0.0, 0.1, 0.5)[1].tolist() == [1]
    assert crop_targets(table, 1, 0.0, 0.1, 0.5)[1].tolist() == [0]


def test_nothing_says_absent_of_all(tmp_path):
    folder_of_tones(tmp_path, ["x", "y"], seconds=0.1)
    rows = "recording,label,presence\nx.wav,a,present\ny.wav,,absent\n"
    (tmp_path / "labels.csv").write_text(rows, encoding="utf-8")
    source = {"kind": "folder", "path": tmp_path, "labels": "labels.csv", "exhaustive": "stated"}
    labels, known = crop_targets(table_of(config(source)), 1, 0.0, 0.1, 0.5)
    assert labels.tolist() == [0]
    assert known.tolist() == [1]


def test_shares_are_of_the_clips_that_a_class_is_known_of(tmp_path):
    sources = []
    for number, name in enumerate("ab"):
        folder = folder_of_tones(tmp_path / name, [f"{i}" for i in range(4)], seconds=0.1)
        rows = [f"{i}.wav,{name if i < 2 + number else ''}" for i in range(4)]
        (folder / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
        sources.append({"kind": "folder", "path": folder, "labels": "labels.csv"})
    table = table_of(config(*sources))
    assert table.classes.names == ("a", "b")
    # Each source knows of its own class alone: 2 of 4, and 3 of 4 clips.
    np.testing.assert_allclose(presence_shares(table, 0.5), [0.5, 0.75])
    np.testing.assert_allclose(presence_shares(table, 0.5, most=4), [0.5, 1.0])
