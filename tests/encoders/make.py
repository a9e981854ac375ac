"""Small networks and manifests for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
import yaml
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

RATE, SAMPLES = 1000, 8
WEIGHT = np.random.default_rng(0).standard_normal((SAMPLES, 3)).astype(np.float32)


def onnx_file(path: Path, *, batch: int | str = "batch", output: str = "y") -> Path:
    """Write ``y = x @ WEIGHT`` and ``z = relu(y)``; inputs ``x`` ``(batch, 8)``."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3]) for name in {output, "z"}
    ]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, SAMPLES])
    return _save(path, nodes, [entry], sorted(outputs, key=lambda o: o.name), {"w": WEIGHT})


def onnx_valid(path: Path, *, dtype: int = TensorProto.INT64, spare: bool = False) -> Path:
    """Write ``y = x * valid``: inputs ``x`` ``(n, 8)`` and ``valid`` ``(n,)``."""
    nodes = [
        helper.make_node("Cast", ["valid"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["count", "one"], ["column"]),
        helper.make_node("Mul", ["x", "column"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", SAMPLES]),
        helper.make_tensor_value_info("valid", dtype, ["n"]),
    ]
    if spare:
        inputs.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["n"]))
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", SAMPLES])
    return _save(path, nodes, inputs, [out], {"one": np.array([1])})


def onnx_frames(path: Path, shape: list[Any], nodes: list[Any], out_shape: list[Any]) -> Path:
    """Write a network of given nodes from ``x`` to ``y``."""
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, out_shape)
    return _save(path, nodes, [entry], [out], {})


def _save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: dict[str, Any]
) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        inputs,
        outputs,
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def manifest_file(folder: Path, **changes: Any) -> Path:
    """Write a manifest for :func:`onnx_file`; a change of None leaves the key out."""
    content: dict[str, Any] = {
        "name": "tiny",
        "model": "tiny.onnx",
        "runtime": "onnx",
        "sample_rate": RATE,
        "window_s": SAMPLES / RATE,
        "front_end": {"kind": "waveform"},
        "input": {"layout": "NS"},
        "output": {"embedding": "y"},
    }
    content |= changes
    path = folder / "tiny.yaml"
    kept = {key: value for key, value in content.items() if value is not None}
    path.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path


def tflite_file(path: Path, *, quantised: bool = False) -> Path:
    """Write ``inner = relu(x)``, ``out = relu6(inner)`` over ``(1, 8)``.

    Tensors: 0 ``x``, 1 ``inner``, 2 ``out``; ``quantised`` makes all int8 with scale 0.05 and
    zero point -28.
    """
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    for operator in (schema.BuiltinOperator.RELU, schema.BuiltinOperator.RELU6):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = operator
        code.version = 2 if quantised else 1
        model.operatorCodes = [*(model.operatorCodes or []), code]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(name, quantised) for name in ("x", "inner", "out")]
    graph.operators = [_operator(0, 0, 1), _operator(1, 1, 2)]
    graph.inputs, graph.outputs = [0], [2]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(name: str, quantised: bool) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), [1, SAMPLES], 0
    tensor.type = schema.TensorType.INT8 if quantised else schema.TensorType.FLOAT32
    if quantised:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.05], [-28]
    return tensor


def _operator(code: int, source: int, target: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [target]
    return operator


def windows(n: int, samples: int = SAMPLES, seed: int = 1) -> tuple[Any, Any]:
    """Return random windows ``(n, samples)``, all audio, and their valid counts."""
    rng = np.random.default_rng(seed)
    audio = rng.uniform(-1, 1, (n, samples)).astype(np.float32)
    return audio, np.full(n, samples, np.int64)
