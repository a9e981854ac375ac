"""How a shortlist is made up, and how much of it fits into memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.errors import UserError

# What choosing takes for each of the shortlist's vectors, in copies of it; measured.
_COPIES = 4.5
# Chunks on their way and what Lance reads ahead of them; measured.
_PASS_BYTES = 180 * 10**6
# Squares of the vectors' length: the covariance and its decomposition, in float64.
_SQUARES = 6
_BYTES_PER_WINDOW = 18
_MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class ShortlistSettings:
    """How a shortlist is made up.

    Parameters
    ----------
    total
        Rows that a strategy may choose from; at least four times the batch is taken.
    novel, doubtful, likely
        Shares of the rows farthest from all labelled ones, of those with the largest novelty times
        doubt, and of those with the largest probabilities, equally many for each label. The rest
        is uniformly random. Before the first training ``novel`` has the share of ``doubtful`` too,
        and random rows that of ``likely``.
    dims
        Length of the projected vectors that novelty is measured on.
    sample
        Random rows that the projection and the cells are fitted on.
    cover
        Labelled rows that distances are taken to; where there are more, as many of them that
        cover the rest.
    cells
        Regions of the space; none gives more than four times its equal share of the novel and of
        the doubtful rows.
    labelled
        Labelled rows that the strategy sees at most: those of the cover and random ones.
    floor
        Added to the doubt of 0 to 1, so that novelty counts where the detector is sure.
    """

    total: int = 20_000
    novel: float = 0.25
    doubtful: float = 0.25
    likely: float = 0.25
    dims: int = 64
    sample: int = 8_192
    cover: int = 1_024
    cells: int = 256
    labelled: int = 5_000
    floor: float = 0.05

    def __post_init__(self) -> None:
        for name in ("total", "dims", "sample", "cover", "cells", "labelled"):
            if getattr(self, name) < 1:
                raise UserError(f"The shortlist's {name} is {getattr(self, name)}; at least 1.")
        shares = (self.novel, self.doubtful, self.likely)
        if min(shares) < 0.0 or sum(shares) > 1.0:
            raise UserError(
                f"The shortlist's shares are novel {self.novel:g}, doubtful {self.doubtful:g} and "
                f"likely {self.likely:g}; they are not negative, and together at most 1."
            )


def fitting_total(
    n: int,
    candidates: int,
    labelled: int,
    size: int,
    dim: int,
    memory_mb: float,
    settings: ShortlistSettings,
) -> tuple[int, tuple[str, ...]]:
    """Return how many candidates fit into a shortlist, and what is to be said of it."""
    wanted = max(settings.total, 4 * n)
    each = 4 * dim * _COPIES
    fixed = float(_PASS_BYTES) + 8 * _SQUARES * dim**2 + _BYTES_PER_WINDOW * size
    fixed += each * min(labelled, settings.labelled)
    fits = int((memory_mb * _MEGABYTE - fixed) // each)
    least = min(candidates, 4 * n)
    if fits < least:
        needed = (fixed + each * least) / _MEGABYTE
        raise UserError(
            f"{memory_mb:g} MB are too little to choose {n} of {size:,} windows with vectors of "
            f"{dim}; {np.ceil(needed):.0f} MB will do."
        )
    if fits >= min(candidates, wanted):
        return wanted, ()
    return fits, (f"{memory_mb:g} MB hold a shortlist of {fits:,} windows, not {wanted:,}.",)
