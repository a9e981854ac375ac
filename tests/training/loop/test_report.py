"""The page of a run."""

from __future__ import annotations

import math
import xml.etree.ElementTree

import pytest

pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import CsvLog
from antiphon.training.loop.report import loss_chart, write_report
from tests.training.loop import tiny


def test_measures_that_are_no_number_leave_a_gap(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim(tiny.config(tmp_path))
    log, judged = CsvLog(folder.log, after=0), CsvLog(folder.validation_log, after=0)
    for step in (1, 2, 3):
        log.add({"step": step, "loss": 1 / step, "spread": math.nan, "gradient_norm": math.inf})
        judged.add({"step": step, "loss": 1.0, "r_auc": math.nan if step == 2 else 0.8})
    write_report(folder, [("name", "a < b")])
    page = folder.report.read_text()
    assert "Training of a &lt; b" in page
    assert "R-AUC" in page
    assert "Held-out" not in page
    xml.etree.ElementTree.parse(folder.curves)


def test_a_run_without_a_row_has_a_page_too(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim(tiny.config(tmp_path))
    write_report(folder, [])
    assert "Training of run" in folder.report.read_text()


def test_long_curves_are_thinned_by_means():
    rows = [{"step": float(i), "loss": float(i % 2)} for i in range(1, 4001)]
    picture = str(loss_chart(rows, []))
    # Pairs of 0 and 1 have the mean 0.5: a straight line of at most 400 points.
    assert picture.count("L") <= 400
    assert len(picture) < 20_000
