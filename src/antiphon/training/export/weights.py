"""Weights in fewer bits, widened to float32 when a graph is loaded.

Nothing else changes: the runtime computes in float32 as before, with rounded weights. The front end
keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.training.export.graph import FRONT_END
from antiphon.training.needs import need

PRODUCTS = ("MatMul", "Gemm")

# Smaller tensors are scales and offsets, in which there is nothing to gain.
_SMALLEST = 256
_LARGEST_INT8 = 127


def halve_weights(graph: Any) -> Any:
    """Return a graph whose weights are float16; values beyond it stay as they are.

    On a processor ONNX Runtime computes float16 in float32 anyway, so nothing is lost in speed.

    Parameters
    ----------
    graph
        The float32 graph, an ``onnx.ModelProto``; it is not changed.
    """
    onnx = need("onnx", "export encoders")
    halved = copy_graph(graph)
    inner = halved.graph
    front_end = {name for node in inner.node if in_front_end(node) for name in node.input}
    widening = []
    for weight in inner.initializer:
        if weight.name in front_end:
            continue
        values = _weight_values(weight)
        if values is None or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name, half = weight.name, f"{weight.name}.half"
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        widening.append(_cast(half, name))
    _put_first(inner, widening)
    return halved


def shorten_weights(graph: Any, kinds: Iterable[str] = ("Conv", *PRODUCTS)) -> Any:
    """Return a graph whose weights are int8 with one scale per output channel.

    ``w = scale * q`` with ``q`` in -127..127 and ``scale = max |w| / 127`` of the channel.

    Parameters
    ----------
    graph
        An ``onnx.ModelProto``; it is not changed.
    kinds
        Operators whose weights are taken.
    """
    onnx = need("onnx", "export encoders")
    wanted = set(kinds)
    shortened = copy_graph(graph)
    inner = shortened.graph
    weights = {weight.name: weight for weight in inner.initializer}
    widening = []
    for node in inner.node:
        if in_front_end(node) or node.op_type not in wanted or len(node.input) < 2:
            continue
        weight = weights.pop(node.input[1], None)
        values = None if weight is None else _weight_values(weight)
        if weight is None or values is None:
            continue
        axes = tuple(axis for axis in range(values.ndim) if axis != _channel_axis(node, values))
        peak = np.abs(values).max(axis=axes, keepdims=True)
        scale = (np.where(peak > 0, peak, 1.0) / _LARGEST_INT8).astype(np.float32)
        rounded = np.rint(values / scale).astype(np.int8)
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(rounded, f"{name}.int8"))
        inner.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}.scale"))
        widening.append(_cast(f"{name}.int8", f"{name}.wide"))
        widening.append(
            onnx.helper.make_node(
                "Mul", [f"{name}.wide", f"{name}.scale"], [name], name=f"/scale/{name}"
            )
        )
    _put_first(inner, widening)
    return shortened


def in_front_end(node: Any) -> bool:
    """Return whether a node belongs to the front end."""
    return str(node.name).startswith(FRONT_END)


def copy_graph(graph: Any) -> Any:
    """Return a copy of an ``onnx.ModelProto``."""
    copied = type(graph)()
    copied.CopyFrom(graph)
    return copied


def _weight_values(weight: Any) -> npt.NDArray[np.float32] | None:
    """Return a weight's values, or None if it is too small or not float32."""
    onnx = need("onnx", "export encoders")
    if weight.data_type != onnx.TensorProto.FLOAT:
        return None
    values: npt.NDArray[np.float32] = onnx.numpy_helper.to_array(weight)
    return values if values.size >= _SMALLEST else None


def _channel_axis(node: Any, values: npt.NDArray[np.float32]) -> int:
    """Axis of the output channels: convolutions have it first, products last."""
    flipped = any(entry.name == "transB" and entry.i for entry in node.attribute)
    return 0 if node.op_type == "Conv" or flipped else values.ndim - 1


def _cast(before: str, after: str) -> Any:
    onnx = need("onnx", "export encoders")
    return onnx.helper.make_node(
        "Cast", [before], [after], name=f"/widen/{after}", to=onnx.TensorProto.FLOAT
    )


def _put_first(inner: Any, nodes: list[Any]) -> None:
    everything = [*nodes, *inner.node]
    del inner.node[:]
    inner.node.extend(everything)
