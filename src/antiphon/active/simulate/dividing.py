"""Divide sources between pool and validation, so that none is heard in both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from antiphon.active.simulate.recipe import Recipe
from antiphon.active.simulate.sources import Call, Sources, check_sources
from antiphon.errors import UserError

_TRIES = 2000


@dataclass(frozen=True, slots=True)
class Sides:
    """What the pool (False) and validation (True) are mixed from.

    Parameters
    ----------
    calls
        For each side, the calls of each class; none is empty.
    backgrounds
        For each side, its recordings.
    """

    calls: dict[bool, dict[str, tuple[Call, ...]]]
    backgrounds: dict[bool, tuple[Path, ...]]


def divide(sources: Sources, recipe: Recipe, rng: np.random.Generator) -> Sides:
    """Divide sources and backgrounds in about the ratio of the recipe's rows.

    Raises
    ------
    UserError
        There are too few sources, or those of several classes hang together so that no division
        leaves each class a source on either side.
    """
    check_sources(sources)
    share = recipe.n_validation / (recipe.n_pool + recipe.n_validation)
    judging: set[str] = set()
    for origins, labels in _components(sources):
        judging |= _draw(origins, labels, share, rng)
    calls: dict[bool, dict[str, tuple[Call, ...]]] = {}
    for judges in (False, True):
        mine: dict[str, list[Call]] = defaultdict(list)
        for call in sources.calls:
            if (call.source in judging) == judges:
                mine[call.label].append(call)
        calls[judges] = {label: tuple(found) for label, found in mine.items()}
    n = len(sources.backgrounds)
    first = min(n - 1, max(1, round(share * n)))
    order = [sources.backgrounds[i] for i in rng.permutation(n)]
    return Sides(calls, {True: tuple(order[:first]), False: tuple(order[first:])})


def _components(sources: Sources) -> list[tuple[list[str], list[set[str]]]]:
    """Return groups of sources that share classes, each with the sources of its classes."""
    of_label: dict[str, set[str]] = defaultdict(set)
    for call in sources.calls:
        of_label[call.label].add(call.source)
    groups: list[tuple[set[str], list[set[str]]]] = []
    for label in sorted(of_label):
        joined, labels = set(of_label[label]), [of_label[label]]
        apart = []
        for origins, theirs in groups:
            if origins & joined:
                joined |= origins
                labels += theirs
            else:
                apart.append((origins, theirs))
        groups = [*apart, (joined, labels)]
    return [(sorted(origins), labels) for origins, labels in groups]


def _draw(
    origins: list[str], labels: list[set[str]], share: float, rng: np.random.Generator
) -> set[str]:
    """Return the sources that go to validation: each class has some there and some not."""
    for _ in range(_TRIES):
        chosen = {
            o for o, there in zip(origins, rng.random(len(origins)) < share, strict=True) if there
        }
        if all(label & chosen and label - chosen for label in labels):
            return chosen
    raise UserError(
        f"The sources {', '.join(origins[:5])} cannot be divided between pool and validation so "
        "that each class has one on either side. Add sources, or leave a class out."
    )
