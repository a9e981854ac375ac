from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import FormatError, UserError
from antiphon.labels.annotation import ANNOTATION_SCHEMA
from antiphon.labels.formats.queue import KINDS, QueueRow, write_queue
from antiphon.labels.formats.registry import read_annotations, write_annotations
from tests.labels.formats.examples import labels, table_of

ROWS = [
    QueueRow("s1/a.wav", 0.0, 3.0, None, "", "wren", 0.5, 7),
    QueueRow("b.wav", 2.88, 5.88, 1, "", "robin", 0.491, 12),
    QueueRow("s1/a.wav", 9.0, 12.0, -1, window_id=0),
    QueueRow("b.wav", 6.0, 9.0, 0, score=0.0),
]
ANSWERS = {0.0: "wren; -robin", 2.88: "robin?", 9.0: "nothing", 6.0: ""}
EXPECTED = {
    (0.0, 3.0, "wren", "present"),
    (0.0, 3.0, "robin", "absent"),
    (2.88, 5.88, "robin", "unsure"),
    (9.0, 12.0, None, "absent"),
}


def triples(table: pa.Table) -> set[tuple[Any, ...]]:
    rows = table.to_pylist()
    return {(row["start_s"], row["end_s"], row["label"], row["presence"]) for row in rows}


def test_a_csv_queue_is_filled_in_and_read(tmp_path: Path) -> None:
    (path,) = write_queue(ROWS, tmp_path / "next.csv")
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == [
        *("recording", "start_s", "end_s", "channel", "labels", "suggested", "score", "window_id")
    ]
    for line in lines:
        line["labels"] = ANSWERS[float(line["start_s"])]
    # A spreadsheet program may save it with semicolons, a byte order mark and CRLF.
    for mark in ",;":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, lines[0], delimiter=mark)
            writer.writeheader()
            writer.writerows(lines)
        result = read_annotations(path, annotator="Ann")
        assert triples(result.table) == EXPECTED
        assert (result.skipped, result.reviewed) == (1, ())
        by_start = {row["start_s"]: row for row in result.table.to_pylist()}
        assert by_start[9.0]["note"] == "antiphon window 0"
        assert by_start[9.0]["scope"] is None
        assert [by_start[start]["channel"] for start in (0.0, 2.88, 9.0)] == [None, 1, None]
        assert {row["annotator"] for row in by_start.values()} == {"Ann"}


def test_a_raven_queue_is_filled_in_and_read(tmp_path: Path) -> None:
    files = write_queue(ROWS, tmp_path / "next", "raven")
    assert [file.name for file in files] == ["a.Table.1.selections.txt", "b.Table.1.selections.txt"]
    for file in files:
        header, *lines = [line.split("\t") for line in file.read_text().splitlines()]
        at, answer = header.index("Begin Time (s)"), header.index("Labels")
        assert {"Suggested", "Score", "Antiphon Window"} <= set(header)
        for line in lines:
            line[answer] = ANSWERS[float(line[at])]
        # Raven writes a second row for the waveform.
        doubled = [[*line[:1], view, *line[2:]] for line in lines
                   for view in ("Waveform 1", "Spectrogram 1")]  # fmt: skip
        file.write_text("\r\n".join("\t".join(line) for line in [header, *doubled]) + "\r\n")
    result = read_annotations(tmp_path / "next")
    assert not result.problems
    assert triples(result.table) == EXPECTED
    assert (result.skipped, result.reviewed) == (1, ())
    rows = {row["start_s"]: row for row in result.table.to_pylist()}
    assert rows[0.0]["recording"] == "s1/a.wav"
    assert [rows[start]["channel"] for start in (0.0, 2.88, 9.0)] == [None, 1, None]


def test_an_audacity_queue_is_filled_in_and_read(tmp_path: Path) -> None:
    files = write_queue(ROWS, tmp_path / "next", "audacity")
    assert files[0].read_text().startswith("0.0\t3.0\t[antiphon] wren 0.50\n")
    untouched = read_annotations(tmp_path / "next")
    assert (untouched.table.num_rows, untouched.skipped) == (0, 4)
    for file in files:
        lines = [line.split("\t") for line in file.read_text().splitlines()]
        for line in lines:
            line[2] = ANSWERS[float(line[0])] or line[2]
        file.write_text("".join("\t".join(line) + "\n" for line in lines))
    result = read_annotations(tmp_path / "next")
    assert triples(result.table) == EXPECTED
    assert result.skipped == 1
    assert set(result.table.column("recording").to_pylist()) == {"a", "b"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_impossible_answer_is_named_by_row(kind: str, tmp_path: Path) -> None:
    rows = [QueueRow("a.wav", i, i + 1.0, labels=text) for i, text in enumerate(["A", "B; -B"])]
    (path,) = write_queue(rows, tmp_path / "q", kind)
    number = 2 if kind == "audacity" else 3
    with pytest.raises(FormatError, match=rf"row {number}, column \w+: 'B' is said to be"):
        read_annotations(path)


def test_quotes_in_a_raven_queue_belong_to_the_answer(tmp_path: Path) -> None:
    row = QueueRow("a.wav", 0, 1, labels='"-A"; B; say "hi"; -"C?"')
    write_queue([row], tmp_path / "q", "raven")
    found = read_annotations(tmp_path / "q").table.to_pylist()
    assert [(row["label"], row["presence"]) for row in found] == [
        *(("-A", "present"), ("B", "present"), ('say "hi"', "present"), ("C?", "absent"))
    ]


def test_a_formula_error_of_a_spreadsheet_is_explained(tmp_path: Path) -> None:
    (path,) = write_queue([QueueRow("a.wav", 0, 1, labels="#NAME?")], tmp_path)
    assert path.name == "queue.csv"
    with pytest.raises(FormatError, match="apostrophe"):
        read_annotations(path)


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="csv, raven, audacity"):
        write_queue(ROWS, tmp_path, "xlsx")
    with pytest.raises(UserError, match="folder"):
        write_queue(ROWS, tmp_path / "x.txt", "raven")
    with pytest.raises(UserError, match="spans"):
        write_annotations(table_of({}), tmp_path, "queue")


@st.composite
def answered(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    spans = st.tuples(st.sampled_from(["a.wav", "x/b.wav"]), st.floats(0, 1e6))
    for recording, start in draw(st.lists(spans, unique=True, max_size=4)):
        names: list[Any] = draw(st.lists(labels(), min_size=1, max_size=3, unique=True))
        names = draw(st.sampled_from([names, [None]]))
        span = {"recording": recording, "start_s": start, "end_s": start + 3}
        for name in names:
            said = draw(st.sampled_from(["present", "absent", "unsure"])) if name else "absent"
            rows.append(span | {"label": name, "presence": said})
    return rows


@given(answered(), st.sampled_from(["csv", "raven"]))
@settings(max_examples=60, deadline=None)
def test_round_trip(rows: list[dict[str, Any]], kind: str) -> None:
    blank: dict[str, Any] = dict.fromkeys(ANNOTATION_SCHEMA.names)
    table = pa.Table.from_pylist([blank | row for row in rows], schema=ANNOTATION_SCHEMA)
    with tempfile.TemporaryDirectory() as folder:
        if not write_annotations(table, Path(folder) / "q", "queue", kind=kind):
            return
        found = read_annotations(Path(folder) / "q", "queue").table.to_pylist()
    key = str if kind == "csv" else (lambda row: str(row["recording"]))
    wanted = table.to_pylist()
    assert sorted(found, key=key) == sorted(wanted, key=key)
