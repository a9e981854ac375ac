"""Run ONNX files through ONNX Runtime on the CPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from antiphon.encoders.base import Float32, Int64
from antiphon.encoders.manifest import Tensor
from antiphon.errors import ModelError

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
}


class OnnxNetwork:
    """An ONNX file as a function from one input tensor to some of its outputs.

    Windows go through one by one, ``threads`` at a time: matrix products of different heights
    may differ in the last bit, and a result must not depend on its batch. A graph with a fixed
    batch takes the window in its first row and zeros in the others.

    Parameters
    ----------
    path
        The model file.
    inputs
        Name or index of the input; None where there is only one.
    outputs
        Names or indices of the wanted outputs.
    threads
        Windows computed side by side, each with one thread.
    valid
        Name or index of the input that takes the number of valid samples; None for none.

    Raises
    ------
    ModelError
        The file is not an ONNX model, or has no such input or output.
    """

    def __init__(
        self,
        path: Path,
        inputs: Tensor | None,
        outputs: list[Tensor],
        threads: int,
        valid: Tensor | None = None,
    ) -> None:
        self._path = path
        self._threads = max(1, threads)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime raises a class of its own per kind of fault, without a common base.
        except Exception as error:
            problem = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                path, f"is not an ONNX model that can be run: {problem.rstrip('.')}", "Get it anew"
            ) from error
        self._input = _find(path, self._session.get_inputs(), inputs, "input")
        self._valid = None
        if valid is not None:
            self._valid = _find(path, self._session.get_inputs(), valid, "input")
            if self._valid.type != "tensor(int64)" or len(self._valid.shape) != 1:
                raise ModelError(
                    path,
                    f"its input {self._valid.name!r} takes {self._valid.type} of shape "
                    f"{self._valid.shape}, not one int64 per window",
                    "Correct input.valid in the manifest",
                )
        fed = {self._input.name, None if self._valid is None else self._valid.name}
        others = [node.name for node in self._session.get_inputs() if node.name not in fed]
        if others:
            raise ModelError(
                path,
                f"has a further input {others[0]!r}, which nothing would feed",
                "An input for the number of valid samples is named by input.valid in the manifest",
            )
        self._outputs = [
            _find(path, self._session.get_outputs(), name, "output").name for name in outputs
        ]
        shape = self._input.shape
        self._batch = shape[0] if shape and isinstance(shape[0], int) and shape[0] > 0 else 1
        if self._input.type not in _DTYPES:
            raise ModelError(path, f"takes {self._input.type}, which is not supported")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where the graph leaves it open."""
        return tuple(n if isinstance(n, int) else -1 for n in self._input.shape[1:])

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        return _DTYPES[self._input.type]

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Compute the wanted outputs.

        Parameters
        ----------
        tensor
            ``(n, ...)`` float32; rounded where the network takes integers.
        valid
            ``(n,)`` samples that are audio, for a network that takes them; all where not given.

        Returns
        -------
        list of numpy.ndarray
            ``(n, ...)`` float32 each, in the order of ``outputs``.
        """
        if len(tensor) == 0:
            zero = np.zeros((1, *tensor.shape[1:]), np.float32)
            return [values[:0] for values in self.run(zero)]
        counts = [tensor.shape[-1]] * len(tensor) if valid is None else valid.tolist()
        if self._threads == 1 or len(tensor) == 1:
            rows = [self._run_one(*item) for item in zip(tensor, counts, strict=True)]
        else:
            with ThreadPoolExecutor(min(self._threads, len(tensor))) as pool:
                rows = list(pool.map(self._run_one, tensor, counts))
        return [np.stack(values) for values in zip(*rows, strict=True)]

    def _run_one(self, window: Float32, valid: int) -> list[Float32]:
        dtype = np.dtype(self.input_dtype)
        batch: npt.NDArray[Any] = np.zeros((self._batch, *window.shape), dtype)
        if dtype.kind == "f":
            batch[0] = window
        else:
            limits = np.iinfo(dtype)
            batch[0] = np.clip(np.rint(window), limits.min, limits.max)
        given = {self._input.name: batch}
        if self._valid is not None:
            given[self._valid.name] = np.full(self._batch, valid, np.int64)
        try:
            values = self._session.run(self._outputs, given)
        except Exception as error:
            problem = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(
                self._path,
                f"failed on an input of shape {batch.shape}: {problem.rstrip('.')}",
                "Check window, front end and layout in the manifest",
            ) from error
        return [np.asarray(v, np.float32)[0] for v in values]


def _find(path: Path, nodes: list[Any], wanted: Tensor | None, role: str) -> Any:
    names = [node.name for node in nodes]
    listing = ", ".join(repr(name) for name in names)
    if wanted is None:
        if len(nodes) == 1:
            return nodes[0]
        raise ModelError(path, f"has {len(nodes)} inputs ({listing})", "Name one in the manifest")
    if isinstance(wanted, int) and wanted < len(nodes):
        return nodes[wanted]
    if wanted in names:
        return nodes[names.index(wanted)]
    advice = (
        "ONNX gives its outputs only: export the model again with the inner tensor as an output"
        if role == "output"
        else "Name one of these in the manifest"
    )
    raise ModelError(path, f"has no {role} {wanted!r}, only {listing}", advice)
