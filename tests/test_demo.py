"""The demo, whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.demo import run_demo
from antiphon.errors import UserError


@pytest.mark.slow
def test_the_demo_runs_and_active_labels_are_worth_more(tmp_path):
    place = tmp_path / "the demo"
    command = [sys.executable, "-m", "antiphon", "demo", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = Path(done.stdout.split("Report: ")[1].splitlines()[0])
    text = report.read_text(encoding="utf-8")
    assert "Active less random labels" in text
    assert "nan" not in done.stdout.lower().split()
    rows = [line.split("\t") for line in done.stdout.splitlines() if line[:1].isdigit()]
    table = [row for row in rows if len(row) == 3]
    assert len(table) >= 2
    active, random = (float(cell.split()[0]) for cell in table[-1][1:])
    assert active > random
    assert active > 0.4
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="holds other files"):
            run_demo(tmp_path, overwrite=overwrite)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
