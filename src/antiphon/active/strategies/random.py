"""Uniformly random windows: the yardstick, and the only unbiased sample."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy


@strategy("random", "uniformly random windows", "simple random sampling without replacement")
def random(pool: PoolView, n: int) -> Selection:
    """Choose ``n`` candidates with equal probability."""
    rows = pool.generator.choice(pool.candidates(), size=n, replace=False)
    return Selection(rows.astype(np.int64), np.ones(n, np.float32))
