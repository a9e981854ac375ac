"""The demo set of the challenge's framework, run by the benchmark."""

from __future__ import annotations

import pytest

from antiphon.active.benchmark.asking import Asked, groups_of
from antiphon.active.benchmark.compute import compute_figures
from antiphon.active.benchmark.folder import BenchmarkFolder
from antiphon.active.benchmark.runner import run_benchmark
from tests.real import real_data


@pytest.mark.slow
@pytest.mark.real
def test_the_demo_set_comes_out_as_measured_with_its_framework(tmp_path):
    folder = BenchmarkFolder(tmp_path / "run")
    asked = Asked(data=(real_data("baseal_esc10"),), strategies=("random",), repeats=3, budget=500)
    report = run_benchmark(groups_of(asked), folder, jobs=2)
    assert (report.done, report.failed) == (3, [])
    figures = compute_figures(folder.results()[0])
    area = {s.strategy: figures.standings[s.key].overall["aulc"].value for s in figures.systems}
    # Five runs of the framework itself: 0.861 (SD 0.012).
    assert area["random"] == pytest.approx(0.861, abs=0.025)
