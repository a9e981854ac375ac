"""Which clip an example is: a pure function of the seed and the number of the example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.training.data.table import Bool, ClipTable, Float64, Int64

_ROUNDS = 6


class Permutation:
    """A random order of ``n`` things that is computed and not kept.

    A balanced Feistel network over the next power of four (Luby and Rackoff 1988), walked until
    it lands below ``n`` (Black and Rogaway 2002, section 4).

    Parameters
    ----------
    n
        How many things.
    key
        Seeds the order.
    """

    def __init__(self, n: int, *key: int) -> None:
        self._n = n
        self._half = max(1, (max(n - 1, 1).bit_length() + 1) // 2)
        self._keys = [
            int(k) for k in np.random.SeedSequence(key).generate_state(_ROUNDS, np.uint64)
        ]

    def __call__(self, place: int) -> int:
        """Return the thing at a place, both from 0 to ``n - 1``."""
        value = place
        while True:
            value = self._shuffle(value)
            if value < self._n:
                return value

    def _shuffle(self, value: int) -> int:
        mask = (1 << self._half) - 1
        left, right = value >> self._half, value & mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        return left << self._half | right


def _mixed(value: int) -> int:
    """Return 64 well mixed bits: the finaliser of SplitMix64 (Steele et al. 2014)."""
    value &= 0xFFFFFFFFFFFFFFFF
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    value = (value ^ value >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return value ^ value >> 31


class ClipSampler:
    """Chooses clips by their weights, evenly spread over each pass.

    ``n`` examples are one pass over ``n`` clips. Their places on the cumulated weights lie evenly
    apart (systematic sampling) in a random order; so in each pass a clip is drawn its expected
    number of times, rounded down or up. With equal weights that is every clip once.

    Parameters
    ----------
    weights
        ``(n,)`` not negative.
    seed
        Of the run.

    Raises
    ------
    UserError
        No clip has a weight above 0.
    """

    def __init__(self, weights: npt.ArrayLike, seed: int) -> None:
        values = np.asarray(weights, np.float64)
        if not len(values) or not values.sum() > 0:
            raise UserError("No clip can be drawn: the sources hold none, or all weights are 0.")
        self._ends: Float64 = np.cumsum(values)
        self._ends /= self._ends[-1]
        self._last = int(np.flatnonzero(values)[-1])
        self._seed = seed
        self._pass = -1
        self._order = Permutation(1, 0)
        self._phase = 0.0

    def __len__(self) -> int:
        return len(self._ends)

    def clip(self, example: int, attempt: int = 0) -> int:
        """Return the clip of an example.

        Parameters
        ----------
        example
            From 0.
        attempt
            Above 0: the clip that takes the place of one that cannot be read.
        """
        if attempt:
            rng = np.random.default_rng([self._seed, 11, example, attempt])
            return self._at(float(rng.random()))
        number, place = divmod(example, len(self))
        if number != self._pass:
            # Kept from one example to the next, but a function of the seed and the pass alone.
            self._pass = number
            self._order = Permutation(len(self), self._seed, 12, number)
            self._phase = float(np.random.default_rng([self._seed, 13, number]).random())
        return self._at((self._order(place) + self._phase) / len(self))

    def _at(self, share: float) -> int:
        return min(int(np.searchsorted(self._ends, share, side="right")), self._last)


def clip_weights(
    table: ClipTable,
    *,
    mix: Mapping[Any, float] | None = None,
    long_tail: float = 0.0,
    per_class: tuple[int | None, int | None] | None = None,
) -> Float64:
    """Return the probability with which each clip is drawn, ``(n,)``, in sum 1.

    Between sources by domain and weight; within a source by classes. A clip counts as
    ``max over its classes of N_c ** -long_tail``, with ``N_c`` the clips of the class over all
    sources: the repeat factor of Gupta, Dollar and Girshick (2019, LVIS, section 4.2) with a free
    power. Clips without a class count as one class of their own. With limits a class counts as if
    it had ``n_c`` clips, ``N_c`` brought within them, each ``n_c / N_c`` of a clip.

    Parameters
    ----------
    table
        The clips.
    mix
        Weight of each domain; None to draw sources by their own weights alone. Domains without
        clips drop out.
    long_tail
        0 to 1.
    per_class
        Least and most clips of a class; None for no limit. Clips without a class have none.

    Raises
    ------
    UserError
        A domain of the mix is no domain of any source.
    """
    source = table.source_of_clips
    here = np.bincount(source, minlength=len(table.sources))
    share = np.array(
        [
            0.0 if not n else float(n) if info.weight is None else info.weight
            for info, n in zip(table.sources, here, strict=True)
        ]
    )
    if mix is not None:
        domains = np.array([info.domain for info in table.sources])
        for domain, weight in mix.items():
            mine: Bool = domains == domain
            if not mine.any() and weight > 0:
                raise UserError(
                    f"data.mix gives {domain!r} a weight, but no source is of that domain. Set "
                    "domain in the sources, or take it out of the mix."
                )
            if share[mine].sum() > 0:
                share[mine] *= weight / share[mine].sum()
        for domain in set(domains) - set(mix):
            share[domains == domain] = 0.0
    inside = np.ones(len(table))
    if long_tail > 0 or per_class is not None:
        inside = _rarity(table, long_tail, per_class or (None, None))
    total = np.bincount(source, weights=inside, minlength=len(table.sources))
    weights = inside * (share / np.where(total > 0, total, 1.0))[source]
    whole = weights.sum()
    result: Float64 = weights / whole if whole > 0 else weights
    return result


def _rarity(table: ClipTable, power: float, limits: tuple[int | None, int | None]) -> Float64:
    length = np.diff(table.class_first)
    found = np.maximum(table.class_counts(), 1).astype(np.float64)
    least, most = limits
    taken = np.clip(found, least or 1, most or np.inf)
    per_class = taken / found * taken**-power
    bare = length == 0
    out = np.full(len(table), float(max(1, int(bare.sum()))) ** -power)
    rows = np.flatnonzero(~bare)
    if len(rows):
        # Lists of clips with classes lie one after the other, so each begins where one ends.
        starts: Int64 = table.class_first[:-1][rows]
        out[rows] = np.maximum.reduceat(per_class[table.class_of], starts)
    return out
