"""LiteRT as a runtime of members, for networks that come as TFLite files."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from antiphon.encoders.manifest import Tensor
from antiphon.encoders.tflite import TfliteNetwork
from antiphon.soundscape.members.runtimes.session import Float32, Int64, Pool, RuntimeFacts

NAME = "litert"


class TfliteSession:
    """A TFLite file, one interpreter of one thread for each call.

    Parameters
    ----------
    path
        The model file.
    inputs
        Name or index of the input; None where there is only one.
    outputs
        Names or indices of the wanted tensors.

    Raises
    ------
    ModelError
        The file is not a TFLite model, or holds no such tensor.
    """

    def __init__(self, path: Path, inputs: Tensor | None, outputs: list[Tensor]) -> None:
        self._pool = Pool(lambda: TfliteNetwork(path, inputs, outputs, threads=1))
        self._pool.warm(1)
        with self._pool.one() as network:
            self._shape, self._dtype = network.input_shape, network.input_dtype
        version = importlib.metadata.version("ai-edge-litert")
        precision = "f32" if self._dtype == "float32" else f"f32 (file stores {self._dtype})"
        self._facts = RuntimeFacts(NAME, version, "f32", precision, {})

    @property
    def facts(self) -> RuntimeFacts:
        """What computes it."""
        return self._facts

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where it is open."""
        return self._shape

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        return self._dtype

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Compute the wanted tensors window by window; ``valid`` is not used."""
        with self._pool.one() as network:
            return network.run(tensor)

    def warm(self, threads: int) -> None:
        """Load interpreters for so many threads at once."""
        self._pool.warm(threads)
