"""Greedy k-centre in a half-whitened space, where loudness and background weigh less."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.spaces import whitened


@strategy(
    "coreset-whitened",
    "windows that cover the kinds of sound in the archive: coreset in a half-whitened space",
    "Sener and Savarese (2018), arXiv:1708.00489; PCA whitening, Kessy, Lewin and Strimmer "
    "(2018), doi:10.1080/00031305.2016.1277159",
)
def coreset_whitened(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest distance to the labelled and chosen windows.

    The space is that of the first 64 principal components of L2-normalised embeddings, divided
    by the fourth root of their variance and normalised again. Labels are not looked at.
    """
    weight = np.ones(pool.size, np.float32)
    return farthest_first(
        whitened(pool), pool.candidates(), pool.labelled, weight, n, pool.generator
    )
