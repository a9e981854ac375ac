"""Which segment lies in which recording, bout and site, and which recordings judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.active.dataset import Bool, Int64
from antiphon.active.simulate.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Layout:
    """Segments in the order of recordings and time; all arrays ``(n,)``.

    Parameters
    ----------
    site, recording, bout
        Numbers from 0; bouts lie within recordings, recordings within sites.
    position
        Number of the segment within its recording.
    validation
        Whether the segment judges; the same for all of a recording.
    repeats
        Whether the segment nearly repeats the one before, which lies in the same bout.
    """

    site: Int64
    recording: Int64
    bout: Int64
    position: Int64
    validation: Bool
    repeats: Bool

    def __len__(self) -> int:
        return len(self.site)


def lay_out(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """Draw recordings for the pool and for validation apart, so that none lies in both."""
    lengths, validation = [], []
    for count, judges in ((recipe.n_pool, False), (recipe.n_validation, True)):
        part = _lengths(count, recipe.segments_per_recording, rng)
        lengths.append(part)
        validation.append(np.full(len(part), judges))
    length = np.concatenate(lengths)
    judges_of = np.concatenate(validation)
    share = 1.0 / np.arange(1, recipe.n_sites + 1) ** 0.5
    site_of = rng.choice(recipe.n_sites, size=len(length), p=share / share.sum())
    recording = np.repeat(np.arange(len(length)), length)
    n = len(recording)
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    position = np.arange(n) - start[recording]
    fresh = (position == 0) | (rng.random(n) < 1.0 / recipe.bout)
    # A repeat continues its bout, so the share is raised by what the starts of bouts take away.
    chance = min(1.0, recipe.duplicates / max(1e-9, float(np.mean(~fresh)))) if n > 1 else 0.0
    repeats = ~fresh & (rng.random(n) < chance)
    return Layout(
        site=site_of[recording].astype(np.int64),
        recording=recording.astype(np.int64),
        bout=np.cumsum(fresh).astype(np.int64) - 1,
        position=position.astype(np.int64),
        validation=judges_of[recording],
        repeats=repeats,
    )


def _lengths(total: int, mean: float, rng: np.random.Generator) -> Int64:
    """Split ``total`` segments into recordings of about ``mean``, each between half and double."""
    count = max(2 if total >= 4 else 1, round(total / mean))
    weight = rng.uniform(0.5, 1.5, count)
    cuts = np.round(np.cumsum(weight) / weight.sum() * total).astype(np.int64)
    lengths = np.diff(cuts, prepend=0)
    kept: Int64 = lengths[lengths > 0]
    return kept
