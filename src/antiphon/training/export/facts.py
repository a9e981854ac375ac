"""What is known of a trained model: where it lies, and what it was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from antiphon.encoders.checking import read_yaml
from antiphon.errors import AntiphonError, FileError
from antiphon.training.checkpoints.config import ModelConfig
from antiphon.training.config import split_origin

_MODEL = "model"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model's settings, and those of the run that made it as far as they are kept.

    Parameters
    ----------
    folder
        That holds the model.
    settings
        Of the model.
    run
        ``config.yaml`` of the run; empty where there is none.
    environment
        ``environment.json`` of the run, likewise.
    validation
        ``validation.json`` of the run, likewise.
    notes
        Which of these could not be read.
    """

    folder: Path
    settings: ModelConfig
    run: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name given to the model or the run, or else that of the folder."""
        given = self.settings.name or self.run.get("name")
        if given:
            return str(given)
        folder = self.folder.resolve()
        return folder.parent.name if folder.name == _MODEL else folder.name


def find_model_folder(path: Path) -> Path:
    """Return the folder of a model: the one given, or that of a run.

    Raises
    ------
    FileError
        There is no model; the message says what there is instead.
    """
    if (path / "model.yaml").is_file():
        return path
    if (path / _MODEL / "model.yaml").is_file():
        return path / _MODEL
    if not path.exists():
        raise FileError(path, "there is no such folder", "Check the path")
    if not path.is_dir():
        raise FileError(path, "is a file", "Give the folder of a model or of a training run")
    if (path / "config.yaml").is_file():
        raise FileError(
            path,
            "this training run is not finished, so it has no model yet",
            "Go on with it by the same command, and export it then",
        )
    raise FileError(
        path,
        "holds neither a model nor a training run",
        "Give a folder with model.yaml, or that of a run of antiphon pretrain, train-encoder or "
        "finetune",
    )


def read_facts(folder: Path, settings: ModelConfig) -> ModelFacts:
    """Gather what is kept beside a model; a note says which file could not be read."""
    run = folder.resolve().parent if folder.resolve().name == _MODEL else folder
    notes: list[str] = []
    return ModelFacts(
        folder,
        settings,
        run=_read(run / "config.yaml", read_yaml, notes),
        environment=_read(run / "environment.json", _json, notes),
        validation=_read(run / "validation.json", _json, notes),
        notes=tuple(notes),
    )


def settings_text(run: dict[str, Any]) -> str:
    """Return the settings of a run as YAML without the paths of the machine it ran on."""
    return yaml.safe_dump(
        _without_paths(run), sort_keys=False, allow_unicode=True, width=100
    ).rstrip()


def without_places(text: str, *paths: Path | None) -> str:
    """Return a text that names each path, and what is in it, from its last part on.

    Messages hold whole paths, which belong to somebody's machine.
    """
    for path in paths:
        for given in () if path is None else (path.resolve(), path.absolute()):
            if given.parent != given.parent.parent:
                text = text.replace(f"{given.parent}{os.sep}", "")
    return text


def describe_sources(run: dict[str, Any]) -> list[str]:
    """Return one sentence for each source of the training data."""
    told = []
    data = run.get("data")
    for source in data.get("sources") or () if isinstance(data, dict) else ():
        if not isinstance(source, dict):
            continue
        name = (
            source.get("name") or PureWindowsPath(str(source.get("path") or "")).name or "unnamed"
        )
        parts = [str(source.get("kind", "folder"))]
        if source.get("domain"):
            parts.append(f"domain {source['domain']}")
        if source.get("weight") is not None:
            parts.append(f"weight {source['weight']:g}")
        told.append(f"{name} ({', '.join(parts)})")
    return told


def _without_paths(value: Any) -> Any:
    """Keep of absolute paths the last part only: the others belong to somebody's machine."""
    if isinstance(value, dict):
        return {key: _without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_paths(inner) for inner in value]
    if not isinstance(value, str):
        return value
    name, path = split_origin(value)
    if not path.is_absolute() and not PureWindowsPath(path).is_absolute():
        return value
    # The class for Windows knows both kinds of separators.
    last = PureWindowsPath(path).name
    return f"{name}:{last}" if name else last


def _read(path: Path, reader: Callable[[Path], dict[str, Any]], notes: list[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return reader(path)
    except (AntiphonError, OSError, ValueError) as error:
        notes.append(f"nothing is taken from {path.name}: {error}")
        return {}


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("it holds no table")
    return value
