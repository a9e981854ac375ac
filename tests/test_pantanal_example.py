"""The settings of examples/soundscape/pantanal are valid, and fit together, at every scale."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from antiphon.soundscape.ensemble.config import read_ensemble
from antiphon.training.config import load_run_config
from antiphon.training.pseudo.config import load_pseudo_config

EXAMPLE = Path(__file__).parents[1] / "examples/soundscape/pantanal"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are not beside the tests")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    before = set(sys.modules)
    import run

    yield run
    for name in set(sys.modules) - before:
        if name in ("run", "report", "probe"):
            del sys.modules[name]


@pytest.mark.parametrize("scale", ["QUICK", "FULL"])
def test_the_settings_of_a_scale_fit_together(
    example: ModuleType, tmp_path: Path, scale: str
) -> None:
    chosen = getattr(example, scale)
    example.settle(tmp_path, chosen)
    student = load_run_config(tmp_path / "student.yaml")
    assert student.is_detector
    assert student.data.folds is not None
    assert student.data.folds.count == chosen.folds
    rounds = load_pseudo_config(tmp_path / "rounds.yaml")
    assert rounds.rounds is not None
    assert rounds.rounds.folds == chosen.folds == len(rounds.teachers)
    assert rounds.rounds.gammas == chosen.gammas
    ensemble = read_ensemble(tmp_path / "ensemble.yaml")
    names = {member.name for member in ensemble.members}
    assert names == {"probe", *example.members(chosen)}
    assert set(ensemble.nodes["blend"].of) == set(example.SYSTEMS)
    # Students go by the name of their settings, which the exported file has.
    for member in ensemble.members:
        if member.model is not None:
            assert member.model.stem == f"{student.name}-fold{member.name[-1]}"


def test_the_files_beside_the_script_are_those_of_the_full_scale(
    example: ModuleType, tmp_path: Path
) -> None:
    example.settle(tmp_path, example.FULL)
    for name in ("student", "rounds", "ensemble"):
        settled = yaml.safe_load((tmp_path / f"{name}.yaml").read_text(encoding="utf-8"))
        assert settled == yaml.safe_load((EXAMPLE / f"{name}.yaml").read_text(encoding="utf-8"))
