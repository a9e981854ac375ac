"""Data sets in the form in which they are judged, and where each comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.embedding.cache import AudioHashes
from antiphon.evaluation.benchmarks.embedding.windowing import WindowRule
from antiphon.evaluation.benchmarks.sets.dataset import BenchmarkDataset
from antiphon.evaluation.benchmarks.sets.items import Item, Labelled
from antiphon.evaluation.benchmarks.sets.local import SHIFT_S, WINDOW_S, read_local
from antiphon.evaluation.benchmarks.sets.recipe import Family, recipes_of


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A data set with the rules that it is judged by.

    Parameters
    ----------
    name, title, suite
        Short name, name for people, and the suite (``local`` for a user's own data).
    family
        Which protocols judge it.
    labelled
        Its items.
    multilabel
        Whether items may have several labels, or none.
    rule
        Which rows an item gives.
    licence, page
        Of the publisher; empty for a user's own data.
    """

    name: str
    title: str
    suite: str
    family: Family
    labelled: Labelled
    multilabel: bool
    rule: WindowRule
    licence: str = ""
    page: str = ""

    def code(self, items: Sequence[Item]) -> npt.NDArray[Any]:
        """Return labels: ``(n,)`` int64 classes, or ``(n, C)`` int8 of 0 and 1."""
        number = {name: i for i, name in enumerate(self.labelled.classes)}
        if not self.multilabel:
            return np.array([number[item.labels[0]] for item in items], np.int64)
        out = np.zeros((len(items), len(number)), np.int8)
        for row, item in enumerate(items):
            for label in item.labels:
                out[row, number[label]] = 1
        return out

    def key(self, hashes: AudioHashes) -> str:
        """Return a digest of all that a result depends on: audio, labels, sides, rules.

        Files that cannot be read count by their name, so that they are tried again when they can.
        """
        facts = [
            self.name,
            self.family,
            self.multilabel,
            self.rule.key(),
            list(self.labelled.classes),
        ]
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
        for item in self.labelled.items:
            try:
                content = hashes.of(item.path)
            except UserError:
                content = f"unread {item.path.name}"
            row = {**asdict(item), "path": content, "group": item.group}
            digest.update(json.dumps(row, sort_keys=True).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class SetSource:
    """Where a data set comes from; plain enough to be handed to another process.

    Parameters
    ----------
    name
        Of a recipe, or of a user's folder.
    data
        The folder of all data sets, or the user's folder.
    family
        For a user's folder: how it is judged; empty for a recipe.
    labels
        For a user's folder: its table, where it is not the only one.
    window_s, shift_s
        For a user's folder: windows of detection.
    each_individual
        For a user's folder: whether each individual's repertoire is a set of its own.
    """

    name: str
    data: Path
    family: str = ""
    labels: Path | None = None
    window_s: float = WINDOW_S
    shift_s: float = SHIFT_S
    each_individual: bool = False

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return f"{self.name} ({self.family})" if self.family else self.name

    def load(self) -> JudgedSet:
        """Read labels and sides; see :class:`BenchmarkDataset` and :func:`read_local`."""
        if not self.family:
            recipe = recipes_of(self.name)[0]
            return JudgedSet(
                recipe.name,
                recipe.title,
                recipe.suite,
                recipe.family,
                BenchmarkDataset(recipe, self.data).load(),
                recipe.multilabel,
                WindowRule(recipe.window_s, recipe.shift_s, recipe.max_s),
                recipe.licence,
                recipe.page,
            )
        found, _ = read_local(
            self.data,
            labels=self.labels,
            families=(self.family,),
            window_s=self.window_s,
            shift_s=self.shift_s,
            each_individual=self.each_individual,
        )
        named = [one for one in found if one.name == self.name]
        if not named:
            raise UserError(f"{self.data} holds no {self.name} any more.")
        one = named[0]
        return JudgedSet(
            self.name,
            f"{self.name}, own data",
            "local",
            one.family,
            one.labelled,
            one.multilabel,
            WindowRule(one.window_s, one.shift_s),
        )


def sources_of(suites: Sequence[str], data: Path) -> list[SetSource]:
    """Return the published data sets of suites or by name, each once.

    Raises
    ------
    UserError
        If a suite or name is unknown.
    """
    names = dict.fromkeys(recipe.name for suite in suites for recipe in recipes_of(suite))
    return [SetSource(name, data) for name in names]


def local_sources(
    folders: Sequence[Path],
    *,
    labels: Path | None = None,
    families: Sequence[str] = (),
    window_s: float = WINDOW_S,
    shift_s: float = SHIFT_S,
    each_individual: bool = False,
) -> tuple[list[SetSource], list[str]]:
    """Return a source for each family of each folder, and which families are left out.

    Raises
    ------
    UserError
        As :func:`read_local`; and if two folders have the same name.
    """
    found: list[SetSource] = []
    left_out: list[str] = []
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise UserError(f"Two folders have the same name ({', '.join(names)}); rename one.")
    for folder in folders:
        sets, why = read_local(
            folder,
            labels=labels,
            families=families,
            window_s=window_s,
            shift_s=shift_s,
            each_individual=each_individual,
        )
        left_out += why
        found += [
            SetSource(one.name, folder, one.family, labels, window_s, shift_s, each_individual)
            for one in sets
        ]
    return found, left_out
