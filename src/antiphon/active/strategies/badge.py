"""BADGE: windows with large and different gradients of the last layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.geometry.distances import squared_lengths
from antiphon.active.geometry.lazy_draws import draw_lazily
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]


@strategy(
    "badge",
    "windows whose gradients in the last layer are large and point in different directions",
    "Ash et al. (2020), arXiv:1906.03671",
    needs_head=True,
)
def badge(pool: PoolView, n: int) -> Selection:
    """Draw candidates by k-means++ on gradients of the loss at the predicted labels.

    With labels that exclude each other the loss is the cross-entropy at the most probable one:
    the gradient is ``(p - e_max) h^T``, where h is the input of the last layer. With several
    labels in a window it is the binary cross-entropy, and every label with a probability of 0.5
    or more is taken for present: ``(p - [p >= 0.5]) h^T``. The first window is that of the
    largest gradient, as in the paper; utility is the squared distance to those drawn before.

    Notes
    -----
    Gradients are never written out: inner products of outer products are products of inner
    products.
    """
    assert pool.head is not None
    free = pool.candidates()
    error = output_error(pool.head.probabilities()[free], multilabel=pool.multilabel)
    hidden = pool.head.hidden()
    strength = squared_lengths(error) * squared_lengths(hidden)[free]
    first = int(np.argmax(strength))

    def gaps(rows: Int64, centres: Int64) -> Float64:
        return gradient_distances(error, hidden, free, rows, centres)

    # No gradient is farther from the first than their lengths together.
    bound = np.square(np.sqrt(strength.astype(np.float64)) + np.sqrt(float(strength[first])))
    bound[first] = strength[first]
    with few_threads(0):
        rows, gap = draw_lazily(gaps, bound * (1.0 + 1e-5), n, pool.generator, first)
    return Selection(free[rows], gap.astype(np.float32))


def output_error(probability: Float32, *, multilabel: bool) -> Float32:
    """Return the gradient of the loss by the outputs at the predicted labels, ``(n, n_labels)``."""
    error: Float32
    if multilabel:
        error = probability - (probability >= 0.5)
    else:
        error = probability.copy()
        error[np.arange(len(error)), probability.argmax(axis=1)] -= 1.0
    return error.astype(np.float32)


def gradient_distances(
    error: Float32, hidden: Float32, free: Int64, rows: Int64, centres: Int64
) -> Float64:
    """Return squared distances between gradients ``error_i hidden_i^T``, ``(rows, centres)``.

    Parameters
    ----------
    error
        ``(k, n_labels)``.
    hidden
        ``(n, n_hidden)``.
    free
        ``(k,)`` rows of ``hidden`` that belong to those of ``error``.
    rows, centres
        Rows of ``error``.
    """
    a, b = error[rows].astype(np.float64), error[centres].astype(np.float64)
    x, y = hidden[free[rows]].astype(np.float64), hidden[free[centres]].astype(np.float64)
    own = squared_lengths(a) * squared_lengths(x)
    other = squared_lengths(b) * squared_lengths(y)
    found: Float64 = own[:, None] + other - 2.0 * (a @ b.T) * (x @ y.T)
    return np.maximum(found, 0.0)
