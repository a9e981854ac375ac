"""A space in which length tells how far a window is from the background."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32
from antiphon.active.geometry.whitening import Fit, partly_whitened, principal_axes


def salient(
    embeddings: Float32, dims: int = 128, power: float = 0.5, *, fit: Fit | None = None
) -> Float32:
    """Return partly whitened principal components of unit-length embeddings, ``(n, k)`` float32.

    The mean of an archive is close to its background, since most windows hold little else, so
    that windows with events are long vectors and empty ones short. Scaled to unit length, empty
    windows would be spread over all directions and seem as new as any event.

    Parameters
    ----------
    embeddings
        ``(n, d)`` float32; each is scaled to length 1 before the components are fitted.
    dims
        How many components; k is the smallest of it, n and d.
    power
        By which standard deviations are divided out: 0 leaves the components as they are, 1
        gives all the same variance.
    fit
        The components, if they have been fitted to the unit-length embeddings already.

    Returns
    -------
    points
        Their mean squared length is 1.
    """
    fit = fit or principal_axes(embeddings, dims, unit=True)
    points = partly_whitened(embeddings, fit, power)
    size = float(np.sqrt(np.einsum("ij,ij->i", points, points).mean(dtype=np.float64)))
    points /= np.float32(max(size, 1e-12))
    return points
