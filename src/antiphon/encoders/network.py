"""An encoder from a manifest and a model file."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import PositiveInt

from antiphon.encoders.base import Encoded, EncoderSpec, Float32, Int64
from antiphon.encoders.checking import Strict, check_parameters
from antiphon.encoders.front_end import NetworkFrontEnd, Prepared
from antiphon.encoders.manifest import Manifest, Output, Tensor, load_manifest, read_labels
from antiphon.encoders.modelfile import check_sha256, find_beside, find_model
from antiphon.errors import FormatError, ModelError


class NetworkParameters(Strict):
    """Parameters of an encoder that a manifest describes; none changes the embedding.

    Parameters
    ----------
    model
        The model file, where it is not where the manifest says.
    labels
        The label file, likewise.
    threads
        Windows computed side by side; all usable cores, at most 8, when not given.
    """

    model: Path | None = None
    labels: Path | None = None
    threads: PositiveInt | None = None


class Network(Protocol):
    """A model file that is loaded."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without its batch axis; -1 where it is open."""
        ...

    @property
    def input_dtype(self) -> str:
        """NumPy name of the input's type."""
        ...

    def run(self, tensor: Float32, valid: Int64 | None = None) -> list[Float32]:
        """Turn ``(n, ...)`` into the wanted tensors, ``(n, ...)`` each.

        ``valid`` are the ``(n,)`` samples of each window that are audio, for a network that asks
        for them.
        """
        ...


class NetworkEncoder:
    """Run the network that a manifest describes.

    :meth:`prepare` may be called from several threads; :meth:`encode` from one at a time (it
    uses threads of its own).

    Parameters
    ----------
    manifest
        The description.
    model
        The model file.
    labels
        Names of the scores; empty for none.
    threads
        Windows computed side by side.

    Raises
    ------
    ModelError
        The network has no embedding, or the file is corrupt, is not the expected one, or does
        not fit the manifest.
    """

    def __init__(
        self,
        manifest: Manifest,
        model: Path,
        labels: tuple[str, ...] = (),
        threads: int | None = None,
    ) -> None:
        if manifest.output is None:
            raise ModelError(
                model,
                f"the manifest of {manifest.name!r} names no embedding, so that it cannot embed",
                "Its scores serve as a member of an ensemble (antiphon soundscape run); to embed, "
                "name the tensor as output.embedding, if the network has one",
            )
        sha256 = check_sha256(model, manifest.sha256)
        self._manifest, self._output = manifest, manifest.output
        if manifest.scores is None:
            # Names of frames only, which an encoder does not give.
            labels = ()
        self._path = model
        self._front_end = NetworkFrontEnd(manifest)
        wanted: list[Tensor] = [self._output.embedding]
        if manifest.scores is not None and labels:
            wanted.append(manifest.scores.tensor)
        self._network = _open(manifest, model, wanted, threads or usable_cores())
        check_input(manifest, model, self._front_end, self._network)
        dim = self._probe(labels)
        self._spec = EncoderSpec(
            name=manifest.name,
            sample_rate=manifest.sample_rate,
            window_s=manifest.window_s,
            hop_s=manifest.hop_s or manifest.window_s,
            dim=dim,
            labels=labels,
            parameters={"manifest": manifest.identity(), "model_sha256": sha256},
        )

    @property
    def spec(self) -> EncoderSpec:
        """The facts that identify the encoder."""
        return self._spec

    @property
    def manifest(self) -> Manifest:
        """The description of the network."""
        return self._manifest

    @property
    def path(self) -> Path:
        """The model file."""
        return self._path

    def embedding_with(self, network: Network) -> NetworkEncoder:
        """Return this encoder with another program behind it, without scores.

        Parameters
        ----------
        network
            The same model file in another runtime, with the embedding as its one output. Where
            its ``run`` may be called from several threads, so may :meth:`encode`.
        """
        other = copy.copy(self)
        other._network = network
        return other

    def prepare(self, audio: Float32, valid: Int64) -> Prepared:
        """Run the front end; see :class:`antiphon.encoders.base.Encoder`."""
        return self._front_end(audio, valid)

    def encode(self, features: Prepared) -> Encoded:
        """Run the network; see :class:`antiphon.encoders.base.Encoder`."""
        raw = self._network.run(features.tensor, self._samples(features.valid))
        embeddings = self._pooled(raw[0], features.valid)
        if len(raw) == 1:
            return Encoded(embeddings)
        assert self._manifest.scores is not None
        scores = raw[1].reshape(len(raw[1]), len(self._spec.labels))
        return Encoded(embeddings, activate(scores, self._manifest.scores.activation))

    def _samples(self, valid: npt.NDArray[np.float64]) -> Int64 | None:
        if self._manifest.input.valid is None:
            return None
        return np.rint(valid * self._manifest.window_s * self._manifest.sample_rate).astype(
            np.int64
        )

    def _probe(self, labels: tuple[str, ...]) -> int:
        """Run silence once: that checks the shapes and gives the embedding's length."""
        raw = self._network.run(np.zeros((1, *self._front_end.shape), np.float32))
        dim: int = self._pooled(raw[0], np.ones(1)).shape[1]
        if len(raw) > 1 and raw[1].size != len(labels):
            raise ModelError(
                self._path,
                f"gives {raw[1].size} scores, but there are {len(labels)} labels",
                "Use the label file that belongs to this network",
            )
        return dim

    def _pooled(self, values: Float32, valid: npt.NDArray[np.float64]) -> Float32:
        output = self._output
        if output.pool == "mean":
            return _masked_mean(values, valid, output, self._path)
        if values.ndim < 2 or max(values.shape[1:]) != np.prod(values.shape[1:]):
            raise ModelError(
                self._path,
                f"tensor {output.embedding!r} has the shape {_shape(values.shape[1:])} per window, "
                "which is no single vector",
                "Set output.pool: mean and output.layout in the manifest",
            )
        return np.ascontiguousarray(values.reshape(len(values), max(values.shape[1:])))


