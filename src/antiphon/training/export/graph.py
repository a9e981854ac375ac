"""A model in torch as an ONNX graph from waveform, or features, to embedding and scores."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from antiphon.encoders.base import Float32
from antiphon.errors import ModelError
from antiphon.training.model import EncoderModel
from antiphon.training.needs import need

OPSET = 18
"""ONNX Runtime 1.19 runs it, and torch's exporter knows it since 2.1."""

WAVEFORM, FEATURES, VALID = "waveform", "features", "valid"
EMBEDDING, SCORES, FRAMES = "embedding", "scores", "frames"

Place = Literal["inside", "outside"]
"""Where the front end is, seen from the ONNX file."""

# Every node carries the names of the modules it came from.
FRONT_END = "/model/front_end/"

# What matrix products of another height may differ by.
_BATCH_TOLERANCE = 1e-3


class ExportedModule(nn.Module):
    """What is exported: ``(B, N)`` waveform and ``(B,)`` valid samples to embedding and scores.

    Parameters
    ----------
    model
        In evaluation mode; of ``transform="matmul"`` where its front end is inside.
    front_end
        ``outside``: ``(B, T, F)`` features in place of the waveform.
    """

    def __init__(self, model: EncoderModel, front_end: Place = "inside") -> None:
        super().__init__()
        self.model = model
        self.outside = front_end == "outside"

    def forward(self, signal: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        """Return the ``(B, D)`` embedding, with a head ``(B, C)`` scores, of a detector frames.

        Those are ``(B, T, C)``, and 0 beyond the audio. All scores are in [0, 1].
        """
        if self.outside:
            mask = self.model.front_end.frame_mask(valid, signal.shape[1])
            out = self.model.from_features(signal.masked_fill(~mask.unsqueeze(2), 0.0), mask)
        else:
            out = self.model(signal, valid)
        if out.logits is None:
            return (out.embedding,)
        scores = out.embedding, self.model.scores(out.logits)
        return scores if out.sed is None else (*scores, out.sed.frame_probabilities())


def export_graph(model: EncoderModel, source: Path | str, front_end: Place = "inside") -> Any:
    """Turn a model into an ONNX graph of float32 with an open batch and a fixed window.

    Inputs are ``waveform (batch, samples)`` float32, or ``features (batch, frames, bands)``, and
    ``valid (batch,)`` int64, samples of audio; outputs ``embedding (batch, D)``, for a model with
    a head ``scores (batch, C)``, and for a detector ``frames (batch, T, C)``.

    Parameters
    ----------
    model
        Where its front end is inside, built with ``transform="matmul"``, because ONNX Runtime has
        no fast Fourier transform worth the name.
    source
        Where the model came from, for messages.
    front_end
        Whether it is in the graph.

    Returns
    -------
    onnx.ModelProto
        The same bytes for the same model and versions.

    Raises
    ------
    ModelError
        The network holds something that ONNX does not have, or works for one batch size only.
    MissingExtraError
        onnx is not installed.
    """
    onnx = need("onnx", "export encoders")
    kind = model.backbone_config.kind
    samples = model.window_samples
    first = WAVEFORM if front_end == "inside" else FEATURES
    # Two different lengths, so that no step sees a batch in which all is alike.
    signal = _signal(model, np.zeros((2, samples), np.float32), front_end)
    valid = torch.tensor([samples, samples // 2])
    outputs = output_names(model)
    content = io.BytesIO()
    try:
        with torch.no_grad(), _exporting():
            torch.onnx.export(
                ExportedModule(model, front_end).eval(),
                (signal, valid),
                content,
                dynamo=False,
                opset_version=OPSET,
                input_names=[first, VALID],
                output_names=outputs,
                dynamic_axes={name: {0: "batch"} for name in (first, VALID, *outputs)},
            )
    # torch has a class per kind of fault, of which RuntimeError is the only common base, and
    # networks of other packages raise what they like.
    except Exception as error:
        raise _unexportable(source, kind, error) from error
    graph = onnx.load_model_from_string(content.getvalue())
    strip(graph)
    widths = (model.dim, len(model.classes), len(model.classes))
    for value, width in zip(graph.graph.output, widths, strict=False):
        # Torch does not always follow a shape that far.
        value.type.tensor_type.shape.dim[-1].dim_value = width
    _check_batch(graph, model, front_end, source)
    return graph


def output_names(model: EncoderModel) -> list[str]:
    """Return the names of a model's outputs in their order."""
    if model.head is None:
        return [EMBEDDING]
    return [EMBEDDING, SCORES, FRAMES] if model.is_detector else [EMBEDDING, SCORES]


def _signal(model: EncoderModel, waveform: Float32, front_end: Place) -> Tensor:
    """Return what the graph takes for ``(n, N)`` samples."""
    if front_end == "inside":
        return torch.from_numpy(waveform)
    with torch.no_grad():
        features: Tensor = model.front_end(torch.from_numpy(waveform))[0]
    return features


def strip(graph: Any) -> None:
    """Take out of an ``onnx.ModelProto`` what says nothing of the network: remarks and tools."""
    graph.producer_name, graph.producer_version, graph.doc_string = "antiphon", "", ""
    graph.ClearField("metadata_props")
    used = {node.domain or "" for node in graph.graph.node}
    for entry in [e for e in graph.opset_import if (e.domain or "") not in used]:
        graph.opset_import.remove(entry)
    inner = graph.graph
    inner.doc_string = ""
    inner.ClearField("metadata_props")
    inner.name = "encoder"
    named = (inner.input, inner.output, inner.value_info, inner.initializer, inner.node)
    for part in (entry for entries in named for entry in entries):
        part.doc_string = ""
        part.ClearField("metadata_props")


def graph_bytes(graph: Any) -> bytes:
    """Return an ``onnx.ModelProto`` as a file's content, always in the same order."""
    return bytes(graph.SerializeToString(deterministic=True))


def open_session(content: bytes | str) -> Any:
    """Return an ONNX Runtime session on one thread.

    Parameters
    ----------
    content
        The file's content, or its path.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@contextmanager
def _exporting() -> Iterator[None]:
    """Torch's exporter, with floor division put right and without its remarks.

    It writes ``//`` on sizes as ONNX's division, which truncates: ``-(-498 // 16)`` becomes 31.
    """
    torch.onnx.register_custom_op_symbolic("aten::floor_divide", _floor_divide, OPSET)
    try:
        with warnings.catch_warnings():
            # They say that sizes become constants, which a fixed window asks for, and that the
            # other exporter is newer; that one needs a further package.
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::floor_divide", OPSET)


def _floor_divide(g: Any, dividend: Any, divisor: Any) -> Any:
    if any(torch.onnx.symbolic_helper._is_fp(value) for value in (dividend, divisor)):
        return g.op("Floor", g.op("Div", dividend, divisor))
    # The remainder of ONNX has the sign of the divisor, so what is left divides exactly.
    rest = g.op("Mod", dividend, divisor, fmod_i=0)
    return g.op("Div", g.op("Sub", dividend, rest), divisor)


def _check_batch(graph: Any, model: EncoderModel, front_end: Place, source: Path | str) -> None:
    """Refuse a graph in which the size of the batch it was traced with became a constant."""
    samples, kind = model.window_samples, model.backbone_config.kind
    rng = np.random.default_rng(0)
    waveform = (0.1 * rng.standard_normal((3, samples))).astype(np.float32)
    valid = np.array([samples, samples // 3, max(1, samples // 2)], np.int64)
    for row, count in enumerate(valid):
        waveform[row, count:] = 0.0
    signal = _signal(model, waveform, front_end).numpy()
    first = graph.graph.input[0].name
    try:
        session = open_session(graph_bytes(graph))
        together = session.run(None, {first: signal, VALID: valid})
        alone = [
            session.run(None, {first: signal[i : i + 1], VALID: valid[i : i + 1]}) for i in range(3)
        ]
    # ONNX Runtime raises a class of its own per kind of fault, without a common base.
    except Exception as error:
        raise _unexportable(source, kind, error) from error
    for number, values in enumerate(together):
        single = np.concatenate([outputs[number] for outputs in alone])
        scale = max(float(np.abs(single).max()), 1e-6)
        if values.shape != single.shape or not np.allclose(
            values, single, rtol=0, atol=_BATCH_TOLERANCE * scale
        ):
            raise ModelError(
                source,
                f"its {kind} backbone gives other values in a batch than alone once exported",
                "A step that depends on the batch cannot be exported; use another backbone",
            )


def _unexportable(source: Path | str, kind: str, error: Exception) -> ModelError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    problem = (lines or [type(error).__name__])[0][:300].rstrip(".")
    return ModelError(
        source,
        f"its {kind} backbone cannot be exported to ONNX: {problem}",
        "The backbones that come with antiphon can be, in the versions it was tested with",
    )
