from __future__ import annotations

import csv
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.stats

from antiphon.active.baseal.leaderboard import write_leaderboard
from antiphon.active.baseal.results import read_submission
from antiphon.active.baseal.standings import (
    Estimate,
    area_at,
    compile_standings,
    mean_of,
    page_area,
    set_of,
)
from antiphon.errors import FileError, FormatError, UserError
from tests.active.baseal.yaml_files import results_fields, write_results


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("BirdSet_BASEAL/HSN_BASEAL", ("HSN", "HSN")),
        ("hsn", ("HSN", "HSN")),
        ("ATBFL_BASEAL", ("ATBFL", "ATBFL")),
        ("ATBFL_BASEAL\\Casey2014", ("casey2014", "ATBFL")),
        ("rosssea2014", ("rosssea2014", "ATBFL")),
        ("ESC10_BASEAL", ("ESC10", "ESC10")),
    ],
)
def test_sets_and_domains(dataset: str, expected: tuple[str, str]) -> None:
    assert set_of(dataset) == expected


def test_area_of_a_curve_cut_at_the_budget(tmp_path: Path) -> None:
    path = write_results(tmp_path / "a.yaml", curve=[(100, 0.4, 0.01), (200, 0.6, 0.02)])
    file = read_submission(path)
    # By hand: a triangle to (100, 0.4), then trapezoids to (150, 0.5) and (200, 0.6).
    assert area_at(file, 200)[0] == pytest.approx((20 + 50) / 200)
    assert area_at(file, 150)[0] == pytest.approx((20 + 22.5) / 150)
    assert area_at(file, 100)[0] == pytest.approx(0.2)
    n = np.arange(1, 151)
    curve = np.where(n <= 100, 0.4 * n / 100, 0.4 + 0.2 * (n - 100) / 100)
    assert page_area(file, 150) == pytest.approx(curve.mean())


def test_the_interval_is_students(tmp_path: Path) -> None:
    """Five runs with known areas: the textbook interval from the files' mean and SD."""
    runs = np.array([0.41, 0.43, 0.40, 0.46, 0.42])
    mean, half = runs.mean(), scipy.stats.t.ppf(0.975, 4) * runs.std(ddof=1) / math.sqrt(5)
    fields = results_fields(curve=[(100, 2 * float(mean), 0.0)])
    fields["learning_curve"][0]["aulc_mAP_sd"] = float(runs.std())
    file = read_submission(write_results(tmp_path / "a.yaml", fields=fields))
    (entry,) = compile_standings([file], None).entries
    assert entry.overall.mean == pytest.approx(mean, abs=1e-6)
    assert entry.overall.half_width == pytest.approx(half, abs=1e-5)


def test_a_mean_of_sets_follows_welch_and_satterthwaite() -> None:
    """Against SciPy: for two samples the variance and the degrees of freedom are Welch's."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), rng.normal(2, 3, size=7)
    parts = [Estimate(x.mean(), x.var(ddof=1) / len(x), len(x) - 1) for x in (a, b)]
    both = mean_of(parts)
    test = scipy.stats.ttest_ind(a, -b, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert both.freedom == pytest.approx(test.df)
    assert both.mean == pytest.approx((low + high) / 4)
    assert both.half_width == pytest.approx((high - low) / 4)


def test_unknown_deviations_give_no_interval() -> None:
    assert math.isnan(Estimate(0.4).half_width)
    assert math.isnan(mean_of([Estimate(0.4), Estimate(0.5, 0.01, 4)]).half_width)
    assert mean_of([Estimate(0.4, 0.0, 4), Estimate(0.6, 0.0, 4)]).half_width == 0.0


def test_site_years_are_averaged_before_the_domains(tmp_path: Path) -> None:
    scores = {"HSN_BASEAL": 0.8, "casey2014": 0.2, "rosssea2014": 0.4}
    files = [
        write_results(tmp_path / f"{name}.yaml", dataset=name, curve=[(100, value, 0.0)])
        for name, value in scores.items()
    ]
    (entry,) = compile_standings([read_submission(f) for f in files]).entries
    assert entry.domains["ATBFL"].mean == pytest.approx(0.15)
    assert entry.overall.mean == pytest.approx((0.4 + 0.15) / 2)
    whole = write_results(tmp_path / "w.yaml", dataset="ATBFL_BASEAL", curve=[(100, 1.0, 0.0)])
    standings = compile_standings([read_submission(f) for f in [*files, whole]])
    assert standings.entries[0].domains["ATBFL"].mean == pytest.approx(0.5)
    assert any("ATBFL as a whole counts, not its 2 parts" in note for note in standings.notes)


def test_ranking_ties_and_gaps(tmp_path: Path) -> None:
    def add(name: str, dataset: str, value: float, time: str = "2026-03-01T00:00:00") -> Path:
        return write_results(
            tmp_path / f"{name}_{dataset}_{time[:10]}.yaml",
            strategy=name,
            dataset=dataset,
            timestamp=time,
            curve=[(100, value, 0.01)],
        )

    files = [
        add("good", "HSN", 0.6),
        add("good", "POW", 0.6),
        add("bad", "HSN", 0.1),
        add("bad", "POW", 0.1),
        add("partial", "HSN", 0.9),
        add("bad", "POW", 0.3, "2026-04-01T00:00:00"),
    ]
    standings = compile_standings([read_submission(f) for f in files], 500)
    assert [e.method for e in standings.entries] == ["good", "bad", "partial"]
    assert standings.entries[1].domains["POW"].mean == pytest.approx(0.15)
    told = " ".join(standings.notes)
    assert "partial lacks POW and is ranked after the rest" in told
    assert "are both bad on POW; the later one counts" in told
    assert "the curve ends at 100 labels, before 500" in told
    with pytest.raises(UserError, match="no results"):
        compile_standings([])


def test_the_page_and_the_tables(tmp_path: Path) -> None:
    for name, value in (("one & two", 0.5), ("<b>other</b>", 0.4)):
        for dataset in ("HSN_BASEAL", "casey2014", "kerguelen2005"):
            write_results(
                tmp_path / "in" / dataset / f"{abs(hash(name))}.yaml",
                strategy=name,
                dataset=dataset,
                curve=[(50, value / 2, 0.02), (100, value, 0.01)],
            )
    page, overall, curves = write_leaderboard([tmp_path / "in"], tmp_path / "out", budget=100)
    text = page.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org", "").replace("http-equiv", "")
    assert "<b>other" not in text
    assert "&lt;b&gt;other" in text
    assert "Welch" in text
    for drawing in text.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
    rows = list(csv.DictReader(overall.open(encoding="utf-8")))
    assert [row["method"] for row in rows] == ["one & two", "<b>other</b>"]
    assert float(rows[0]["aulc"]) == pytest.approx(0.25)
    assert float(rows[0]["aulc_HSN"]) == pytest.approx(0.25)
    assert float(rows[0]["aulc_HSN_half_width"]) > 0
    points = list(csv.DictReader(curves.open(encoding="utf-8")))
    assert len(points) == 2 * 3 * 2
    assert {p["set"] for p in points} == {"HSN", "casey2014", "kerguelen2005"}


def test_sources_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no \\.yaml files"):
        write_leaderboard([tmp_path / "empty"], tmp_path / "out")
    (tmp_path / "broken.yaml").write_text("a: [1")
    with pytest.raises(FormatError, match=r"broken\.yaml: it is not valid YAML"):
        write_leaderboard([tmp_path / "broken.yaml"], tmp_path / "out")
