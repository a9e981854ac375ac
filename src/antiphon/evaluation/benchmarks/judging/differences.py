"""Encoders compared on the same items: what both find easy or hard cancels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.evaluation.benchmarks.judging.results import Result
from antiphon.evaluation.protocols.scoring import mean_of_items

ENOUGH_GROUPS = 10
"""Groups below which the ends of a bootstrap interval are rough."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The best encoder of a data set against another, by the probe's accuracy.

    Parameters
    ----------
    name, family
        Of the data set.
    best, other
        Encoders; ``best`` has the higher accuracy on the shared items.
    value, low, high
        Accuracy of the best minus that of the other, and its 95 % interval over groups.
    items, groups
        Items that both judged, and recordings or sources that they come from.
    """

    name: str
    family: str
    best: str
    other: str
    value: float
    low: float
    high: float
    items: int
    groups: int

    @property
    def verdict(self) -> str:
        """In words."""
        if not math.isfinite(self.low):
            return "cannot be told: a single recording or source"
        said = "better" if self.low > 0 else "not told apart"
        if self.groups < ENOUGH_GROUPS:
            said += f" (only {self.groups} groups: the ends are rough)"
        return said


def differences(
    results: Sequence[Result], *, seed: int = 0, n_resamples: int = 1000
) -> list[Difference]:
    """Compare the best encoder of each data set with every other one.

    Only sets whose items have one label each can be compared so, and only items that both encoders
    could embed.
    """
    by_set: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.per_item:
            by_set[(result.name, result.family)].append(result)
    found = []
    for (name, family), mine in by_set.items():
        if len(mine) < 2:
            continue
        shared = sorted(set.intersection(*(set(r.per_item) for r in mine)))
        if not shared:
            continue
        right = np.array([[r.per_item[item][0] for item in shared] for r in mine])
        groups = np.array([mine[0].per_item[item][1] for item in shared])
        best = int(right.mean(axis=1).argmax())
        for other, result in enumerate(mine):
            if other == best:
                continue
            rng = np.random.default_rng(seed)
            gap = mean_of_items(right[best] - right[other], groups, rng, n_resamples)
            found.append(
                Difference(
                    name,
                    family,
                    mine[best].encoder.label,
                    result.encoder.label,
                    gap.value,
                    gap.low,
                    gap.high,
                    len(shared),
                    len(np.unique(groups)),
                )
            )
    return found
