"""BaseAL's ``config.yml`` as settings of this package's loop."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from antiphon.active.baseal.data import read_files
from antiphon.active.baseal.folders import set_domain, set_name
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.errors import FileError, FormatError

# Strategies by their names in BaseAL; its "custom" is a participant's file.
STRATEGIES = {
    "random": "random",
    "margin": "margin",
    "margin_multilabel": "margin-multilabel",
    "bald": "bald",
    "coreset_farthest": "coreset",
    "nn_disagreement": "nn-disagreement",
    "sklearn_coreset": "coreset",
    "sklearn_typiclust": "typiclust",
}
CUSTOM = "custom"
# Chooses typical windows from all over the pool.
WARM_UP = "typiclust"
_EXPERIMENTS = "experiments"
_PATHS = ("embeddings_dir", "annotations_path", "metadata_path")


@dataclass(frozen=True, slots=True)
class BaseALConfig:
    """One experiment; names and defaults are BaseAL's, paths are absolute.

    Parameters
    ----------
    embeddings_dir, annotations_path, metadata_path
        Folder of vectors, ``labels.csv``, and ``metadata.csv`` or None.
    model_name, dataset_name
        For results files; the set's own name is used for an empty ``dataset_name``.
    hidden_dim
        Width of the head; None for that of the vectors.
    sampling_strategy
        As in BaseAL; see :data:`STRATEGIES`.
    learning_rate, dropout_rate, mc_dropout_passes
        Of the head.
    repeats
        Trainings from one state in each cycle. Independent runs are not set here.
    device
        Kept, but the head is trained on the CPU.
    n_samples_per_iteration
        Size of a batch, or None where it is not set: the loop's default.
    pretrain_samples
        Labels of the warm-up before the first cycle.
    verbose
        Kept; it changes nothing here.
    """

    embeddings_dir: Path
    annotations_path: Path
    name: str = ""
    model_name: str = "birdnet"
    dataset_name: str = ""
    hidden_dim: int | None = None
    learning_rate: float = 0.001
    repeats: int = 1
    device: str = "cpu"
    sampling_strategy: str = "random"
    n_samples_per_iteration: int | None = None
    pretrain_samples: int = 0
    dropout_rate: float = 0.0
    mc_dropout_passes: int = 1
    verbose: bool = True
    metadata_path: Path | None = None

    def read(self, *, compat: bool = False, cache: Path | None = None) -> LabelledSet:
        """Read the set; see :func:`~antiphon.active.baseal.data.read_files`."""
        folder = self.annotations_path.parent
        named = self.dataset_name.replace("\\", "/").rstrip("/")
        return read_files(
            self.embeddings_dir,
            self.annotations_path,
            self.metadata_path,
            model=self.model_name,
            name=set_name(Path(named)) if named else set_name(folder),
            domain=set_domain(folder),
            compat=compat,
            cache=cache,
        )

    def loop_config(self, *, budget: int = 500, compat: bool = False) -> LoopConfig:
        """Return the settings of the loop.

        The warm-up is the first batch of the schedule, chosen by ``typiclust``. BaseAL says it
        labels the densest windows then, but takes those farthest from their neighbours; that is
        not reproduced. What is not set here keeps the loop's default, the task page's baseline.

        Parameters
        ----------
        budget
            Labels in all; ``config.yml`` has no field for it.
        compat
            Whether ties and orders are BaseAL's.
        """
        given: dict[str, Any] = {
            "budget": budget,
            "hidden": self.hidden_dim,
            "learning_rate": self.learning_rate,
            "dropout": self.dropout_rate,
            "compat": compat,
        }
        if self.mc_dropout_passes > 1:
            given["dropout_passes"] = self.mc_dropout_passes
        if self.n_samples_per_iteration or self.pretrain_samples:
            size = self.n_samples_per_iteration or 50
            first = (self.pretrain_samples,) if self.pretrain_samples else ()
            given["schedule"] = Schedule((*first, size))
        if self.pretrain_samples:
            given["warmup"] = WARM_UP
        return LoopConfig(**given)

    def strategy(self) -> str | None:
        """Return the strategy's name in this package, or None for ``custom``."""
        return STRATEGIES.get(self.sampling_strategy)