def check_input(
    manifest: Manifest, path: Path, front_end: NetworkFrontEnd, network: Network
) -> None:
    """Check that a network takes what its front end gives.

    Raises
    ------
    ModelError
        The shape or the type is another one.
    """
    given, wanted = front_end.shape, network.input_shape
    fits = len(given) == len(wanted) and all(
        w in (-1, g) for g, w in zip(given, wanted, strict=False)
    )
    if not fits:
        raise ModelError(
            path,
            f"takes an input of shape {_shape(wanted)}, the front end gives {_shape(given)}",
            f"Check window_s, front_end and input.layout ({manifest.input.layout}) in the manifest",
        )
    declared = manifest.input.dtype
    if declared is not None and declared != network.input_dtype:
        raise ModelError(
            path,
            f"takes {network.input_dtype}, the manifest says {declared}",
            "Correct input.dtype or leave it out",
        )


def open_manifest(path: Path, parameters: dict[str, Any]) -> NetworkEncoder:
    """Create the encoder that a manifest describes.

    Parameters
    ----------
    path
        The manifest.
    parameters
        As :class:`NetworkParameters`.

    Raises
    ------
    FormatError
        The manifest or its label file is not valid.
    ModelError
        The model file is missing, corrupt or does not fit.
    UserError
        A parameter is not valid.
    """
    manifest = load_manifest(path)
    options = check_parameters(NetworkParameters, parameters, manifest.name)
    model = find_model(manifest, path.parent, options.model)
    labels = read_labels(manifest, label_file(manifest, path, options.labels), path)
    return NetworkEncoder(manifest, model, labels, options.threads)


def usable_cores(at_most: int = 8) -> int:
    """Return the cores that this process may use, at most ``at_most``."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(at_most, len(os.sched_getaffinity(0))))
    return max(1, min(at_most, os.cpu_count() or 1))


def label_file(manifest: Manifest, path: Path, given: Path | None = None) -> Path | None:
    """Return the file of a manifest's labels, None where it lists them itself.

    Parameters
    ----------
    manifest, path
        The description, and where it is.
    given
        The file that the user named in its place, if any.

    Raises
    ------
    FormatError
        There is no such file.
    """
    if given is not None:
        return given.expanduser()
    if not isinstance(manifest.labels, str):
        return None
    found = find_beside(manifest.labels, path.parent)
    if found is None:
        raise FormatError(
            path,
            f"the label file {manifest.labels!r} is not there",
            "Put it beside the model file or the manifest, or give the parameter 'labels'",
        )
    return found


def _open(manifest: Manifest, model: Path, wanted: list[Tensor], threads: int) -> Network:
    # Each runtime costs time to import, and one is enough.
    if manifest.runtime == "tflite":
        from antiphon.encoders.tflite import TfliteNetwork

        return TfliteNetwork(model, manifest.input.tensor, wanted, threads)
    from antiphon.encoders.onnx import OnnxNetwork

    entry = manifest.input
    return OnnxNetwork(model, entry.tensor, wanted, threads, entry.valid)


def _masked_mean(
    values: Float32, valid: npt.NDArray[np.float64], output: Output, path: Path
) -> Float32:
    if values.ndim != len(output.layout):
        raise ModelError(
            path,
            f"tensor {output.embedding!r} has {values.ndim} axes, output.layout "
            f"{output.layout!r} names {len(output.layout)}",
            "Correct output.layout in the manifest",
        )
    timed = "T" in output.layout
    others = "".join(axis for axis in output.layout if axis not in "NTD")
    order = [output.layout.index(axis) for axis in ("NT" if timed else "N") + others + "D"]
    values = values.transpose(order)[:, output.skip if timed else 0 :]
    out = np.empty((len(values), values.shape[-1]), np.float32)
    # Row by row, so that NumPy cannot choose another order of summing for another batch.
    for row, (window, share) in enumerate(zip(values, valid, strict=True)):
        kept = max(1, round(float(share) * len(window))) if timed else len(window)
        out[row] = window[:kept].reshape(-1, window.shape[-1]).mean(axis=0, dtype=np.float32)
    return out


def activate(values: Float32, kind: Literal["none", "sigmoid", "softmax"]) -> Float32:
    """Turn what a network gives into numbers between 0 and 1; classes lie on the last axis."""
    if kind == "none":
        return values
    if kind == "sigmoid":
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), np.float32)
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float32)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join("any" if n == -1 else str(n) for n in shape) or "none"
