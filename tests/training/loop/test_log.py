"""The log as a table that can be gone on with."""

from __future__ import annotations

import csv
import math

import pytest

pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.loop.log import CsvLog, read_log
from antiphon.training.loop.recorder import duration_text, told_values


def test_rows_come_back_as_they_were(tmp_path):
    path = tmp_path / "log.csv"
    log = CsvLog(path, after=0)
    rows = [{"step": 5.0, "loss": 0.1 + 0.2}, {"step": 10.0, "loss": 1e-12}]
    for row in rows:
        log.add(row)
    # Without closing: a killed process loses nothing.
    assert read_log(path) == rows
    with path.open() as file:
        assert next(csv.DictReader(file)) == {"step": "5", "loss": repr(0.1 + 0.2)}
    log.close()


def test_rows_after_the_checkpoint_go_and_a_line_cut_short_too(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n5,0.5\n10,0.4\n15,0.3\n20,0.")
    log = CsvLog(path, after=10)
    assert path.read_text() == "step,loss\n5,0.5\n10,0.4\n"
    log.add({"step": 15, "loss": 0.25})
    log.close()
    assert [row["loss"] for row in read_log(path)] == [0.5, 0.4, 0.25]


def test_a_measure_that_comes_later_gets_a_column(tmp_path):
    log = CsvLog(tmp_path / "log.csv", after=0)
    log.add({"step": 1, "loss": 2.0})
    log.add({"step": 2, "loss": 1.0, "accuracy": 0.5})
    log.add({"step": 3, "loss": math.nan})
    log.close()
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines == ["step,loss,accuracy", "1,2,", "2,1,0.5", "3,nan,"]


def test_a_log_of_nothing_is_no_file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n5,0.5\n")
    CsvLog(path, after=0).close()
    assert not path.exists()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (3725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (75, "1 min 15 s"),
    ],
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_what_is_told_of_a_validation():
    values = {"loss": 0.51234, "spread": 2.0, "r_auc": 0.9}
    assert told_values(values) == "loss 0.512, R-AUC 0.900"
