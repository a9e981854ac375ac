"""What the runtimes share: sessions, the facts of one, and a pool for objects of one thread."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What computes a network, as read back from it.

    Parameters
    ----------
    runtime, version
        As ``openvino`` and its version.
    precision_asked, precision
        ``f32``, ``bf16`` or ``f16``: what was asked for, and what it says it computes in. For a
        file that stores other types they are added, as in ``f32 (file stores float16)``.
    layers
        Steps of the compiled network by the type that each computes in, where the runtime tells.
    """

    runtime: str
    version: str
    precision_asked: str
    precision: str
    layers: dict[str, int]

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)


class Session(Protocol):
    """A model file that is loaded; a :class:`antiphon.encoders.network.Network` with its facts.

    :meth:`run` computes window by window on the thread that calls it, so that a result cannot
    depend on its batch, and may be called from several threads at once.
    """

    @property
    def facts(self) -> RuntimeFacts:
        """What computes it."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where it is open."""
        ...

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        ...

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Turn ``(n, ...)`` into the wanted outputs, ``(n, ...)`` float32 each."""
        ...

    def warm(self, threads: int) -> None:
        """Make ready for so many threads at once, so that the first calls do not wait."""
        ...


class Pool(Generic[T]):
    """Objects that serve one thread at a time; another is made when all are in use.

    Parameters
    ----------
    make
        Makes one.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: queue.SimpleQueue[T] = queue.SimpleQueue()

    @contextmanager
    def one(self) -> Iterator[T]:
        """Lend one."""
        try:
            item = self._idle.get_nowait()
        except queue.Empty:
            item = self._make()
        try:
            yield item
        finally:
            self._idle.put(item)

    def warm(self, count: int) -> None:
        """Make as many as there would be with ``count`` threads."""
        for _ in range(count - self._idle.qsize()):
            self._idle.put(self._make())
