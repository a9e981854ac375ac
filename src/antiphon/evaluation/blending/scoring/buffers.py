"""Memory that is used again: fresh large arrays cost more than what is computed in them."""

from __future__ import annotations

import threading
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt


class Buffers(threading.local):
    """Named arrays of each thread, kept from one use to the next and grown where needed."""

    def __init__(self) -> None:
        self._flat: dict[tuple[str, np.dtype[Any]], npt.NDArray[Any]] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of any contents; the last one of this name is overwritten."""
        key, size = (name, np.dtype(dtype)), prod(shape)
        flat = self._flat.get(key)
        if flat is None or len(flat) < size:
            flat = self._flat[key] = np.empty(size, dtype=dtype)
        return flat[:size].reshape(shape)
