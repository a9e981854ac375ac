"""Heads from files: a detector as ``antiphon train`` saves it, or a bare linear or MLP head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from antiphon.encoders.base import EncoderSpec
from antiphon.errors import ModelError, UserError
from antiphon.heads.base import Head
from antiphon.heads.calibration import Calibration
from antiphon.heads.detector import FORMAT, Detector
from antiphon.heads.linear import LinearHead
from antiphon.heads.mlp import MLPHead

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SavedHead:
    """What turns the embeddings of an encoder into probabilities.

    Parameters
    ----------
    path
        The file, for messages.
    labels
        Names, in the order of the columns.
    head
        Gives the logits.
    calibration
        Turns them into probabilities; None for the logistic function.
    encoder
        Spec of the encoder it was trained with as JSON values; empty where it is not known.
    detector
        The detector that it is part of, if any.
    """

    path: Path
    labels: tuple[str, ...]
    head: Head
    calibration: Calibration | None = None
    encoder: Mapping[str, Any] = field(default_factory=dict)
    detector: Detector | None = None

    def check_encoder(self, spec: EncoderSpec) -> None:
        """Check that it takes the embeddings of an encoder.

        Raises
        ------
        UserError
            It was trained with another one, or takes another length.
        """
        if self.detector is not None:
            self.detector.check_encoder(spec.fingerprint, spec.name)
        elif spec.dim != self.head.dim:
            raise UserError(
                f"{self.path}: the head takes embeddings of length {self.head.dim}, but the "
                f"encoder {spec.name!r} gives {spec.dim}. Use the encoder it was trained with."
            )

    def probabilities(self, embeddings: Float32) -> Float32:
        """Return ``(n, C)`` float32 probabilities of ``(n, dim)`` embeddings.

        Raises
        ------
        UserError
            An embedding is not finite.
        """
        if self.detector is not None:
            return self.detector.probabilities(embeddings)
        logits = self.head.logits(embeddings)
        if np.isnan(logits).any():
            raise UserError(f"{self.path}: an embedding holds NaN or infinity.")
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)


def load_head(path: Path) -> SavedHead:
    """Read a head; no code in the file is ever run.

    A detector (``Detector.save``) brings labels, calibration and the fingerprint of its encoder. A
    bare head is a safetensors file of what ``LinearHead.to_tensors`` or ``MLPHead.to_tensors``
    return, with the labels as a JSON list under ``labels`` in its metadata; it says nothing of
    its encoder but the length of the embeddings.

    Raises
    ------
    ModelError
        The file is missing, corrupt or something else.
    """
    if not path.is_file():
        raise ModelError(path, "there is no such file", "Check the name of the head")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") == FORMAT:
                return _of_detector(path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise ModelError(
            path, f"is corrupt or no file of a head ({error})", "Save it anew"
        ) from error
    return _bare(path, metadata, tensors)


def _of_detector(path: Path) -> SavedHead:
    found = Detector.load(path)
    return SavedHead(
        path, found.labels, found.head, found.calibration, found.encoder, detector=found
    )


def _bare(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Float32]) -> SavedHead:
    kind = MLPHead if "hidden_weight" in tensors else LinearHead
    try:
        head = kind.from_tensors(tensors)
        labels = json.loads(metadata.get("labels", "null"))
    except ValueError as error:
        raise ModelError(path, f"holds no head: {error}", "Save a detector or a head") from error
    named = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not named or len(set(labels)) != len(labels) or len(labels) != head.n_labels:
        raise ModelError(
            path,
            f"its metadata does not name the {head.n_labels} labels of the head",
            "Save them as a JSON list of different names under 'labels'",
        )
    return SavedHead(path, tuple(labels), head)
