"""The root of the command: help, version, errors and exit codes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import __version__
from antiphon.api import Project

VERBS = (
    *("init", "embed", "search", "next", "import", "train", "detect", "evaluate", "report"),
    *("export", "status", "encoders", "index", "demo", "bench", "strategies", "forecast"),
)


def test_help_names_every_verb_and_the_exit_codes(antiphon):
    ran = antiphon("--help")
    assert ran.code == 0
    assert all(f" {verb} " in ran.out for verb in VERBS)
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(antiphon, verb):
    ran = antiphon(verb, "--help")
    assert ran.code == 0
    assert f"Usage: antiphon {verb}" in ran.out


def test_version(antiphon):
    assert antiphon("--version").out == f"antiphon {__version__}\n"


def test_without_a_verb_the_help_is_shown(antiphon):
    ran = antiphon()
    assert ran.code == 2
    assert "Usage: antiphon" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["init", "p"], "--audio"),
        (["status"], "PROJECT"),
        (["train", "p", "--folds", "1"], "--folds"),
        (["search", "p", "-k", "many"], "-k"),
        (["search", "p", "--min-score", "2"], "--min-score"),
    ],
)
def test_mistyped_commands_are_the_users_mistake(antiphon, arguments, said):
    ran = antiphon(*arguments)
    assert ran.code == 2
    assert said in ran.err


def test_run_as_a_module_and_as_a_command():
    command = Path(sys.executable).with_name("antiphon")
    for start in ([sys.executable, "-m", "antiphon"], [str(command)]):
        done = subprocess.run([*start, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"antiphon {__version__}\n"


def test_help_needs_no_heavy_package():
    heavy = "numpy scipy pyarrow lance onnxruntime ai_edge_litert sqlalchemy soundfile jinja2"
    code = (
        "import sys\nfrom antiphon.cli.app import run\nsys.argv = ['antiphon', '--help']\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(' '.join(n for n in '{heavy}'.split() if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_ctrl_c_is_130_and_says_that_nothing_is_lost(antiphon, read_only, monkeypatch):
    def stop(self: Project) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Project, "status", stop)
    ran = antiphon("status", read_only.path)
    assert ran.code == 130
    assert "run the same command again" in ran.err


def test_an_error_of_the_disk_names_the_file(antiphon, read_only, monkeypatch):
    def full(self: Project) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/media/card/report.html")

    monkeypatch.setattr(Project, "status", full)
    ran = antiphon("status", read_only.path)
    assert ran.code == 1
    assert "/media/card/report.html: No space left on device. What was finished is kept" in ran.err


def test_an_error_of_ours_is_not_hidden(antiphon, read_only, monkeypatch):
    def broken(self: Project) -> None:
        raise RuntimeError("a fault in the program")

    monkeypatch.setattr(Project, "status", broken)
    with pytest.raises(RuntimeError, match="a fault in the program"):
        antiphon("status", read_only.path)


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe's reader that goes away is POSIX's")
def test_a_pager_that_is_closed_early_is_no_error(read_only):
    command = [sys.executable, "-m", "antiphon", "status", str(read_only.path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        code = process.wait(timeout=60)
    assert (code, said) == (0, "")


def test_names_are_printed_as_they_are(antiphon, tmp_path, recordings):
    # Rich takes [x] for markup and :x: for an emoji unless it is told not to.
    audio = recordings("[red]:100: söng.wav")
    (audio / "[bold]:smile:.wav").write_text("no audio")
    ran = antiphon("init", tmp_path / "p", "--audio", audio)
    assert ran.code == 1
    assert "[bold]:smile:.wav: cannot be read" in ran.err
    assert "[bold]:smile:.wav" in antiphon("status", tmp_path / "p").out


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_names_that_are_not_utf8(antiphon, tmp_path, recordings):
    odd = os.fsdecode(b"caf\xe9")
    for arguments in (("init", tmp_path / "p", "--audio", tmp_path / odd), ("status", odd)):
        ran = antiphon(*arguments)
        assert ran.code == 2
        assert "caf\\xe9: this name is not UTF-8" in ran.err
    audio = recordings("a.wav")
    (audio / f"{odd}.wav").write_bytes((audio / "a.wav").read_bytes())
    made = antiphon("init", tmp_path / "p", "--audio", audio)
    assert made.code == 1
    assert "caf\\xe9.wav: cannot be read: its name is not UTF-8" in made.err
    assert "1 recording cannot be read" in made.err
    assert "caf\\xe9.wav\tunreadable" in antiphon("status", tmp_path / "p").out
    # A folder that is looked through, and not named.
    ran = antiphon("leakage", audio, audio)
    assert ran.code == 2
    assert "this name is not UTF-8" in ran.err
