"""Small networks for members, with scores that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

RATE = 10
"""Hz of the network of levels: a second is ten samples."""

CLASSES = ("a", "b", "c")


def levels_file(folder: Path, context_s: int = 4, **changes: Any) -> Path:
    """Write a network whose score for a second is its mean magnitude; return the manifest.

    Inputs ``x`` ``(n, samples)``; outputs ``frames`` ``(n, seconds, 1)`` and ``clip`` ``(n, 1)``,
    the mean over the seconds.
    """
    samples = context_s * RATE
    nodes = [
        helper.make_node("Abs", ["x"], ["sizes"]),
        helper.make_node("Reshape", ["sizes", "shape"], ["seconds"]),
        helper.make_node("ReduceMean", ["seconds"], ["frames"], axes=[2], keepdims=1),
        helper.make_node("ReduceMean", ["frames"], ["clip"], axes=[1], keepdims=0),
    ]
    _save(
        folder / "levels.onnx",
        nodes,
        {"x": ["n", samples]},
        {"frames": ["n", context_s, 1], "clip": ["n", 1]},
        {"shape": np.array([-1, context_s, RATE])},
    )
    return write_manifest(
        folder / "levels.yaml",
        {
            "name": "levels",
            "model": "levels.onnx",
            "sample_rate": RATE,
            "window_s": float(context_s),
            "front_end": {"kind": "waveform"},
            "input": {"layout": "NS"},
            "scores": {"tensor": "clip"},
            "frames": {"tensor": "frames"},
            "labels": ["level"],
        },
        **changes,
    )


def conv_file(folder: Path, name: str = "conv", *, training: bool = False, **changes: Any) -> Path:
    """Write a convolution over log-mel with BatchNormalization; return the manifest.

    Outputs are logits: ``frames`` ``(n, T, 3)``, ``clip`` ``(n, 3)`` and ``embedding``
    ``(n, 8)``.
    """
    rng = np.random.default_rng(3)
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization",
            ["c", "gain", "bias", "mean", "var"],
            ["n", "running_mean", "running_var"] if training else ["n"],
            name="norm1",
            training_mode=int(training),
        ),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("ReduceMean", ["r"], ["bands"], axes=[2], keepdims=0),
        helper.make_node("Transpose", ["bands"], ["steps"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["steps", "head"], ["frames"]),
        helper.make_node("ReduceMean", ["steps"], ["embedding"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["embedding", "head"], ["clip"]),
    ]
    weights = {
        "kernel": 0.3 * rng.standard_normal((8, 1, 3, 3)),
        "gain": np.ones(8),
        "bias": np.zeros(8),
        "mean": np.zeros(8),
        "var": np.ones(8),
        "head": rng.standard_normal((8, 3)),
    }
    _save(
        folder / f"{name}.onnx",
        nodes,
        {"x": ["n", 1, 16, 21]},
        {"frames": ["n", 11, 3], "clip": ["n", 3], "embedding": ["n", 8]},
        {key: value.astype(np.float32) for key, value in weights.items()},
    )
    return write_manifest(
        folder / f"{name}.yaml",
        {
            "name": name,
            "model": f"{name}.onnx",
            "sample_rate": 8000,
            "window_s": 0.32,
            "front_end": {
                "kind": "log_mel",
                "n_fft": 256,
                "hop": 128,
                "n_mels": 16,
                "log": "db",
                "top_db": 80.0,
                "normalise": "mean_std",
            },
            "input": {"layout": "NCFT"},
            "scores": {"tensor": "clip", "activation": "sigmoid"},
            "frames": {"tensor": "frames", "activation": "sigmoid"},
            "labels": list(CLASSES),
        },
        **changes,
    )


def write_manifest(path: Path, content: dict[str, Any], **changes: Any) -> Path:
    """Write a manifest; a change of None leaves the key out."""
    kept = {k: v for k, v in ({"runtime": "onnx"} | content | changes).items() if v is not None}
    path.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path


def levels(*seconds: float) -> Any:
    """Return a recording at :data:`RATE` with these levels, a second each."""
    return np.repeat(np.array(seconds, np.float32), RATE)


def loud_and_quiet(samples: int, count: int = 6, seed: int = 0) -> Any:
    """Return windows whose levels differ by 120 dB, digital silence among them."""
    rng = np.random.default_rng(seed)
    gains = 10.0 ** -np.linspace(0, 6, count)
    audio = gains[:, None] * rng.uniform(-1, 1, (count, samples))
    audio[count // 2] = 0.0
    return audio.astype(np.float32)


@dataclass(frozen=True)
class Config:
    """Settings of a member, as an ensemble's file gives them."""

    name: str = "m"
    model: Path | None = None
    encoder: str | None = None
    head: Path | None = None
    scores: str = "auto"
    runtime: str = "onnxruntime"
    precision: str = "f32"


def _save(
    path: Path,
    nodes: Sequence[Any],
    inputs: dict[str, Sequence[Any]],
    outputs: dict[str, Sequence[Any]],
    weights: dict[str, Any],
) -> None:
    def declared(values: dict[str, Sequence[Any]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in values.items()
        ]

    arrays = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", declared(inputs), declared(outputs), arrays)
    # Older opsets keep the axes of ReduceMean as an attribute.
    opset = helper.make_opsetid("", 15)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
