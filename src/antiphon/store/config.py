"""Settings of a project: ``antiphon.toml``, checked strictly; comments survive a change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tomlkit.exceptions import ParseError

from antiphon.errors import FormatError, StoreError
from antiphon.replacing import replacing
from antiphon.store.faults import writing

FILE_NAME = "antiphon.toml"
FORMAT = 1

Channel = Literal["mix", "each"] | Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    """A group of settings in which a typing error is an error."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class AudioRoot(_Strict):
    """A folder of recordings: the catalogue knows its name, only this file knows its place."""

    name: str = Field(min_length=1, pattern=r"^[^/\\]+$")
    path: str = Field(min_length=1)


class CatalogueSettings(_Strict):
    """Where the catalogue is; the file ``catalogue.db`` of the project without a URL."""

    url: str | None = None


class VectorSettings(_Strict):
    """How vectors are written.

    ``flush_windows`` and ``flush_s`` say how much a worker collects before it commits;
    ``fsync_s`` how often its write-ahead file is forced to disk (a power cut can lose no more
    than that; a killed process loses nothing it finished).
    """

    dtype: Literal["float16", "float32"] = "float16"
    flush_windows: int = Field(default=16384, ge=1)
    flush_s: float = Field(default=60.0, gt=0)
    fsync_s: float = Field(default=5.0, ge=0)


class LabelSettings(_Strict):
    """How annotations become targets of windows."""

    min_overlap: float = Field(default=0.5, gt=0, le=1)


class TrainSettings(_Strict):
    """What training holds apart and aims at."""

    group_by: str = "recording"
    precision: float = Field(default=0.9, gt=0, lt=1)


class ProjectConfig(_Strict):
    """All settings of a project."""

    format: int = FORMAT
    channel: Channel = "mix"
    metadata: list[str] = Field(default_factory=list)
    audio: list[AudioRoot] = Field(default_factory=list)
    labels: LabelSettings = Field(default_factory=LabelSettings)
    train: TrainSettings = Field(default_factory=TrainSettings)
    vectors: VectorSettings = Field(default_factory=VectorSettings)
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)

    @field_validator("audio")
    @classmethod
    def _names_differ(cls, roots: list[AudioRoot]) -> list[AudioRoot]:
        names = [root.name for root in roots]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two audio folders have the name {twice[0]!r}")
        return roots


def read_config(path: Path) -> ProjectConfig:
    """Read ``antiphon.toml``.

    Raises
    ------
    FormatError
        If the file is no TOML, or holds an unknown or impossible setting; the message names it.
    StoreError
        If a newer version of Antiphon wrote it.
    """
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", "Check the file") from error
    except ParseError as error:
        raise FormatError(path, f"is not TOML ({error})", "Correct that line") from error
    facts = document.unwrap()
    version = facts.get("format", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        raise StoreError(
            f"{path}: this project has format {version}, and this Antiphon knows formats up to "
            f"{FORMAT}. Install a newer Antiphon: pip install --upgrade antiphon"
        )
    try:
        return ProjectConfig.model_validate(facts)
    except ValidationError as error:
        raise FormatError(path, _explain(error), "Correct it in that file") from error


def write_config(path: Path, config: ProjectConfig) -> None:
    """Write settings over a file, or make it; comments and the order of a file are kept.

    The file is replaced in one step, so that a killed process leaves the old one or the new one.
    """
    if path.exists():
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    else:
        document = tomlkit.document()
        document.add(tomlkit.comment("Settings of an Antiphon project."))
        document.add(tomlkit.comment("A disk that moved: change 'path' below, nothing else."))
    _update(document, config.model_dump(mode="json", exclude_none=True))
    with writing(path):
        replace_text(path, tomlkit.dumps(document))


def replace_text(path: Path, text: str) -> None:
    """Write a text file in one step; one that is there keeps its permissions."""
    with replacing(path, sync=True, make_folder=False, keep_mode=True) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _update(table: Any, values: dict[str, Any]) -> None:
    """Bring a TOML table up to date and touch only what differs."""
    for key, value in values.items():
        old = table.get(key)
        if isinstance(value, dict):
            if old is None:
                if value:
                    table[key] = value
            else:
                _update(old, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            _update_tables(table, key, value)
        elif old is None or old != value:
            table[key] = value
    for key in [key for key in table if key not in values]:
        del table[key]


def _update_tables(table: Any, key: str, values: list[dict[str, Any]]) -> None:
    """Bring an array of tables up to date, entry by entry."""
    old = table.get(key)
    if old is None or not hasattr(old, "append") or len(old) > len(values):
        old = tomlkit.aot()
        table[key] = old
    for i, value in enumerate(values):
        if i < len(old):
            _update(old[i], value)
        else:
            entry = tomlkit.table()
            for name, fact in value.items():
                entry[name] = fact
            old.append(entry)


def _explain(error: ValidationError) -> str:
    """Say in words what is wrong with settings, the first three faults."""
    parts = []
    for fault in error.errors()[:3]:
        place = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            parts.append(f"there is no setting {place!r}")
        else:
            parts.append(f"{place}: {fault['msg']} (it is {fault['input']!r})")
    return "; ".join(parts)
