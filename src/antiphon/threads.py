"""How many threads linear algebra uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

# Entries of a matrix below which more threads cost more than they bring. On a busy machine the
# threads of OpenBLAS wait for each other: a fit of 240 x 1,024 took a hundred times as long.
SMALL = 8_000_000


@contextmanager
def few_threads(entries: float) -> Iterator[None]:
    """Let BLAS use one thread while the work is small.

    Parameters
    ----------
    entries
        Size of the largest matrix, in entries; nothing is changed when it is above
        :data:`SMALL`.
    """
    if entries > SMALL:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    # SciPy brings a BLAS of its own; both must be loaded before the libraries are listed.
    import numpy.linalg  # noqa: F401
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
