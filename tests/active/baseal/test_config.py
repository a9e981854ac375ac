from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.active.baseal.config import STRATEGIES, WARM_UP, read_config
from antiphon.active.baseal.data import read_subset
from antiphon.active.learner.config import LoopConfig
from antiphon.active.registry import list_strategies
from antiphon.errors import FileError, FormatError
from tests.active.baseal.folders import many, write_subset

FULL = """\
experiments:
  - name: Margin
    embeddings_dir: HSN_BASEAL/embeddings/perch_v2/
    annotations_path: HSN_BASEAL/labels.csv
    metadata_path: HSN_BASEAL/metadata.csv
    model_name: perch_v2
    dataset_name: BirdSet_BASEAL/HSN_BASEAL
    hidden_dim: 64
    sampling_strategy: margin_multilabel
    learning_rate: 0.01
    repeats: 2
    device: cuda
    n_samples_per_iteration: 25
    pretrain_samples: 30
    dropout_rate: 0.2
    mc_dropout_passes: 8
    verbose: false
  - embeddings_dir: /somewhere/vectors
    annotations_path: /somewhere/labels.csv
    hidden_dim: null
    pretrain_samples: null
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = write_subset(tmp_path / "HSN_BASEAL", many())
    lines = ["filename,site", *(f"{name},s{i % 4}" for i, (name, _, _) in enumerate(many()))]
    (folder / "metadata.csv").write_text("\n".join(lines))
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "config.yml").write_text(FULL)
    return tmp_path


def test_every_field_of_baseal(project: Path) -> None:
    """The paths start above core/, where BaseAL keeps the file."""
    first, second = read_config(project / "core" / "config.yml")
    assert first.name == "Margin"
    assert first.embeddings_dir == project / "HSN_BASEAL/embeddings/perch_v2"
    assert (first.repeats, first.device, first.verbose) == (2, "cuda", False)
    assert first.strategy() == "margin-multilabel"
    loop = first.loop_config(budget=105)
    assert (loop.budget, loop.hidden, loop.learning_rate) == (105, 64, 0.01)
    assert (loop.dropout, loop.dropout_passes, loop.warmup) == (0.2, 8, "typiclust")
    assert tuple(loop.schedule.batches(105)) == (30, 25, 25, 25)
    # What is not set is BaseAL's default, and the task page's baseline for the loop.
    assert second.name == "experiment_1"
    assert (second.model_name, second.sampling_strategy) == ("birdnet", "random")
    assert second.pretrain_samples == 0
    assert second.loop_config() == LoopConfig()
    assert second.loop_config(compat=True) == LoopConfig(compat=True)


def test_the_set_of_an_experiment(project: Path) -> None:
    data = read_config(project / "core" / "config.yml")[0].read()
    same = read_subset(project / "HSN_BASEAL")
    assert (data.name, data.domain, data.labels) == ("HSN", "BirdSet", same.labels)
    np.testing.assert_array_equal(data.embeddings, same.embeddings)
    assert data.metadata is not None
    assert data.metadata.column_names == ["filename", "site"]
    assert read_config(project / "core/config.yml")[0].read(compat=True).labels[-1] == "nan"


def test_paths_start_at_the_given_folder(project: Path, tmp_path: Path) -> None:
    found = read_config(project / "core" / "config.yml", base=tmp_path / "elsewhere")
    assert found[0].annotations_path == tmp_path / "elsewhere/HSN_BASEAL/labels.csv"


def test_one_experiment_without_a_list(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("embeddings_dir: e\nannotations_path: labels.csv\nsampling_strategy: custom\n")
    (one,) = read_config(path)
    assert one.embeddings_dir == tmp_path / "e"
    assert one.strategy() is None


BASE = "embeddings_dir: e\nannotations_path: a.csv\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE + "sampling_stratgy: random", r"'sampling_stratgy' is not known. Did you mean 'samp"),
        (BASE + "zzz: 1", r"'zzz' is not known. There are: embeddings_dir"),
        ("embeddings_dir: e", "the field 'annotations_path' is missing"),
        (BASE + "sampling_strategy: margn", r"'margn' is not known. Did you mean 'margin'\?"),
        (BASE + "learning_rate: fast", "learning_rate is 'fast', expected a number"),
        (BASE + "hidden_dim: 1.5", "hidden_dim is 1.5, expected a whole number or null"),
        (BASE + "hidden_dim: 0", "hidden_dim is 0, expected 1 up"),
        (BASE + "repeats: true", "repeats is True, expected a whole number"),
        (BASE + "dropout_rate: 1.0", "dropout_rate is 1.0, expected 0 up and below 1"),
        (BASE + "dropout_rate: .nan", "dropout_rate is nan"),
        (BASE + "pretrain_samples: -5", "pretrain_samples is -5, expected 0 up"),
        (BASE + "metadata_path: 3", "metadata_path is 3, expected a path or null"),
        ("experiments: []", "expected a list with at least one"),
        ("experiments: [3]", "experiment 1: expected fields, found int"),
        ("experiments: []\nexperiment: []", "'experiment' is not known beside"),
        ("- 1", "holds no field 'experiments'"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text)
    with pytest.raises(FormatError, match=rf"config\.yml: .*{message}"):
        read_config(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_config(tmp_path / "none.yml")


def test_the_strategies_of_baseal_are_in_the_registry() -> None:
    names = {card.name for card in list_strategies()}
    assert {*STRATEGIES.values(), WARM_UP} <= names
