"""Windows drawn at random inside strata."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class Stratified:
    """Windows drawn at random without replacement inside strata, as strata of the score.

    Parameters
    ----------
    stratum
        ``(n,)`` stratum of each labelled window.
    sizes
        Windows of the archive in each stratum, by its name.

    Raises
    ------
    UserError
        If a stratum is unknown, has fewer windows than labels, or has windows but no label.

    Notes
    -----
    Variance with finite population correction (Cochran 1977, *Sampling Techniques*, equation 5.10).
    A stratum with one label is joined to the next one for the variance, which makes it larger.
    """

    kind = "stratified"

    def __init__(self, stratum: npt.ArrayLike, sizes: Mapping[object, int]) -> None:
        names = list(np.asarray(stratum).tolist())
        unknown = sorted({str(name) for name in names if name not in sizes})
        if unknown:
            raise UserError(f"Labelled windows are of strata without a size: {', '.join(unknown)}.")
        strata = [name for name in sizes if sizes[name] > 0]
        place = {name: i for i, name in enumerate(strata)}
        missing = sorted({str(name) for name in names if name not in place})
        if missing:
            raise UserError(f"Labelled windows are of strata of size 0: {', '.join(missing)}.")
        self.names = strata
        self.sizes: Int64 = np.array([sizes[name] for name in strata], np.int64)
        self.stratum: Int64 = np.array([place[name] for name in names], np.int64)
        self.counts: Int64 = np.bincount(self.stratum, minlength=len(strata))
        for name, size, count in zip(strata, self.sizes, self.counts, strict=True):
            if count == 0:
                raise UserError(
                    f"Stratum {name} has {size:,} windows and no label: its windows had no chance "
                    "of being drawn. Label some of it, or leave it out and say so."
                )
            if count > size:
                raise UserError(f"Stratum {name} has {count:,} labels but only {size:,} windows.")
        self.size = int(self.sizes.sum())
        self.weight: Float64 = (self.sizes / self.counts)[self.stratum]
        self._joined, single = _join_single(self.counts, self.sizes)
        self.note = ""
        if single:
            self.note = (
                f"{single} strata with one label were joined to their neighbours for the variance"
            )

    def variance(self, z: Float64) -> tuple[float, float]:
        """Return the variance of ``sum(weight * z)`` over samples, and its degrees of freedom.

        As in :class:`~antiphon.evaluation.archive.designs.Design`; degrees after Satterthwaite
        (Cochran 1977, 5.16).
        """
        at = self._joined[self.stratum]
        sizes = np.bincount(self._joined, weights=self.sizes)
        counts = np.bincount(at).astype(np.float64)
        mean = np.bincount(at, weights=z) / counts
        square = np.bincount(at, weights=(z - mean[at]) ** 2)
        df = np.maximum(counts - 1.0, 1.0)
        parts = sizes**2 * (1.0 - counts / sizes) * square / df / counts
        total = float(parts.sum())
        if total == 0:
            return 0.0, float(df.sum())
        return total, total**2 / float((parts**2 / df).sum())

    def resampled(self, count: int, rng: np.random.Generator) -> Float64:
        """Return weights of bootstrap samples, ``(count, n)`` (Rao and Wu 1988).

        Strata lose one draw and weights are scaled so that the variance is unbiased, finite
        population correction included; *J. Am. Stat. Assoc.* 83: 231, equation 4.1.
        """
        out = np.empty((count, len(self.stratum)))
        joined = self._joined[self.stratum]
        sizes = np.bincount(self._joined, weights=self.sizes)
        for h, size in enumerate(sizes):
            rows = np.flatnonzero(joined == h)
            n = len(rows)
            if n == 1:
                out[:, rows] = self.weight[rows]
                continue
            drawn = rng.multinomial(n - 1, np.full(n, 1.0 / n), size=count)
            apart = np.sqrt(1.0 - n / size) * (drawn * (n / (n - 1.0)) - 1.0)
            out[:, rows] = self.weight[rows] * (1.0 + apart)
        return out


def _join_single(counts: Int64, sizes: Int64) -> tuple[Int64, int]:
    """Return the stratum for the variance of each stratum, and how many had to be joined."""
    lone = (counts == 1) & (sizes > 1)
    joined = np.arange(len(counts))
    if len(counts) > 1:
        for h in np.flatnonzero(lone):
            neighbour = h + 1 if h + 1 < len(counts) else h - 1
            joined[joined == joined[h]] = joined[neighbour]
    _, numbers = np.unique(joined, return_inverse=True)
    return numbers, int(lone.sum())
