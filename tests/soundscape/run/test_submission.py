"""Writing a submission, and holding one against its sample."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import FileError, FormatError
from antiphon.soundscape.run.submission import (
    check_submission,
    read_sample,
    sweep,
    write_submission,
)


@pytest.fixture
def sample(tmp_path):
    """A sample as BirdCLEF+ has it: 47 numeric ids and 187 codes, in no order of the alphabet."""
    rng = random.Random(0)
    ids = ["00123", *rng.sample([str(i) for i in range(20_000, 1_200_000, 977)], 46)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    codes = set()
    while len(codes) < 187:
        codes.add("".join(rng.choices(letters, k=6)) + rng.choice("123"))
    classes = [*ids, *sorted(codes)]
    rng.shuffle(classes)
    rows = [f"BC2026_Test_{f:04d}_S05_20250227_010002_{e}" for f in (2, 1) for e in range(5, 65, 5)]
    path = tmp_path / "sample_submission.csv"
    _write(path, ["row_id", *classes], [[r, *[1 / 234] * 234] for r in rows])
    return path, rows, classes


def _write(path: Path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_classes_and_rows_keep_the_samples_order_and_are_text(sample, tmp_path):
    path, rows, classes = sample
    found = read_sample(path)
    assert found.classes == tuple(classes)
    assert sum(c.isdigit() for c in found.classes) == 47
    assert "00123" in found.classes
    score = np.random.default_rng(0).random((24, 234))
    out = tmp_path / "submission.csv"
    write_submission(out, found.rows, found.classes, score)
    with out.open() as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["row_id", *classes]
    assert [line[0] for line in lines[1:]] == rows
    assert np.array([line[1:] for line in lines[1:]], float) == pytest.approx(score, abs=0)
    checked = check_submission(out, path)
    assert checked.good
    assert (checked.rows, checked.classes, checked.notes) == (24, 234, ())


def _small(tmp_path):
    return _write(
        tmp_path / "s.csv",
        ["row_id", "9", "b", "c"],
        [["x_5", 0, 0, 0], ["x_10", 0, 0, 0], ["y_5", 0, 0, 0]],
    )


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (
            ["row_id", "9", "b"],
            [["x_5", 0, 0], ["x_10", 0, 1], ["y_5", 0, 0]],
            "1 class missing: c",
        ),
        (
            ["row_id", "9", "b", "c", "d"],
            [["x_5", 0, 0, 0, 0], ["x_10", 0, 0, 1, 1], ["y_5", 0, 0, 0, 0]],
            "1 class not in the sample: d",
        ),
        (
            ["row_id", "9", "9", "b", "c"],
            [["x_5", 0, 0, 0, 0], ["x_10", 0, 0, 1, 1], ["y_5", 0, 0, 0, 0]],
            "1 class doubled: 9",
        ),
        (
            ["row_id", "b", "9", "c"],
            [["x_5", 0, 0, 0], ["x_10", 0, 0, 1], ["y_5", 0, 0, 0]],
            "column 2 is b, the sample has 9",
        ),
        (["row_id", "9", "b", "c"], [["x_5", 0, 0, 0], ["y_5", 0, 0, 0]], "1 row missing: x_10"),
        (
            ["row_id", "9", "b", "c"],
            [["x_5", 0, 0, 0], ["x_10", 0, 0, 0], ["y_5", 0, 0, 0], ["z_5", 0, 0, 0]],
            "1 row not in the sample: z_5",
        ),
        (
            ["row_id", "9", "b", "c"],
            [["x_5", 0, 0, 0], ["x_10", 0, 0, 0], ["y_5", 0, 0, 0], ["y_5", 0, 0, 0]],
            "1 row doubled: y_5",
        ),
        (
            ["row_id", "9", "b", "c"],
            [["x_5", 0, "nan", 0], ["x_10", "", 0, 0], ["y_5", 0, 0, "much"]],
            "3 scores not a finite number: row x_10, class 9 (nothing), row x_5, class b (nan)",
        ),
        (
            ["row_id", "9", "b", "c"],
            [["x_5", 0, "inf", 0], ["x_10", 0, 0, 0], ["y_5", 0, 0, 0]],
            "1 score not a finite number: row x_5, class b (inf)",
        ),
        (
            ["row_id", "9", "b", "c"],
            [["x_5", 0, 1.5, 0], ["x_10", 0, -0.25, 0], ["y_5", 0, 0, 0]],
            "2 scores outside 0 to 1: row x_5, class b (1.5), row x_10, class b (-0.25)",
        ),
    ],
)
def test_what_makes_a_submission_invalid_is_named(tmp_path, header, rows, said):
    checked = check_submission(_write(tmp_path / "out.csv", header, rows), _small(tmp_path))
    assert not checked.good
    assert any(said in fault for fault in checked.faults), checked.faults


def test_what_is_allowed_but_odd_is_a_note(tmp_path):
    out = _write(
        tmp_path / "out.csv",
        ["row_id", "9", "b", "c"],
        [["x_10", 0.1, 0.5, 0.1], ["x_5", 0.2, 0.5, 0.3], ["y_5", 0.3, 0.5, 0.2]],
    )
    checked = check_submission(out, _small(tmp_path))
    assert checked.good
    assert checked.notes == (
        "The rows are in another order than in the sample.",
        "1 class with one score in all rows: b.",
    )


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (["id", "b"], [["x_5", 0]], "no column row_id"),
        (["row_id"], [["x_5"]], "no class"),
        (["row_id", "b", "b"], [["x_5", 0, 0]], "1 column doubled: b"),
        (["row_id", "b"], [["x_5", 0], ["x_5", 0]], "1 row doubled: x_5"),
        (["row_id", "b"], [["x", 0]], "1 row not named"),
    ],
)
def test_samples_that_are_none(tmp_path, header, rows, said):
    with pytest.raises(FormatError, match=said):
        read_sample(_write(tmp_path / "s.csv", header, rows))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_on_a_full_disk_the_last_whole_file_stays(tmp_path, monkeypatch):
    out = tmp_path / "submission.csv"
    write_submission(out, ["x_5"], ["a"], [[0.25]])
    before = out.read_bytes()
    monkeypatch.setattr("antiphon.replacing.secrets.token_hex", lambda _: "0")
    (tmp_path / "..submission.csv.new.csv.0.part").symlink_to("/dev/full")
    with pytest.raises(FileError, match="No space left on device"):
        write_submission(out, ["x_5"], ["a"], [[0.75]])
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    kept = [tmp_path / name for name in ("submission.csv", "other.csv", ".hidden")]
    left = [
        tmp_path / name for name in (".submission.csv.new.csv", "..submission.csv.new.csv.1.part")
    ]
    for path in (*kept, *left):
        path.touch()
    sweep(tmp_path / "submission.csv")
    assert sorted(tmp_path.iterdir()) == sorted(kept)
