"""Settings: what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import FormatError
from antiphon.training.pseudo.config import PseudoConfig, load_pseudo_config

ONCE = """
name: x
audio: {path: audio}
teachers:
  - {name: fold0, model: fold0.yaml, trained_on: null}
"""
ROUNDS = """
name: x
audio: {path: audio}
rounds:
  student: student.yaml
  held_out: {audio: labelled, truth: truth.csv}
"""


def load(tmp_path: Path, text: str) -> PseudoConfig:
    file = tmp_path / "pseudo.yaml"
    file.write_text(text)
    return load_pseudo_config(file)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, ONCE)
    assert config.audio.path == tmp_path / "audio"
    assert config.teachers[0].model == tmp_path / "fold0.yaml"
    assert config.teachers[0].trained_on is None
    assert config.caps is None
    rounds = load(tmp_path, ROUNDS)
    assert rounds.rounds is not None
    assert rounds.rounds.gammas == (1.0, 1.54, 1.82)
    assert rounds.caps is not None
    assert rounds.caps.focal == tmp_path / "student.yaml"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ONCE + "targets: {flor: 0.1}", "Did you mean 'floor'"),
        (ONCE.replace(", trained_on: null", ""), "trained_on' is missing"),
        (ONCE + "  - {name: fold0, model: b.yaml, trained_on: null}", "two teachers are called"),
        ("name: x\naudio: {path: audio}\n", "teachers must be given"),
        (ROUNDS + "gamma: 2.0\n", "rounds have their own gammas"),
        (ROUNDS + "  folds: 1\n", "with one fold a student has seen all"),
        (ONCE + "targets: {window_s: 5, frame_s: 0.3}", "no whole number of frames"),
        (ONCE + "mass: {focal: f.yaml, share: 1.0}", "mass.share"),
        (ONCE.replace("audio}", "audio, sites: s.csv, site_pattern: x}"), "exclude each other"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        load(tmp_path, text)
