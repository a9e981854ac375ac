"""One small synthesised survey, embedded and labelled once for all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.api import Project
from antiphon.audio.synthesis.dataset import DatasetFacts, write_dataset

# Short windows and few bands: quick, and nothing here depends on how good the embedding is.
ENCODER = {"sample_rate": 16_000, "window_s": 2.0, "n_mels": 32, "dim": 64}


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> DatasetFacts:
    return write_dataset(
        tmp_path_factory.mktemp("survey"),
        seed=3,
        sites=4,
        days=1,
        recordings_per_site_day=4,
        duration_s=20.0,
        sample_rate=24_000,
    )


@pytest.fixture(scope="session")
def _labelled(tmp_path_factory: pytest.TempPathFactory, survey: DatasetFacts) -> Path:
    place = tmp_path_factory.mktemp("labelled") / "project"
    project, _ = Project.create(place, audio=[survey.audio], metadata=[survey.metadata])
    project.embed("spectral", **ENCODER)
    project.import_labels(survey.truth, complete=True, label_column="Species")
    project.folder.close()
    return place


@pytest.fixture
def labelled(_labelled: Path, tmp_path: Path) -> Project:
    """A project with embeddings and complete labels, to be changed at will."""
    shutil.copytree(_labelled, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def read_only(_labelled: Path) -> Project:
    """The same project, shared: for tests that only read."""
    return Project(_labelled)


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """Write short WAV files of noise: ``recordings("a/x.wav", "b/y.wav")`` returns their folder."""
    import numpy as np
    import soundfile

    def make(*names: str, seconds: float = 1.0, rate: int = 8000) -> Path:
        rng = np.random.default_rng(0)
        for name in names:
            path = tmp_path / "audio" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, rng.normal(size=round(seconds * rate)) * 0.1, rate)
        return tmp_path / "audio"

    return make
