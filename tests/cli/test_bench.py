"""The verbs of bench al, as a user calls them."""

from __future__ import annotations

import json
import zipfile

import pytest

from tests.active.benchmark.made import sampling_file, small_set

QUICK = ("--repeats", 2, "--budget", 20, "--batch", 10, "--jobs", 1)


@pytest.fixture(scope="module")
def pond(tmp_path_factory):
    return small_set(tmp_path_factory.mktemp("data") / "Pond_BASEAL")


def test_from_runs_to_report_and_package(antiphon, pond, tmp_path):
    out = tmp_path / "run"
    chosen = ("--strategy", "random", "--strategy", "coreset", "--data", pond)
    ran = antiphon("bench", "al", *chosen, *QUICK, "--out", out)
    assert ran.code == 0, ran.err
    assert "4 runs now, 0 kept" in ran.out
    assert {row[0] for row in ran.rows("system")} == {"random", "coreset"}

    named = ("--package", "--lastname", "Ek", "--institute", "U", "--strategy", "random")
    ran = antiphon("bench", "al", "--out", out, *named)
    assert ran.code == 0, ran.err
    assert "0 runs now, 4 kept" in ran.out
    assert ran.out.count("Package: ") == 1
    with zipfile.ZipFile(out / "submission" / "Ek_U_task4_1.zip") as archive:
        assert "sampling.py" in archive.namelist()
    assert "2 repeats; the task asks for 5" in ran.err

    ran = antiphon("bench", "al", "report", out, "--csv")
    assert ran.code == 0, ran.err
    assert "Learning curves on Pond" in (out / "report.html").read_text()
    assert (out / "runs.csv").read_text().count("\n") == 5

    ran = antiphon("bench", "al", "report", out, "--json", "--against", "coreset")
    values = json.loads(ran.out)
    assert values["reference"] == "coreset"
    assert len(values["results"]) == 2

    ran = antiphon("bench", "al", "leaderboard", out / "submission", "--out", tmp_path / "board")
    assert ran.code == 0, ran.err
    assert (tmp_path / "board" / "leaderboard.html").is_file()


def test_a_strategy_that_fails_gives_exit_code_1(antiphon, pond, tmp_path):
    team = sampling_file(tmp_path / "team")
    out = tmp_path / "run"
    given = ("--sampling", team, "--method", "twice", "--strategy", "random", "--data", pond)
    ran = antiphon("bench", "al", *given, *QUICK, "--out", out)
    assert ran.code == 1
    assert "2 runs now" in ran.out
    assert "twice on Pond, seed 0: Strategy 'twice' returned row" in ran.err
    assert "2 could not be run" in ran.err
    ran = antiphon("bench", "al", "report", out)
    assert ran.code == 0
    assert "What failed (2)" in (out / "report.html").read_text()


def test_simulated_sets_are_written_and_run(antiphon, tmp_path):
    folder = tmp_path / "ross"
    ran = antiphon("bench", "al", "simulate", "--preset", "rosssea2014", "--out", folder)
    assert "10 segments to choose from and 8 that judge" in ran.out
    given = ("--data", folder, "--preset", "rosssea2014:1", "--strategy", "random")
    ran = antiphon("bench", "al", *given, *QUICK, "--out", tmp_path / "run")
    assert ran.code == 0, ran.err
    assert "4 runs now" in ran.out


def test_strategies_are_listed_and_exported(antiphon, tmp_path):
    rows = antiphon("bench", "al", "strategies").rows("strategy")
    assert {"random", "coreset", "antiphon"} <= {row[0] for row in rows}
    named = json.loads(antiphon("bench", "al", "strategies", "--json").out)
    assert all(row["summary"] and row["source"] for row in named)
    ran = antiphon("bench", "al", "export", "coreset", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert (tmp_path / "out" / "sampling.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "random"], "--out RUN"),
        (["--strategy", "random", "--out", "r"], "no data set"),
        (["--preset", "hsn", "--out", "r"], "no strategy"),
        (["--preset", "hsn", "--strategy", "randm", "--out", "r"], "Did you mean 'random'"),
        (["--data", "nowhere", "--strategy", "random", "--out", "r"], "no such folder"),
        (["--preset", "hsn:99", "--strategy", "random", "--out", "r"], "variants 0 to"),
        (["--batch", "5", "--schedule", "5x2", "--out", "r"], "not both"),
        (["--schedule", "many", "--preset", "hsn", "--strategy", "random", "--out", "r"], "many"),
        (["--out", "r", "--package"], "--lastname and --institute"),
        (["--out", "r"], "holds no benchmark"),
        (["--config", "c.yml", "--out", "r"], "c.yml"),
        (["--sampling", "s.py", "--preset", "hsn", "--out", "r"], "s.py"),
        (["--out", "r", "report", "r"], "written after its name"),
        (["report", "r"], "holds no benchmark"),
        (["export", "moon", "--out", "r"], "'moon'"),
        (["simulate", "--preset", "moon", "--out", "r"], "'moon'"),
        (["leaderboard", "none.yaml", "--out", "r"], "none.yaml"),
    ],
)
def test_mistakes_are_told_in_a_sentence(antiphon, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    ran = antiphon("bench", "al", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not (tmp_path / "r").exists()


def test_the_group_explains_itself(antiphon):
    ran = antiphon("bench", "al", "--help")
    assert ran.code == 0
    for verb in ("report", "simulate", "export", "leaderboard", "strategies"):
        assert verb in ran.out
    assert antiphon("bench", "al").code == 2
    assert antiphon("bench").code == 2
