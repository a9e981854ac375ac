"""The Python class, as the README and the examples use it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import Project
from tests.conftest import ENCODER

ROOT = Path(__file__).resolve().parents[1]


def test_the_readmes_lines_run(survey, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    code = code.replace("/data/owl-survey", str(survey.audio)).replace("tables/", str(survey.truth))
    # The tables of the synthesised survey have their label in the column Species; Raven's own
    # have it where it is looked for first.
    code = code.replace("complete=True", "complete=True, label_column='Species'")
    small = ", ".join(f"{key}={value!r}" for key, value in ENCODER.items())
    assert '"spectral"' in code
    code = code.replace('"spectral"', f'"spectral", {small}')
    monkeypatch.chdir(tmp_path)
    printed = []
    exec(compile(code, "README.md", "exec"), {"print": printed.append})
    assert printed == [(tmp_path / "owls" / "reports" / "report.html").resolve()]
    assert printed[0].is_file()
    project = Project("owls")
    assert project.status().detectors
    assert project.export(tmp_path / "out.csv")[1] > 0


def test_paths_may_be_text_and_the_project_is_found_again(survey, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made, report = Project.create("p", audio=[str(survey.audio)], metadata=[str(survey.metadata)])
    assert len(report.sync.added) == 16
    assert made.path == (tmp_path / "p").resolve()
    assert Project(tmp_path / "p").status().recordings == {"ok": 16}


def test_everything_random_hangs_on_the_seed(labelled):
    first = labelled.train(seed=5, name="a")
    second = labelled.train(seed=5, name="b")
    rows = labelled.table().all_vectors()
    assert first.detector.thresholds == second.detector.thresholds
    assert (first.detector.probabilities(rows) == second.detector.probabilities(rows)).all()


def test_import_of_the_package_is_light():
    code = "import sys, antiphon; print(*(n for n in ('numpy', 'lance') if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.slow
def test_the_first_example_runs(tmp_path):
    example = ROOT / "examples" / "first_detector.py"
    done = subprocess.run(
        [sys.executable, str(example), str(tmp_path)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.split("Report: ")[1].strip()).is_file()
