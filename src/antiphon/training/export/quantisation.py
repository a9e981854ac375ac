"""Exported graphs in int8, the front end apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from antiphon.encoders.base import Float32, Int64
from antiphon.errors import ModelError
from antiphon.training.export.config import Quantisation
from antiphon.training.export.graph import VALID, strip
from antiphon.training.export.weights import (
    PRODUCTS,
    copy_graph,
    in_front_end,
    shorten_weights,
)
from antiphon.training.needs import need

Method = Literal["weights", "dynamic", "static"]


def quantise(
    graph: Any,
    method: Method,
    calibration: tuple[Float32, Int64],
    folder: Path,
    source: Path | str,
) -> Any:
    """Return a graph with int8 weights, and perhaps activations of 8 bits.

    ``weights`` is :func:`~antiphon.training.export.weights.shorten_weights`. The other two go
    through ONNX Runtime's quantisation tools: weights are symmetric and scaled channel by channel,
    activations are of 8 bits without sign. There weights take 7 bits, because sums of two products
    of 8 bits saturate on processors without VNNI, where the result would be another than on those
    with it.

    Parameters
    ----------
    graph
        The float32 graph, an ``onnx.ModelProto``; it is not changed.
    method
        As :class:`~antiphon.training.export.config.ExportConfig`, ``auto`` resolved by
        :func:`choose_quantisation`.
    calibration
        ``(n, ...)`` waveforms or features, as the graph takes, and ``(n,)`` valid samples for
        static scales, which are the extremes met in them.
    folder
        For files in between.
    source
        Where the model came from, for messages.

    Raises
    ------
    ModelError
        The tools failed on this graph; a full disk is among its causes.
    """
    if method == "weights":
        return shorten_weights(graph)
    onnx = need("onnx", "export encoders")
    from onnxruntime import quantization
    from onnxruntime.quantization import QuantType

    left_out = [node.name for node in graph.graph.node if in_front_end(node)]
    path = folder / "quantised.onnx"
    common = {
        "per_channel": True,
        "reduce_range": True,
        "weight_type": QuantType.QInt8,
        "nodes_to_exclude": left_out,
        "extra_options": {"MatMulConstBOnly": True},
    }
    try:
        with _quiet():
            if method == "dynamic":
                quantization.quantize_dynamic(
                    copy_graph(graph), path, op_types_to_quantize=list(PRODUCTS), **common
                )
            else:
                quantization.quantize_static(
                    copy_graph(graph),
                    path,
                    _reader(graph.graph.input[0].name, *calibration),
                    op_types_to_quantize=["Conv", *PRODUCTS],
                    activation_type=QuantType.QUInt8,
                    **common,
                )
        quantised = onnx.load_model(path)
    # The tools raise what comes, ONNX Runtime's own classes among it.
    except Exception as error:
        problem = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise ModelError(
            source,
            f"the graph cannot be quantised ({method}): {problem.rstrip('.')}",
            "Try the other --quantisation, or --precision fp16",
        ) from error
    finally:
        path.unlink(missing_ok=True)
    strip(quantised)
    return shorten_weights(quantised, ("Conv",)) if method == "dynamic" else quantised


def choose_quantisation(graph: Any, asked: Quantisation) -> Method:
    """Return the method, ``auto`` resolved: ``dynamic`` where most weights meet in products."""
    if asked != "auto":
        return asked
    weights = {weight.name for weight in graph.graph.initializer}
    kinds = [
        node.op_type
        for node in graph.graph.node
        if not in_front_end(node) and weights.intersection(node.input[1:2])
    ]
    products = sum(kinds.count(kind) for kind in PRODUCTS)
    return "dynamic" if products >= kinds.count("Conv") else "weights"


def _reader(name: str, signal: Float32, valid: Int64) -> Any:
    """Return what hands calibration windows to the tools, one by one."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.rewind()

        def get_next(self) -> dict[str, Any] | None:
            return next(self._rows, None)

        def rewind(self) -> None:
            self._rows = iter(
                [{name: signal[i : i + 1], VALID: valid[i : i + 1]} for i in range(len(valid))]
            )

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' advice off the screen, and their handlers off the root logger."""
    root = logging.getLogger()
    handlers, disabled = list(root.handlers), root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
