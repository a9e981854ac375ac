"""Whole runs with members that fail: a complete, valid file every time, and the truth about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import DiskFullError, FileError, UserError
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.soundscape.run.report import (
    COMPLETE,
    INTERRUPTED,
    PARTIAL,
    PRIORS,
    REDUCED,
    summary,
)
from antiphon.soundscape.run.running import reserve_s, run_soundscapes
from antiphon.soundscape.run.submission import check_submission
from antiphon.soundscape.run.supervise import Limits
from tests.soundscape.run.fakes import RATE, SOURCE, write_ensemble, write_recordings

LEVELS = {"one": 0.2, "two": 0.4, "three": 0.6}


def _run(tmp_path, ensemble, directory=None, **more):
    more = {"members": SOURCE, "workers": 2} | more
    return run_soundscapes(
        directory or tmp_path / "audio", ensemble, tmp_path / "out" / "submission.csv", **more
    )


def _sample(path, stems, classes=("c", "a", "b"), ends=(5, 10, 15, 20)):
    lines = ["row_id," + ",".join(classes)]
    lines += [f"{stem}_{end}," + ",".join("0" * len(classes)) for stem in stems for end in ends]
    path.write_text("\n".join(lines) + "\n")
    return path


def _level(found, stem, name="a"):
    column = found.classes.index(name)
    return [s[column] for r, s in zip(found.rows, found.score, strict=True) if r.startswith(stem)]


def test_every_fault_of_a_recording_and_of_a_member_at_once(tmp_path):
    # "loud" is what faulty members fail on, in their own ways.
    folder = write_recordings(tmp_path / "audio", LEVELS | {"loud": 0.95})
    write_recordings(folder, {"short": 0.5}, seconds=2.0)
    (folder / "empty.ogg").touch()
    (folder / "noise.wav").write_bytes(b"RIFF" + bytes(900))
    (folder / "notes.txt").write_text("no recording")
    stems = [*LEVELS, "loud", "short", "empty", "noise", "gone"]
    sample = _sample(tmp_path / "sample.csv", stems)
    ensemble = write_ensemble(
        tmp_path / "e",
        {
            "good": {},
            "crashes": {"fault": "crash"},
            "raises": {"fault": "raise"},
            "nan": {"fault": "nan"},
            "never": {"fault": "load"},
        },
        prior=0.125,
        unreached="prior",
    )
    done = _run(tmp_path, ensemble, sample=sample, member_scores=tmp_path / "members")

    assert done.exit_code == PARTIAL
    assert check_submission(done.out, sample).good
    found = read_scores(done.out)
    assert found.classes == ("c", "a", "b")
    assert _level(found, "two") == pytest.approx([0.4] * 4, abs=1e-6)
    assert _level(found, "loud") == pytest.approx([0.95] * 4, abs=1e-6)
    assert _level(found, "short") == pytest.approx([0.5, 0.125, 0.125, 0.125], abs=1e-6)
    for stem in ("empty", "noise", "gone"):
        assert _level(found, stem) == [0.125] * 4

    report = json.loads(done.report_file.read_text())
    assert report == done.report
    assert report["status"] == "partial"
    assert report["rows"]["all"] == 32
    assert report["rows"]["without_score"] == 15
    assert report["rows"]["in_full"] == 0
    why = " ".join(report["rows"]["why"])
    for said in ("empty.ogg: is empty", "noise.wav", "gone: there is no such", "ends after 2.0 s"):
        assert said in why
    assert set(report["recordings"]["problems"]) == {"empty", "noise"}
    members = {one["name"]: one for one in report["members"]}
    assert members["good"]["given_up"] == ""
    assert members["good"]["windows"] == 17
    assert "died (SIGSEGV) while scoring" in members["crashes"]["given_up"]
    assert "loud.wav" in members["crashes"]["given_up"]
    assert members["raises"]["why_failed"] == {"ValueError: bad weather": 1}
    assert members["raises"]["given_up"] == ""
    assert "NaN" in next(iter(members["nan"]["why_failed"]))
    assert "no such runtime" in members["never"]["given_up"]
    assert len(report["crashes"]) == 1
    said = "\n".join(summary(report))
    assert "15 without a score" in said
    assert "crashes was given up: The scoring process died (SIGSEGV)" in said

    good = read_scores(tmp_path / "members" / "good.csv")
    assert len(good.rows) == 17
    assert good.classes == ("c", "a", "b")
    assert not (tmp_path / "members" / "never.csv").exists()


def test_a_budget_too_small_for_anything_leaves_priors(tmp_path):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"m": {"sleep_s": 30.0}}, prior=0.25)
    done = _run(tmp_path, ensemble, budget_s=0.2)
    assert done.exit_code == PRIORS
    found = read_scores(done.out)
    assert len(found.rows) == 12
    assert (found.score == 0.25).all()
    assert done.report["ending"] == "deadline"
    assert done.report["rows"]["why"] == {"not reached within the budget": 12}


@pytest.mark.slow
def test_a_member_too_slow_for_the_budget_is_left_out(tmp_path):
    levels = {f"r{i}": 0.05 * i for i in range(1, 11)}
    write_recordings(tmp_path / "audio", levels, seconds=60.0)
    ensemble = write_ensemble(
        tmp_path / "e", {"quick": {}, "slow": {"priority": 2, "sleep_s": 5.0}}
    )
    # 120 windows of 5 s each on two workers would take 300 s, and a recording alone a minute.
    done = _run(tmp_path, ensemble, budget_s=60.0)
    assert done.exit_code == REDUCED
    assert done.report["ending"] == "done"
    assert done.report["rows"]["without_score"] == 0
    assert done.report["plans"][0]["now"] == {"quick": 1, "slow": 0}
    members = {one["name"]: one for one in done.report["members"]}
    assert members["quick"]["windows"] == 120
    # It may come back, thinned, for the last recordings, which then fit.
    assert members["slow"]["windows"] < 120
    assert members["slow"]["given_up"] == ""
    assert _level(read_scores(done.out), "r10_") == pytest.approx([0.5] * 12, abs=1e-6)


def test_a_finished_run_is_not_done_again_and_a_changed_one_in_part(tmp_path):
    folder = write_recordings(tmp_path / "audio", LEVELS)
    log = tmp_path / "log"
    members = {"a": {"log": str(log)}, "b": {"log": str(log)}}
    first = _run(tmp_path, write_ensemble(tmp_path / "e", members))
    assert first.exit_code == COMPLETE
    assert first.report["rows"]["in_full"] == 12
    assert len(log.read_text().splitlines()) == 6
    before = first.out.read_bytes()

    # A new recording, a changed one, and another member b.
    write_recordings(folder, {"new": 0.7})
    write_recordings(folder, {"one": 0.25}, seconds=15.0)
    log.unlink()
    members["b"]["key"] = "2"
    second = _run(tmp_path, write_ensemble(tmp_path / "e", members))
    assert second.exit_code == COMPLETE
    lines = log.read_text().splitlines()
    assert sorted(lines) == sorted(["a 4", "a 3", "b 4", "b 3", "b 4", "b 4"])
    assert _level(read_scores(second.out), "one") == pytest.approx([0.25] * 3, abs=1e-6)
    assert second.out.read_bytes() != before

    log.unlink()
    _run(tmp_path, write_ensemble(tmp_path / "e", members))
    assert not log.exists()


def test_settings_that_do_not_fit_a_network_cost_that_member_only(tmp_path):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"good": {}, "apart": {"context_hop_s": 20.0}})
    done = _run(tmp_path, ensemble)
    assert done.exit_code == REDUCED
    assert done.report["crashes"] == []
    good, apart = done.report["members"]
    assert (good["windows"], apart["windows"]) == (12, 0)
    assert "leave out audio" in apart["given_up"]
    assert _level(read_scores(done.out), "two") == pytest.approx([0.4] * 4, abs=1e-6)


def test_what_an_earlier_call_scored_is_in_the_file_before_anything_more_is(tmp_path, monkeypatch):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"m": {}})
    first = _run(tmp_path, ensemble)
    scored = first.out.read_bytes()
    seen = []

    def stop(self):
        seen.append((first.out.read_bytes(), first.report_file.exists()))
        raise KeyboardInterrupt

    monkeypatch.setattr("antiphon.soundscape.run.supervise.Supervisor.run", stop)
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, ensemble)
    # The report of the first call does not stand beside the file of the second.
    assert seen == [(scored, False)]


_CALL = """
import sys
from antiphon.soundscape.run.running import run_soundscapes
audio, ensemble, out, members = sys.argv[1:]
run_soundscapes(audio, ensemble, out, members=members, workers=2)
"""


@pytest.mark.slow
def test_after_kill_9_the_same_call_goes_on(tmp_path):
    write_recordings(tmp_path / "audio", {f"r{i}": 0.03 * i for i in range(1, 31)})
    log = tmp_path / "log"
    ensemble = write_ensemble(tmp_path / "e", {"m": {"log": str(log), "sleep_s": 0.1}})
    out = tmp_path / "out" / "submission.csv"
    call = [sys.executable, "-c", _CALL, tmp_path / "audio", ensemble, out, SOURCE]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen([str(part) for part in call], env=environment)
    while not log.exists() or len(log.read_text().splitlines()) < 6:
        assert process.poll() is None
        # A complete file is there before anything is scored, and at every moment after.
        if log.exists():
            assert len(read_scores(out).rows) == 120
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(read_scores(out).rows) == 120

    done = _run(tmp_path, ensemble)
    assert done.exit_code == COMPLETE
    assert done.report["resumed"]["pieces_scored_before"] >= 4
    # What was under way when the process died is the most that is done twice.
    assert 30 <= len(log.read_text().splitlines()) <= 32
    assert _level(read_scores(done.out), "r30_") == pytest.approx([0.9] * 4, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["abort", "killed", "exit", "hang", "front end"])
def test_members_that_take_the_process_with_them(tmp_path, fault):
    levels = {f"r{i}": 0.02 * i for i in range(1, 11)} | {f"loud{i}": 0.95 for i in range(4)}
    write_recordings(tmp_path / "audio", levels)
    ensemble = write_ensemble(
        tmp_path / "e", {"good": {}, "bad": {"fault": fault, "front_end_key": "own"}}
    )
    done = _run(tmp_path, ensemble, limits=Limits(hang_s=3.0))
    assert done.exit_code == REDUCED
    members = {one["name"]: one for one in done.report["members"]}
    assert members["good"]["windows"] == 56
    assert members["good"]["given_up"] == ""
    assert members["bad"]["given_up"]
    assert _level(read_scores(done.out), "loud2") == pytest.approx([0.95] * 4, abs=1e-6)


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_scored_and_the_next_call_goes_on(tmp_path):
    write_recordings(tmp_path / "audio", {f"r{i}": 0.03 * i for i in range(1, 31)})
    log = tmp_path / "log"
    ensemble = write_ensemble(tmp_path / "e", {"m": {"log": str(log), "sleep_s": 0.1}})

    def press():
        while not log.exists() or len(log.read_text().splitlines()) < 4:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    stopped = _run(tmp_path, ensemble)
    assert stopped.exit_code == INTERRUPTED
    assert stopped.report["status"] == "interrupted"
    scored = stopped.report["rows"]["in_full"]
    assert scored >= 12
    assert len(read_scores(stopped.out).rows) == 120
    done = _run(tmp_path, ensemble)
    assert done.exit_code == COMPLETE
    assert done.report["resumed"]["pieces_scored_before"] == scored / 4


@pytest.mark.slow
def test_when_no_member_works_the_file_holds_priors(tmp_path):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"x": {"fault": "load"}, "y": {"fault": "load"}})
    done = _run(tmp_path, ensemble)
    assert done.exit_code == PRIORS
    assert done.report["rows"]["why"] == {"no member could score it": 12}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_full_disk_is_named_and_the_last_whole_file_stays(tmp_path):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"m": {}})
    run = tmp_path / "out" / "submission.csv.run"
    run.mkdir(parents=True)
    (run / "scores.bin").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="the disk is full"):
        _run(tmp_path, ensemble)
    found = read_scores(tmp_path / "out" / "submission.csv")
    assert (found.score == 0.5).all()
    assert len(found.rows) == 12


def test_an_empty_folder_and_a_sample_give_the_samples_rows(tmp_path):
    (tmp_path / "audio").mkdir()
    sample = _sample(tmp_path / "sample.csv", ["public"])
    ensemble = write_ensemble(tmp_path / "e", {"m": {}}, prior=0.25)
    done = _run(tmp_path, ensemble, sample=sample)
    assert done.exit_code == PRIORS
    assert check_submission(done.out, sample).good
    assert (read_scores(done.out).score == 0.25).all()
    assert "a competition fills the folder only when" in " ".join(done.report["notes"])
    with pytest.raises(UserError, match=r"no recordings.*--sample"):
        _run(tmp_path, ensemble)


def test_mistakes_are_told_before_anything_is_written(tmp_path):
    write_recordings(tmp_path / "audio", LEVELS)
    ensemble = write_ensemble(tmp_path / "e", {"m": {}})
    sample = _sample(tmp_path / "sample.csv", ["one"], ("a", "b", "d"))
    with pytest.raises(UserError, match="1 class of the sample that the ensemble lacks: d; 1 cl"):
        _run(tmp_path, ensemble, sample=sample)
    with pytest.raises(UserError, match="above 0"):
        _run(tmp_path, ensemble, budget_s=0.0)
    with pytest.raises(UserError, match="at least 1"):
        _run(tmp_path, ensemble, workers=0)
    with pytest.raises(UserError, match="MODULE:FUNCTION"):
        _run(tmp_path, ensemble, members="tests.soundscape.run.fakes:nobody")
    with pytest.raises(FileError, match=r"none of \.csv"):
        run_soundscapes(tmp_path / "audio", ensemble, tmp_path / "out.txt", members=SOURCE)
    with pytest.raises(FileError, match="no such folder"):
        _run(tmp_path, ensemble, tmp_path / "gone")
    assert not (tmp_path / "out").exists()


def test_the_reserve_is_a_share_of_a_small_budget():
    assert reserve_s(None, 10**9) == 0.0
    assert reserve_s(2.0, 10) == 0.5
    # 600 one-minute files, 234 classes, six members: 13 million numbers in 90 minutes.
    assert 10 < reserve_s(5400.0, 7200 * 234 * 8) < 60


@pytest.mark.slow
def test_memory_does_not_grow_over_1000_files(tmp_path):
    rng = np.random.default_rng(0)
    levels = dict(zip((f"r{i:04d}" for i in range(1000)), rng.random(1000) * 0.8, strict=True))
    write_recordings(tmp_path / "audio", levels, seconds=60.0, rate=4 * RATE)
    ensemble = write_ensemble(
        tmp_path / "e",
        {"five": {"sample_rate": 4 * RATE}, "twenty": {"context_s": 20.0, "context_hop_s": 5.0}},
    )
    done = _run(tmp_path, ensemble)
    assert done.exit_code == COMPLETE
    assert done.report["rows"]["all"] == 12_000
    memory = done.report["memory_mb"]
    # 900 files of 0.96 MB of audio each went through meanwhile.
    assert memory["all"] - memory["tenth"] < 15


@pytest.mark.slow
def test_a_long_recording_takes_no_more_memory_than_short_ones(tmp_path):
    ensemble = write_ensemble(tmp_path / "e", {"m": {"sample_rate": 8000}})
    peaks = []
    for name, seconds in (("short", 600.0), ("long", 14_400.0)):
        write_recordings(tmp_path / name, {name: 0.5}, seconds=seconds, rate=8000)
        done = run_soundscapes(
            tmp_path / name, ensemble, tmp_path / f"{name}.csv", members=SOURCE, workers=2
        )
        assert done.exit_code == COMPLETE
        peaks.append(done.report["memory_mb"]["all"])
    # The long one holds 461 MB of samples.
    assert peaks[1] - peaks[0] < 40
