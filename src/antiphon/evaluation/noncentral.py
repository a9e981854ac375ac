"""The noncentral t distribution, also where SciPy's has no value."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtr

Float64 = npt.NDArray[np.float64]

_NODES = 600


@cache
def _nodes() -> tuple[Float64, Float64]:
    """Return nodes and weights of Gauss and Legendre on (0, 1)."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    return (x + 1.0) / 2.0, w / 2.0


def noncentral_t_share(df: npt.ArrayLike, shift: npt.ArrayLike, t: npt.ArrayLike) -> Float64:
    """Return the share of a noncentral t distribution below ``t``.

    Parameters
    ----------
    df, shift, t
        Degrees of freedom, noncentrality and place; any shapes that go together.

    Notes
    -----
    ``P(T <= t) = E[Phi(t s - shift)]`` with s the square root of a chi-square over its degrees of
    freedom, by quadrature over the quantiles of s; the error is below 1e-6. SciPy 1.17's ``nctdtr``
    gives NaN at many places where it should be near 0 or 1.
    """
    df, shift, t = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (df, shift, t)))
    different, place = np.unique(df, return_inverse=True)
    s = np.stack([_scales(float(one)) for one in different])[place.reshape(df.shape)]
    share: Float64 = ndtr(t[..., None] * s - shift[..., None]) @ _nodes()[1]
    return share


@lru_cache(maxsize=1024)
def _scales(df: float) -> Float64:
    """Return s at the nodes, ``(nodes,)``; the inverse of chi-square is what takes time."""
    scales: Float64 = np.sqrt(chdtri(df, 1.0 - _nodes()[0]) / df)
    return scales
