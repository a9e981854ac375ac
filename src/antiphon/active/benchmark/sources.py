"""Where the data sets of a benchmark come from, as plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from antiphon.active.dataset import LabelledSet
from antiphon.errors import FileError, UserError

if TYPE_CHECKING:
    from antiphon.active.baseal.config import BaseALConfig


@dataclass(frozen=True, slots=True)
class SetFacts:
    """What a report needs to know of a data set.

    Parameters
    ----------
    key, name, domain, multilabel, notes
        As in :class:`~antiphon.active.dataset.LabelledSet`.
    n_pool, n_judges, n_labels, dim
        Rows that may be selected, rows that judge, classes, length of an embedding.
    model
        Which vectors, as ``perch_v2``.
    """

    key: str
    name: str
    domain: str
    multilabel: bool
    n_pool: int
    n_judges: int
    n_labels: int
    dim: int
    notes: tuple[str, ...] = ()
    model: str = ""

    @classmethod
    def of(cls, data: LabelledSet, model: str = "") -> SetFacts:
        """Return the facts of a set."""
        return cls(
            key=data.key,
            name=data.name,
            domain=data.domain,
            multilabel=data.multilabel,
            n_pool=len(data.pool()),
            n_judges=len(data.judges()),
            n_labels=len(data.labels),
            dim=data.embeddings.shape[1],
            notes=data.notes,
            model=model,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SetFacts:
        """Read what :meth:`to_json` gave."""
        return cls(**{**values, "notes": tuple(values["notes"])})


class SetSource(Protocol):
    """Where data sets come from; the same in every process."""

    @property
    def title(self) -> str:
        """What messages call it."""
        ...

    def load(self, cache: Path | None) -> list[LabelledSet]:
        """Return the sets."""
        ...

    def vectors(self) -> str:
        """Return which model made the vectors."""
        ...

    def facts(self) -> list[SetFacts] | None:
        """Return the facts of the sets, or None where they must be loaded to know them."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return plain values for :func:`source_from_json`."""
        ...


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A BaseAL folder.

    Parameters
    ----------
    path
        Folder of one set.
    model
        Which vectors; None where there is one kind.
    compat
        Whether it is read as BaseAL reads it.
    split
        Whether each deployment prefix (``casey2014__...``) is a set of its own.
    """

    path: str
    model: str | None = None
    compat: bool = False
    split: bool = False
    kind: ClassVar[str] = "folder"

    @property
    def title(self) -> str:
        """The folder."""
        return self.path

    def load(self, cache: Path | None) -> list[LabelledSet]:
        """Read the folder."""
        from antiphon.active.baseal.data import read_subset, split_by_deployment

        data = read_subset(Path(self.path), self.model, compat=self.compat, cache=cache)
        return split_by_deployment(data) if self.split else [data]

    def vectors(self) -> str:
        """Return the name of the folder that holds them."""
        from antiphon.active.baseal.folders import vector_folder

        return vector_folder(Path(self.path), self.model).name

    def facts(self) -> list[SetFacts] | None:
        """Return None: it must be read."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The data of one experiment of BaseAL's ``config.yml``, by its index."""

    path: str
    index: int = 0
    compat: bool = False
    kind: ClassVar[str] = "config"

    @property
    def title(self) -> str:
        """File and experiment."""
        return f"{self.path}, experiment {self.index + 1}"

    def load(self, cache: Path | None) -> list[LabelledSet]:
        """Read the data that the experiment names."""
        return [self._experiment().read(compat=self.compat, cache=cache)]

    def vectors(self) -> str:
        """Return the experiment's ``model_name``."""
        return self._experiment().model_name

    def _experiment(self) -> BaseALConfig:
        from antiphon.active.baseal.config import read_config

        experiments = read_config(Path(self.path))
        if self.index >= len(experiments):
            raise FileError(self.path, f"it has no experiment {self.index + 1} any more")
        return experiments[self.index]

    def facts(self) -> list[SetFacts] | None:
        """Return None: it must be read."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class PresetSource:
    """A simulated set: a preset of :mod:`antiphon.active.simulate`, its variant and its seed."""

    preset: str
    variant: int = 0
    seed: int = 0
    kind: ClassVar[str] = "preset"

    @classmethod
    def parse(cls, text: str) -> PresetSource:
        """Read ``hsn``, ``hsn:3`` or ``hsn:3:1``: name, variant and seed.

        Raises
        ------
        UserError
            If it is not of that form, or there is no such preset.
        """
        from antiphon.active.simulate.presets import preset

        name, *numbers = text.split(":")
        if len(numbers) > 2 or not all(n.isdecimal() for n in numbers):
            raise UserError(
                f"The preset {text!r} is not understood. Write NAME, NAME:VARIANT or "
                "NAME:VARIANT:SEED, as in hsn:3."
            )
        source = cls(name, *(int(n) for n in numbers))
        preset(source.preset, source.variant)
        return source

    @property
    def title(self) -> str:
        """Preset, variant and, if it is not 0, seed."""
        return f"{self.preset}.{self.variant}" + (f"-s{self.seed}" if self.seed else "")

    def load(self, cache: Path | None) -> list[LabelledSet]:
        """Generate the set."""
        from antiphon.active.simulate.generate import generate
        from antiphon.active.simulate.presets import preset

        data = generate(preset(self.preset, self.variant), self.seed)
        return [replace(data, name=self.title, key=self.key())]

    def vectors(self) -> str:
        """Return that they are simulated."""
        return "simulated"

    def facts(self) -> list[SetFacts] | None:
        """Return what the recipe says; nothing is generated."""
        from antiphon.active.simulate.presets import preset

        recipe = preset(self.preset, self.variant)
        return [
            SetFacts(
                key=self.key(),
                name=self.title,
                domain=recipe.domain,
                multilabel=True,
                n_pool=recipe.n_pool,
                n_judges=recipe.n_validation,
                n_labels=recipe.n_classes,
                dim=recipe.dimension,
                notes=(f"simulated, seed {self.seed}",),
                model=self.vectors(),
            )
        ]

    def key(self) -> str:
        """Return a digest of all that decides the set."""
        from antiphon.active.simulate.generate import ALGORITHM
        from antiphon.active.simulate.presets import preset

        recipe = preset(self.preset, self.variant).to_json()
        facts = {"algorithm": ALGORITHM, "seed": self.seed, **recipe}
        return digest(facts)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"kind": self.kind, **asdict(self)}


def source_from_json(values: Mapping[str, Any]) -> SetSource:
    """Read what a source's ``to_json`` gave.

    Raises
    ------
    UserError
        If its kind is not known.
    """
    kinds: dict[str, Any] = {k.kind: k for k in (FolderSource, ConfigSource, PresetSource)}
    given = dict(values)
    kind = given.pop("kind", None)
    if kind not in kinds:
        raise UserError(f"A data set of kind {kind!r} is not known. There are: {', '.join(kinds)}.")
    source: SetSource = kinds[kind](**given)
    return source


def digest(values: Any) -> str:
    """Return the digest of plain values."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
