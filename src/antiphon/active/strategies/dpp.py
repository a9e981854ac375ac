"""Determinantal point process: doubtful windows, different from each other and from the known."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.doubt import balanced_entropy, learned
from antiphon.active.geometry.map_dpp import condition, gaussian_kernel, greedy_mode
from antiphon.active.geometry.spaces import whitened

# Candidates among which the process chooses, and labelled windows it is conditioned on.
POOL = 1000
GIVEN = 1000
# Width of the similarity; random whitened vectors are about 1.4 apart.
WIDTH = 0.7


@strategy(
    "dpp",
    "doubtful windows unlike each other and unlike the labelled ones: the greedy mode of a "
    "determinantal point process of quality and similarity",
    "Biyik et al. (2019), arXiv:1906.07975; greedy mode: Chen et al. (2018), arXiv:1709.05135",
)
def dpp(pool: PoolView, n: int) -> Selection:
    """Choose the greedy mode of a DPP with kernel ``q_i S_ij q_j``, given the labelled windows.

    Quality q is the class-balanced entropy, 1 before the first training; S is a Gaussian of the
    distance in the whitened space. The process runs over the thousand candidates of largest
    quality (random ones where all are the same) and is conditioned on the labelled windows, the
    last thousand if there are more. Utility is the variance that a window had left when chosen.
    """
    points = whitened(pool)
    free = pool.generator.permutation(pool.candidates())
    quality = np.ones(len(free), np.float32)
    probability = learned(pool)
    if probability is not None:
        quality = 0.05 + balanced_entropy(probability[free], pool.labels)
    best = np.argsort(-quality, kind="stable")[: max(POOL, n)]
    rows, weight = free[best], quality[best].astype(np.float64)
    given = points[pool.labelled[-GIVEN:]]
    kernel = condition(
        gaussian_kernel(points[rows], points[rows], WIDTH),
        gaussian_kernel(given, points[rows], WIDTH),
        gaussian_kernel(given, given, WIDTH),
    )
    order, variance = greedy_mode(weight[:, None] * kernel * weight, n)
    return Selection(rows[order], variance.astype(np.float32))
