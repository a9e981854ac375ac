"""ONNX Runtime as a runtime of members."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from antiphon.encoders.manifest import Tensor
from antiphon.encoders.onnx import OnnxNetwork
from antiphon.soundscape.members.runtimes.graph import GraphFacts, check_graph
from antiphon.soundscape.members.runtimes.session import Float32, Int64, RuntimeFacts

NAME = "onnxruntime"


class OnnxSession:
    """An ONNX file in ONNX Runtime, one thread per call, f32 as the CPU provider computes it.

    Parameters
    ----------
    path
        The model file.
    inputs
        Name or index of the input; None where there is only one.
    outputs
        Names or indices of the wanted outputs.
    valid
        Name or index of the input that takes the number of valid samples; None for none.

    Raises
    ------
    ModelError
        The file is not an ONNX model, was exported in training mode, or has no such input or
        output.
    """

    def __init__(
        self, path: Path, inputs: Tensor | None, outputs: list[Tensor], valid: Tensor | None = None
    ) -> None:
        graph = check_graph(path)
        self._network = OnnxNetwork(path, inputs, outputs, threads=1, valid=valid)
        self._facts = RuntimeFacts(NAME, ort.__version__, "f32", stored_precision(graph), {})

    @property
    def facts(self) -> RuntimeFacts:
        """What computes it."""
        return self._facts

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where it is open."""
        return self._network.input_shape

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        return self._network.input_dtype

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Compute the wanted outputs; see :class:`antiphon.encoders.onnx.OnnxNetwork`."""
        return self._network.run(tensor, valid)

    def warm(self, threads: int) -> None:
        """Do nothing: one session serves all threads."""


def stored_precision(graph: GraphFacts) -> str:
    """Return ``f32``, with what else a file stores: smaller numbers mean other results."""
    small = [kind for kind in ("float16", "bfloat16", "int8", "uint8") if graph.weights[kind]]
    return "f32" + (f" (file stores {', '.join(small)})" if small else "")
