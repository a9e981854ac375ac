"""The file of pseudo-labels: what goes in comes out, and what is damaged is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FormatError
from antiphon.training.pseudo.store import (
    SCHEMA,
    Provenance,
    PseudoLabels,
    TeacherFacts,
    read_labels,
    write_labels,
)
from antiphon.training.pseudo.transform import Targets


def provenance(frame_s: float = 0.5) -> Provenance:
    return Provenance(
        classes=("frog", "wren"),
        teachers=(TeacherFacts("fold0", "ab12", "fold0.yaml"),),
        round=2,
        gamma=1.54,
        floor=0.1,
        frame_floor=0.02,
        class_windows=None,
        window_s=1.0,
        frame_s=frame_s,
        weight=0.25,
        mass={"share": 0.9},
        counts={"windows": 4},
        audio="unlabelled",
        made={"antiphon": "0", "at": "2026-01-01T00:00:00+00:00"},
    )


def labels(frames: bool = True) -> PseudoLabels:
    """Two recordings; the second window of the first has both species, the third is background."""
    return PseudoLabels(
        provenance(0.5 if frames else 0.0),
        ("a.wav", "a.wav", "a.wav", "b.wav"),
        ("S1", "S1", "S1", None),
        ("fold0", "fold0", "fold0", "fold0"),
        np.array([0.0, 1.0, 2.0, 0.0]),
        np.array([1.0, 2.0, 2.4, 1.0]),
        np.array([2.4, 2.4, 2.4, 1.0]),
        Targets(
            np.array([0, 1, 1, 3]),
            np.array([1, 0, 1, 0], np.int32),
            np.array([0.5, 0.75, 1.0, 0.25], np.float32),
            np.array([[0.5, 0], [0.75, 0.7], [0, 1], [0.1, 0.25]], np.float32) if frames else None,
        ),
        np.array([[0, 0], [2, 1]]),
    )


@pytest.mark.parametrize("frames", [True, False])
def test_what_is_written_is_read(tmp_path: Path, frames: bool) -> None:
    given = labels(frames)
    write_labels(given, tmp_path / "x.parquet")
    found = read_labels(tmp_path / "x.parquet")
    for name in ("provenance", "recording", "site", "teachers"):
        assert getattr(found, name) == getattr(given, name)
    for name in ("start_s", "end_s", "duration_s", "unknown"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    for name in ("window", "label", "target"):
        np.testing.assert_array_equal(getattr(found.targets, name), getattr(given.targets, name))
    if frames:
        np.testing.assert_array_equal(found.targets.frames, given.targets.frames)
    else:
        assert found.targets.frames is None


def test_other_tools_read_it(tmp_path: Path) -> None:
    write_labels(labels(), tmp_path / "x.parquet")
    rows = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert rows[1]["classes"] == [0, 1]
    assert rows[1]["targets"] == [0.75, 1.0]
    assert rows[1]["frames"] == pytest.approx([0.75, 0.7, 0.0, 1.0])
    # The last window of a.wav lasts 0.4 s, which is one frame; it has no entry.
    assert rows[2]["frames"] == []
    assert rows[2]["unknown"] == [1]


def changed(path: Path, **columns: pa.Array) -> Path:
    """Write the labels with some columns replaced."""
    write_labels(labels(), path)
    table = pq.read_table(path)
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), values)
    pq.write_table(table, path)
    return path


def lists(name: str, *values: list[float]) -> pa.Array:
    return pa.array(values, SCHEMA.field(name).type)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"targets": lists("targets", [0.5], [0.75, 1.5], [], [0.2])}, "at most 1"),
        ({"targets": lists("targets", [0.5], [0.75], [], [0.2])}, "differ in number"),
        ({"classes": lists("classes", [1], [0, 2], [], [0])}, "none of the 2"),
        ({"unknown": lists("unknown", [], [], [-1], [])}, "none of the 2"),
        ({"frames": lists("frames", [0.5, 0], [1, 1, 1], [], [0, 0])}, "do not fit the windows"),
        ({"frames": lists("frames", [2, 0], [1, 1, 1, 1], [], [0, 0])}, "not in"),
        ({"start_s": pa.array([0.0, 0.5, 2.0, 0.0])}, "overlap"),
        ({"end_s": pa.array([1.0, 2.0, 9.0, 1.0])}, "does not lie in its recording"),
        ({"recording": pa.array(["a.wav", "a.wav", "b.wav", "a.wav"])}, "do not stand together"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused(
    tmp_path: Path, columns: dict[str, pa.Array], problem: str
) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        read_labels(changed(tmp_path / "x.parquet", **columns))
    assert "antiphon pseudo-label" in str(caught.value)


def test_a_foreign_table_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"recording": ["a.wav"], "label": ["wren"]}), path)
    with pytest.raises(FormatError, match="not one of pseudo-labels"):
        read_labels(path)
    path.write_text("recording,label\na.wav,wren\n")
    with pytest.raises(FormatError, match="cannot be read as Parquet"):
        read_labels(path)
    with pytest.raises(FormatError, match="no such file"):
        read_labels(tmp_path / "none.parquet")


def test_flipped_bytes_and_a_missing_end_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_labels(labels(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="damaged"):
        read_labels(path)
    start = pq.ParquetFile(pa.BufferReader(whole)).metadata.row_group(0).column(2)
    at = start.data_page_offset + start.total_compressed_size - 3
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    with pytest.raises(FormatError, match="damaged"):
        read_labels(path)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [(b"{", "metadata are damaged"), (b'{"version": 1}', "metadata are damaged")],
)
def test_damaged_metadata_are_told(tmp_path: Path, facts: bytes, problem: str) -> None:
    path = tmp_path / "x.parquet"
    write_labels(labels(), path)
    table = pq.read_table(path).replace_schema_metadata({b"antiphon.pseudo_labels": facts})
    pq.write_table(table, path)
    with pytest.raises(FormatError, match=problem):
        read_labels(path)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_labels(labels(), path)
    table = pq.read_table(path)
    facts = json.loads(table.schema.metadata[b"antiphon.pseudo_labels"]) | {"version": 9}
    table = table.replace_schema_metadata({b"antiphon.pseudo_labels": json.dumps(facts).encode()})
    pq.write_table(table, path)
    with pytest.raises(FormatError, match="of version 9"):
        read_labels(path)


def test_a_file_that_is_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_labels(labels(), path)
    before = path.read_bytes()
    broken = replace(labels(), start_s=np.zeros(2))
    with pytest.raises((ValueError, pa.ArrowInvalid)):
        write_labels(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