def read_config(path: Path, *, base: Path | None = None) -> list[BaseALConfig]:
    """Read the experiments of a ``config.yml``.

    Parameters
    ----------
    path
        The file: a list under ``experiments``, or the fields of one experiment.
    base
        Folder that relative paths start from. By default that of the file or, where the path is
        not there, the one above it: BaseAL keeps its file in ``core/``.

    Raises
    ------
    FileError
        If the file cannot be read.
    FormatError
        If a field is unknown (the message names the nearest), missing or of the wrong kind.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(path, f"it is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, Mapping):
        raise FormatError(path, f"it holds no field {_EXPERIMENTS!r}")
    if _EXPERIMENTS in found:
        for name in found:
            if name != _EXPERIMENTS:
                raise FormatError(path, f"the field {name!r} is not known beside {_EXPERIMENTS!r}")
        experiments = found[_EXPERIMENTS]
    else:
        experiments = [found]
    if not isinstance(experiments, list) or not experiments:
        raise FormatError(path, f"{_EXPERIMENTS}: expected a list with at least one experiment")
    return [_experiment(path, base, one, i) for i, one in enumerate(experiments)]


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "Path": (str,),
    "Path | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (float, int),
    "bool": (bool,),
}
_LEAST = {"hidden_dim": 1, "repeats": 1, "n_samples_per_iteration": 1, "mc_dropout_passes": 1}


def _experiment(path: Path, base: Path | None, given: Any, index: int) -> BaseALConfig:
    where = f"experiment {index + 1}"
    if not isinstance(given, Mapping):
        raise FormatError(path, f"{where}: expected fields, found {type(given).__name__}")
    fields = {field.name: field for field in dataclasses.fields(BaseALConfig)}
    values: dict[str, Any] = {"name": f"experiment_{index}"}
    for name, value in given.items():
        if name not in fields:
            near = difflib.get_close_matches(str(name), fields, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(fields)}"
            raise FormatError(path, f"{where}: the field {name!r} is not known", hint)
        if name == "pretrain_samples" and value is None:
            value = 0
        kind = str(fields[name].type)
        wrong = not isinstance(value, _KINDS[kind])
        if wrong or (isinstance(value, bool) and kind != "bool"):
            raise FormatError(path, f"{where}: {name} is {value!r}, expected {_said(kind)}")
        if not isinstance(value, str | bool | None):
            least = _LEAST.get(name, 0)
            if not value >= least or (name == "dropout_rate" and value >= 1):
                below = " and below 1" if name == "dropout_rate" else ""
                raise FormatError(path, f"{where}: {name} is {value}, expected {least} up{below}")
        values[name] = _resolve(path, base, value) if name in _PATHS and value else value
    for name in ("embeddings_dir", "annotations_path"):
        if name not in values:
            raise FormatError(path, f"{where}: the field {name!r} is missing")
    known = (*STRATEGIES, CUSTOM)
    if values.get("sampling_strategy", "random") not in known:
        near = difflib.get_close_matches(values["sampling_strategy"], known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}"
        raise FormatError(
            path, f"{where}: sampling_strategy {values['sampling_strategy']!r} is not known", hint
        )
    return BaseALConfig(**values)


def _said(kind: str) -> str:
    words = {"str": "a text", "Path": "a path", "bool": "true or false", "float": "a number"}
    words |= {"int": "a whole number", "None": "null"}
    return " or ".join(words[part] for part in kind.split(" | "))


def _resolve(path: Path, base: Path | None, value: str) -> Path:
    given = Path(value).expanduser()
    if given.is_absolute():
        return given
    folder = path.resolve().parent
    starts = [base] if base is not None else [folder, folder.parent]
    found = [start / given for start in starts]
    return next((one for one in found if one.exists()), found[0])
