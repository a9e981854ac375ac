"""Look into an ONNX file without a runtime: what it was exported with.

An ONNX file is a protocol buffer. Only the few fields needed are read, by their numbers in
``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), and the weights are never
copied, so that this costs milliseconds and no package.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.errors import ModelError

# Field numbers of ModelProto, GraphProto, NodeProto, AttributeProto and TensorProto.
_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_OUTPUT, _NAME, _OPERATOR, _ATTRIBUTE = 2, 3, 4, 5
_ATTRIBUTE_NAME, _INTEGER, _SUBGRAPH, _SUBGRAPHS = 1, 3, 6, 11
_DATA_TYPE = 2

# TensorProto.DataType
_TYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 11: "float64", 16: "bfloat16"}

Value = int | memoryview


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What an ONNX file holds.

    Parameters
    ----------
    operators
        How often each operator is used.
    weights
        Number of weight tensors of each type.
    training_norms
        Names of the BatchNormalization nodes that were exported in training mode.
    """

    operators: Counter[str] = field(default_factory=Counter)
    weights: Counter[str] = field(default_factory=Counter)
    training_norms: list[str] = field(default_factory=list)


def inspect_graph(path: Path) -> GraphFacts:
    """Read what an ONNX file was exported with.

    Raises
    ------
    ModelError
        It cannot be read, or is no ONNX file.
    """
    try:
        with path.open("rb") as file:
            # Closed when the last view of it is gone, which an error may outlive.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _model_facts(memoryview(data))
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(path, f"is not an ONNX model ({error})", "Get it anew") from error


def check_graph(path: Path) -> GraphFacts:
    """Refuse exports that would not compute what was trained.

    A BatchNormalization in training mode normalises by the statistics of its input, so that every
    score depends on the window alone and not on what was learnt; OpenVINO refuses it.

    Raises
    ------
    ModelError
        As :func:`inspect_graph`, or the file holds such a node; the message names them.
    """
    facts = inspect_graph(path)
    if facts.training_norms:
        names = facts.training_norms
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise ModelError(
            path,
            f"has {len(names)} BatchNormalization in training mode ({shown}): they would normalise "
            "each window by itself",
            "Export it again in evaluation mode (model.eval(), and no training=TRAINING or "
            "PRESERVE)",
        )
    return facts


def _model_facts(view: memoryview) -> GraphFacts:
    facts = GraphFacts()
    graphs = [value for number, value in _fields(view) if number == _GRAPH]
    if not graphs:
        raise ValueError("it holds no graph")
    for graph in graphs:
        _graph_facts(_message(graph), facts)
    return facts


def _graph_facts(graph: memoryview, facts: GraphFacts) -> None:
    for number, value in _fields(graph):
        if number == _NODE:
            _node_facts(_message(value), facts)
        elif number == _INITIALIZER:
            kinds = [kind for at, kind in _fields(_message(value)) if at == _DATA_TYPE]
            if kinds and kinds[0] in _TYPES:
                facts.weights[_TYPES[int(kinds[0])]] += 1


def _node_facts(node: memoryview, facts: GraphFacts) -> None:
    operator, name, output, training = "", "", "", False
    for number, value in _fields(node):
        if number == _OPERATOR:
            operator = _text(value)
        elif number == _NAME:
            name = _text(value)
        elif number == _OUTPUT and not output:
            output = _text(value)
        elif number == _ATTRIBUTE:
            training |= _attribute(_message(value), facts)
    facts.operators[operator] += 1
    if operator == "BatchNormalization" and training:
        facts.training_norms.append(name or output)


def _attribute(attribute: memoryview, facts: GraphFacts) -> bool:
    """Look into the graphs of an attribute; return whether it is a training mode that is on."""
    name, integer = "", 0
    for number, value in _fields(attribute):
        if number == _ATTRIBUTE_NAME:
            name = _text(value)
        elif number == _INTEGER and isinstance(value, int):
            integer = value
        elif number in (_SUBGRAPH, _SUBGRAPHS):
            _graph_facts(_message(value), facts)
    return name == "training_mode" and integer == 1


def _fields(view: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field: whole numbers, and bytes of what has a length."""
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(view, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(view, at)
            if at + length > len(view):
                raise ValueError("it is cut off")
            yield number, view[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("it is no protocol buffer")


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("it is no protocol buffer")


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is no protocol buffer of ONNX")
    return value


def _text(value: Value) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")
