"""The verbs of soundscape, as a user calls them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from antiphon.cli.soundscape import parse_duration
from antiphon.errors import UserError
from antiphon.evaluation.blending.files.submission import read_scores
from tests.soundscape.members.making import conv_file


@pytest.fixture
def task(tmp_path):
    """Two recordings, an ensemble of two networks, and a sample with classes in its own order."""
    rng = np.random.default_rng(0)
    (tmp_path / "audio").mkdir()
    for stem in ("one", "two"):
        sound = rng.normal(0, 0.1, 10_240)
        soundfile.write(tmp_path / "audio" / f"{stem}.wav", sound, 8000, subtype="FLOAT")
    conv_file(tmp_path)
    (tmp_path / "e.yaml").write_text(
        "name: two\nclasses: sample.csv\nwindow: {length_s: 0.32, hop_s: 0.32}\n"
        "members:\n"
        "  - {name: first, model: conv.yaml, runtime: onnxruntime}\n"
        "  - {name: second, model: conv.yaml, runtime: onnxruntime, scores: clip}\n"
        "blend: {kind: rank, of: {first: 0.9, second: 0.1}}\n"
    )
    rows = [f"{stem}_{end}" for stem in ("two", "one") for end in ("0.32", "0.64", "0.96", "1.28")]
    (tmp_path / "sample.csv").write_text("row_id,c,a,b\n" + "".join(f"{r},0,0,0\n" for r in rows))
    return tmp_path, rows


def test_run_check_and_fit(antiphon, task):
    folder, rows = task
    sample, out = folder / "sample.csv", folder / "out" / "submission.csv"
    call = ("soundscape", "run", folder / "audio", "--ensemble", folder / "e.yaml", "--out", out)
    ran = antiphon(
        *call, "--sample", sample, "--budget", "5m", "--member-scores", folder / "m", "--workers", 1
    )
    assert ran.code == 0, ran.err
    assert [row[:3] for row in ran.rows("member")] == [["first", "1", "8"], ["second", "1", "8"]]
    assert "complete, every row was scored by every member in full" in ran.out
    found = read_scores(out)
    assert found.rows == tuple(rows)
    assert found.classes == ("c", "a", "b")
    report = json.loads((folder / "out" / "submission.csv.report.json").read_text())
    assert report["exit_code"] == 0

    ran = antiphon("soundscape", "check", out, "--sample", sample)
    assert ran.code == 0
    assert "8 rows, 3 classes, as in the sample." in ran.out

    # Frozen ranks of the same windows are the ranks among them.
    scores = [f"{name}={folder / 'm' / name}.csv" for name in ("first", "second")]
    reference = folder / "reference.safetensors"
    ran = antiphon("soundscape", "fit", folder / "e.yaml", *scores, "--out", reference)
    assert ran.code == 0, ran.err
    assert "8 windows" in ran.out
    with (folder / "e.yaml").open("a") as file:
        file.write("reference: reference.safetensors\n")
    ran = antiphon(*call, "--sample", sample, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["resumed"]["pieces_scored_before"] == 2
    assert read_scores(out).score == pytest.approx(found.score, abs=1e-9)


def test_exit_codes_tell_what_is_in_the_file(antiphon, task):
    folder, rows = task
    (folder / "audio" / "one.wav").write_bytes(b"no sound")
    out = folder / "submission.csv"
    call = ("soundscape", "run", folder / "audio", "--ensemble", folder / "e.yaml", "--out", out)
    ran = antiphon(*call, "--sample", folder / "sample.csv")
    assert ran.code == 4
    assert "partial, some rows have no score" in ran.out
    assert "4 rows without a score" in ran.err
    assert "one.wav" in ran.err
    assert read_scores(out).rows == tuple(rows)
    assert antiphon("soundscape", "check", out, "--sample", folder / "sample.csv").code == 0


def test_a_submission_that_does_not_fit(antiphon, task):
    folder, _ = task
    out = folder / "bad.csv"
    out.write_text("row_id,c,a,b\ntwo_0.32,0,0,nan\n")
    ran = antiphon("soundscape", "check", out, "--sample", folder / "sample.csv")
    assert ran.code == 1
    assert "7 rows missing: two_0.64, two_0.96, two_1.28 and 4 more" in ran.err
    assert "1 score not a finite number: row two_0.32, class b (nan)" in ran.err
    ran = antiphon("soundscape", "check", out, "--sample", folder / "sample.csv", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["good"] is False


def test_show_and_weights(antiphon, task):
    folder, _ = task
    ran = antiphon("soundscape", "show", folder / "e.yaml")
    assert ran.code == 0
    assert "first" in ran.out
    ran = antiphon(
        "soundscape", "weights", folder / "e.yaml", folder / "none.json", "--out", folder / "n.yaml"
    )
    assert ran.code == 2
    assert "none.json" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "'soon' is no time"),
        (["--out", "x.txt"], "none of .csv"),
        (["--ensemble", "gone.yaml"], "gone.yaml"),
        (["--sample", "gone.csv"], "gone.csv"),
    ],
)
def test_mistakes(antiphon, task, arguments, said):
    folder, _ = task
    given = {"--ensemble": folder / "e.yaml", "--out": folder / "s.csv"}
    given[arguments[0]] = arguments[1]
    options = [part for pair in given.items() for part in pair]
    ran = antiphon("soundscape", "run", folder / "audio", *options)
    assert ran.code == 2
    assert said in ran.err


def test_fit_wants_names(antiphon, task):
    folder, _ = task
    for scores, said in (
        (["scores.csv"], "is not MEMBER=SCORES"),
        (["first=a.csv", "first=b.csv"], "given twice"),
    ):
        ran = antiphon(
            "soundscape", "fit", folder / "e.yaml", *scores, "--out", folder / "r.safetensors"
        )
        assert ran.code == 2
        assert said in ran.err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5400", 5400), ("90m", 5400), ("1.5h", 5400), ("45 min", 2700), (".5h", 1800), ("10s", 10)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5m", "1h30m", "1e3", "nan"])
def test_durations_that_are_none(text):
    with pytest.raises(UserError, match="is no time"):
        parse_duration(text)
