"""Run TFLite files through LiteRT, with access to inner tensors."""

from __future__ import annotations

import queue
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from antiphon.encoders.base import Float32, Int64
from antiphon.encoders.manifest import Tensor
from antiphon.errors import ModelError

_Array = npt.NDArray[Any]


class TfliteNetwork:
    """A TFLite file as a function from one input tensor to some of its tensors.

    Windows go through one by one: a result then cannot depend on its batch, and on the networks
    measured a batch of 8 takes as long per window as a batch of 1. ``threads`` interpreters of one
    thread each work side by side, which two threads in one interpreter do not match on small
    networks. An interpreter is used by one thread at a time.

    Parameters
    ----------
    path
        The model file.
    inputs
        Name or index of the input tensor; None where there is only one input.
    outputs
        Names or indices of the wanted tensors; inner tensors too.
    threads
        Interpreters to run side by side.

    Raises
    ------
    ModelError
        The file is not a TFLite model, or holds no such tensor.
    """

    def __init__(
        self, path: Path, inputs: Tensor | None, outputs: list[Tensor], threads: int
    ) -> None:
        self._path = path
        self._threads = max(1, threads)
        self._content = path.read_bytes()
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        first = self._load(all_tensors=False)
        self._input = _find(path, first.get_input_details(), inputs, "input")
        listed = first.get_output_details()
        by_index = {d["index"]: d for d in first.get_tensor_details()}
        self._outputs = [
            _find(path, _candidates(listed, by_index, name), name, "tensor") for name in outputs
        ]
        own = {d["index"] for d in listed}
        self._all_tensors = any(d["index"] not in own for d in self._outputs)
        self._batch = int(self._input["shape"][0]) if len(self._input["shape"]) else 1
        self._idle.put(self._load(self._all_tensors))
        for _ in range(self._threads - 1):
            self._idle.put(self._load(self._all_tensors))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where the graph leaves it open."""
        return tuple(int(n) for n in self._input["shape_signature"][1:])

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        return str(np.dtype(self._input["dtype"]).name)

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Compute the wanted tensors.

        Parameters
        ----------
        tensor
            ``(n, ...)`` float32; quantised where the network takes integers.
        valid
            Not used: a TFLite network takes one tensor.

        Returns
        -------
        list of numpy.ndarray
            ``(n, ...)`` float32 each, dequantised, in the order of ``outputs``.
        """
        if len(tensor) == 0:
            tensor, empty = np.zeros((1, *tensor.shape[1:]), np.float32), True
        else:
            empty = False
        parts = np.array_split(np.arange(len(tensor)), min(self._threads, len(tensor)))
        if len(parts) == 1:
            results = [self._run_part(tensor)]
        else:
            with ThreadPoolExecutor(len(parts)) as pool:
                results = list(pool.map(lambda rows: self._run_part(tensor[rows]), parts))
        joined = [np.concatenate(columns) for columns in zip(*results, strict=True)]
        return [values[:0] for values in joined] if empty else joined

    def _run_part(self, tensor: Float32) -> list[Float32]:
        interpreter = self._idle.get()
        try:
            return [
                np.stack(values)
                for values in zip(*(self._run_one(interpreter, x) for x in tensor), strict=True)
            ]
        finally:
            self._idle.put(interpreter)

    def _run_one(self, interpreter: Any, window: Float32) -> list[Float32]:
        batch = np.zeros((self._batch, *window.shape), np.float32)
        batch[0] = window
        interpreter.set_tensor(self._input["index"], _quantise(batch, self._input))
        interpreter.invoke()
        return [_dequantise(interpreter.get_tensor(d["index"]), d)[0].copy() for d in self._outputs]

    def _load(self, all_tensors: bool) -> Any:
        try:
            with warnings.catch_warnings():
                # It warns of the memory that inner tensors take; they are asked for only if needed.
                warnings.simplefilter("ignore", UserWarning)
                interpreter = Interpreter(
                    model_content=self._content,
                    num_threads=1,
                    experimental_preserve_all_tensors=all_tensors,
                )
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                self._path, f"is not a TFLite model that can be run: {_short(error)}", "Get it anew"
            ) from error
        return interpreter


def _candidates(
    listed: list[dict[str, Any]], by_index: dict[int, dict[str, Any]], wanted: Tensor
) -> list[dict[str, Any]]:
    """Outputs first, so that a name shared with an inner tensor means the output."""
    if isinstance(wanted, str) and any(d["name"] == wanted for d in listed):
        return listed
    return list(by_index.values())


def _find(
    path: Path, details: list[dict[str, Any]], wanted: Tensor | None, role: str
) -> dict[str, Any]:
    if wanted is None:
        if len(details) == 1:
            return details[0]
        names = ", ".join(f"{d['index']} {d['name']!r}" for d in details)
        raise ModelError(path, f"has {len(details)} inputs ({names})", "Name one in the manifest")
    key = "index" if isinstance(wanted, int) else "name"
    found = [d for d in details if d[key] == wanted]
    if len(found) == 1:
        return found[0]
    problem = "has no" if not found else "has several"
    last = ", ".join(f"{d['index']} {d['name']!r}" for d in details[-4:])
    raise ModelError(
        path, f"{problem} {role} {wanted!r} among {len(details)} (the last: {last})", "Name another"
    )


def _quantise(values: Float32, detail: dict[str, Any]) -> _Array:
    dtype = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    scale, zero = detail["quantization"]
    limits = np.iinfo(dtype)
    steps = np.rint(values / np.float32(scale or 1.0)) + zero
    quantised: _Array = np.clip(steps, limits.min, limits.max).astype(dtype)
    return quantised


def _dequantise(values: _Array, detail: dict[str, Any]) -> Float32:
    dtype = np.dtype(detail["dtype"])
    scale, zero = detail["quantization"]
    if dtype.kind == "f" or not scale:
        return values.astype(np.float32)
    return (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
