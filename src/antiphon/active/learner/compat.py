"""The task's baselines with BaseAL's draws, ties and cold start, to repeat its runs exactly.

They choose what the strategies of the same names choose, but a utility is drawn or computed for
every candidate in ascending order of rows, and the batch is the end of its ``argsort``: the most
wanted row comes last, and ties fall as NumPy's sort leaves them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, Strategy, StrategyCard
from antiphon.active.geometry.farthest import k_centre


def as_in_baseal(card: StrategyCard) -> StrategyCard:
    """Return the baseline of that name as BaseAL has it, or the card itself for other names."""
    function = _BASELINES.get(card.name)
    return card if function is None else replace(card, strategy=function)


def _random(pool: PoolView, n: int) -> Selection:
    free = pool.candidates()
    return _end_of_argsort(pool, pool.generator.random(len(free), dtype=np.float32), n)


def _margin(pool: PoolView, n: int) -> Selection:
    assert pool.probabilities is not None
    ordered = np.sort(pool.probabilities[pool.candidates()], axis=1)
    return _end_of_argsort(pool, 1.0 - (ordered[:, -1] - ordered[:, -2]), n)


def _margin_multilabel(pool: PoolView, n: int) -> Selection:
    assert pool.probabilities is not None
    distance = np.mean(np.abs(pool.probabilities[pool.candidates()] - 0.5), axis=1)
    return _end_of_argsort(pool, (1.0 - distance / 0.5).astype(np.float32), n)


def _coreset(pool: PoolView, n: int) -> Selection:
    """Greedy k-centre after a random first batch; the farthest row comes first."""
    if len(pool.labelled) == 0:
        return _random(pool, n)
    return k_centre(
        pool.embeddings, pool.candidates(), pool.labelled, n, pool.generator, pool.cache
    )


def _end_of_argsort(pool: PoolView, utility: Float32, n: int) -> Selection:
    best = np.argsort(utility)[-n:]
    return Selection(pool.candidates()[best], utility[best])


_BASELINES: dict[str, Strategy] = {
    "random": _random,
    "margin": _margin,
    "margin-multilabel": _margin_multilabel,
    "coreset": _coreset,
}
