"""bench encoders, as a user calls it."""

from __future__ import annotations

import json

import pytest

from tests.evaluation.benchmarks.replicas import REPLICAS, table
from tests.evaluation.benchmarks.sounds import write

SPECTRAL = "spectral,sample_rate=8000,window_s=0.5,n_mels=32,dim=32"
OTHER = "spectral,sample_rate=8000,window_s=0.25,n_mels=32,dim=16"
QUICK = ("--resamples", 20)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    REPLICAS["dogs"](root / "dogs")
    REPLICAS["giant_otter"](root / "giant_otters")
    return root


def own(folder):
    rows = []
    for n in range(12):
        rows.append((f"{n}.wav", "ab"[n % 2], f"s{n // 2}"))
        write(folder / f"{n}.wav", (400.0, 900.0)[n % 2], seed=n)
    table(folder / "labels.csv", "filename,label,source", rows)
    return folder


def test_published_sets_from_run_to_report(antiphon, data, tmp_path):
    out = tmp_path / "run"
    asked = ("--suite", "dogs", "--suite", "repertoire", "--data", data, "--out", out, *QUICK)
    ran = antiphon("bench", "encoders", *asked, "-e", SPECTRAL, "-e", OTHER, "--published")
    # Three of the four repertoires are not there; the rest is judged all the same.
    assert ran.code == 1
    assert "4 results now, 0 kept" in ran.out
    assert ["Classification", "probe, accuracy"] in [r[:2] for r in ran.rows("family")]
    assert "BEATs (published, not measured)" in ran.out
    assert "zebra_finch" in ran.err
    assert "--download" in ran.err
    assert "dogs (classification, spectral" in ran.err
    assert "giant_otter: its layout is assumed" in ran.err
    assert "3 could not be judged" in ran.err
    ran = antiphon("bench", "encoders", *asked, "-e", SPECTRAL, "-e", OTHER)
    assert "0 results now, 4 kept" in ran.out

    ran = antiphon("bench", "encoders", "report", out, "--published")
    assert ran.code == 0, ran.err
    page = (out / "report.html").read_text()
    assert "published, not measured" in page
    assert (out / "table.tex").read_text().startswith(r"\begin{tabular}")
    ran = antiphon("bench", "encoders", "report", out, "--json")
    values = json.loads(ran.out)
    assert {v["name"] for v in values} == {"dogs", "giant_otter"}


def test_own_folders(antiphon, tmp_path):
    out = tmp_path / "run"
    first, second = own(tmp_path / "one"), own(tmp_path / "two")
    asked = ("--suite", "local", "--data", first, "--data", second, "--out", out, *QUICK)
    ran = antiphon("bench", "encoders", *asked, "-e", SPECTRAL)
    assert ran.code == 0, ran.err
    assert "2 results now" in ran.out
    assert "Left out: one as detection" in ran.err
    assert (out / "table.csv").is_file()


def test_one_bad_folder_does_not_stop_the_other(antiphon, tmp_path):
    good = own(tmp_path / "good")
    asked = ("--suite", "local", "--data", tmp_path / "none", "--data", good, *QUICK)
    ran = antiphon("bench", "encoders", *asked, "-e", SPECTRAL, "--out", tmp_path / "run")
    assert ran.code == 1
    assert "there is no such folder" in ran.err
    assert "1 results now" in ran.out


def test_download_refuses_what_needs_a_login(antiphon, tmp_path):
    asked = ("--suite", "cbi", "--data", tmp_path, "--out", tmp_path / "run", "--download")
    ran = antiphon("bench", "encoders", *asked, "-e", SPECTRAL)
    assert ran.code == 2
    assert "Kaggle wants a login" in ran.err
    assert "Nothing could be judged" in ran.err


def test_the_list_of_sets(antiphon):
    ran = antiphon("bench", "encoders", "sets")
    assert ran.code == 0
    rows = {row[0]: row for row in ran.rows("name")}
    assert len(rows) == 26
    assert rows["cbi"][-1] == "by hand"
    assert rows["giant_otter"][5] == "assumed"
    ran = antiphon("bench", "encoders", "sets", "--json")
    assert len(json.loads(ran.out)) == 26


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--suite", "beans", "-e", "spectral", "--data", "."], "Give --out RUN"),
        (["--suite", "beans", "--data", ".", "--out", "r"], "--encoder is missing"),
        (["-e", "spectral", "--data", ".", "--out", "r"], "--suite is missing"),
        (["--suite", "bean", "-e", "spectral", "--data", ".", "--out", "r"], "Did you mean"),
        (
            ["--suite", "beans", "-e", "spectral", "--data", ".", "--family", "x", "--out", "r"],
            "go with --suite local",
        ),
        (
            ["--suite", "beans", "-e", "spectral,x", "--data", ".", "--out", "r"],
            "is not KEY=VALUE",
        ),
        (
            ["--suite", "beans", "-e", "s", "--data", "a", "--data", "b", "--out", "r"],
            "give one --data",
        ),
        (["report", "nothing-here"], "holds no run of encoders"),
    ],
)
def test_mistakes_are_told_in_a_sentence(antiphon, tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    ran = antiphon("bench", "encoders", *given)
    assert ran.code == 2
    assert said in ran.err


def test_without_options_it_helps(antiphon):
    ran = antiphon("bench", "encoders")
    assert ran.code == 2
    assert "--suite" in ran.out
