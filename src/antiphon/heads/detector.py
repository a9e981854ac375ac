"""A trained detector as one file: head, calibration, thresholds, labels, and its encoder's name.

The file is safetensors: a JSON header and raw arrays, so that reading one never runs code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from antiphon.errors import ModelError, UserError
from antiphon.heads.base import Float32, Head
from antiphon.heads.calibration import Calibration
from antiphon.heads.linear import LinearHead
from antiphon.heads.mlp import MLPHead
from antiphon.heads.thresholds import Threshold
from antiphon.replacing import replacing

FORMAT = "antiphon-detector"
FORMAT_VERSION = 1
_KINDS: dict[str, type[LinearHead] | type[MLPHead]] = {
    LinearHead.kind: LinearHead,
    MLPHead.kind: MLPHead,
}


@dataclass(frozen=True, eq=False)
class Detector:
    """All that turns embeddings of one encoder into detections.

    Parameters
    ----------
    head
        Gives the logits.
    calibration
        Turns them into probabilities.
    labels
        Names, in the order of the head's columns.
    thresholds
        One for each label.
    encoder
        The encoder's spec as JSON values (``EncoderSpec.to_json()``).
    encoder_fingerprint
        Its fingerprint: embeddings of another one mean nothing to this head.
    facts
        Where it comes from, as JSON values: counts of the training, groups, seed, date, versions.

    Raises
    ------
    UserError
        If the parts do not have the same number of labels, a name is doubled, or a number in the
        head or the calibration is not finite.
    """

    head: Head
    calibration: Calibration
    labels: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    encoder: Mapping[str, Any]
    encoder_fingerprint: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "thresholds", tuple(self.thresholds))
        counts = {
            "labels": len(self.labels),
            "head": self.head.n_labels,
            "calibration": self.calibration.n_labels,
            "thresholds": len(self.thresholds),
        }
        if len(set(counts.values())) != 1:
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise UserError(f"The parts of the detector do not have the same labels: {told}.")
        doubled = sorted({name for name in self.labels if self.labels.count(name) > 1})
        if doubled:
            raise UserError(f"The detector has labels twice: {', '.join(doubled)}.")
        for name, tensor in self._tensors().items():
            if not np.isfinite(tensor).all():
                raise UserError(f"The detector's tensor {name!r} holds NaN or infinity.")
        dim = self.encoder.get("dim")
        if dim is not None and dim != self.head.dim:
            raise UserError(
                f"The head takes embeddings of length {self.head.dim}, but the encoder "
                f"{self.encoder.get('name')!r} gives {dim}."
            )

    @property
    def threshold_values(self) -> Float32:
        """Threshold of each label, ``(n_labels,)`` float32."""
        return np.array([t.value for t in self.thresholds], dtype=np.float32)

    def probabilities(self, X: npt.ArrayLike) -> Float32:
        """Return calibrated probabilities, ``(n, n_labels)`` float32, of ``(n, dim)`` embeddings.

        Raises
        ------
        UserError
            If the embeddings have another length, or one is not finite.
        """
        found = self.calibration.probabilities(self.head.logits(np.asarray(X, dtype=np.float32)))
        bad = np.flatnonzero(np.isnan(found).any(axis=1))
        if len(bad):
            raise UserError(
                f"{len(bad)} embeddings hold NaN or infinity; the first is row {bad[0]}. Embed "
                "those recordings again."
            )
        return found

    def check_encoder(self, fingerprint: str, name: str) -> None:
        """Check that embeddings of an encoder may be given to this detector.

        Raises
        ------
        UserError
            If the encoder is another one, or the same with other parameters.
        """
        if fingerprint == self.encoder_fingerprint:
            return
        own = str(self.encoder.get("name", "?"))
        what = (
            f"{own!r} with other parameters or another model file"
            if own == name
            else f"the encoder {own!r}"
        )
        raise UserError(
            f"The detector was trained on embeddings of {what} (fingerprint "
            f"{self.encoder_fingerprint[:12]}), but these are of {name!r} (fingerprint "
            f"{fingerprint[:12]}). Embed with the detector's encoder, or train again."
        )

    def save(self, path: Path | str) -> None:
        """Write the detector as one file; whatever happens, it is there whole or not at all.

        Raises
        ------
        ModelError
            If it cannot be written; an older file of that name is then untouched.
        """
        path = Path(path)
        facts = {
            "head": self.head.kind,
            "calibration": self.calibration.method,
            "labels": list(self.labels),
            "thresholds": [t.to_json() for t in self.thresholds],
            "untrained": {str(k): v for k, v in self.head.untrained.items()},
            "encoder": dict(self.encoder),
            "encoder_fingerprint": self.encoder_fingerprint,
            "facts": dict(self.facts),
        }
        metadata = {
            "format": FORMAT,
            "version": str(FORMAT_VERSION),
            "detector": json.dumps(facts, sort_keys=True, allow_nan=False),
        }
        tensors = {name: np.ascontiguousarray(t) for name, t in self._tensors().items()}
        try:
            with replacing(path, sync=True) as part:
                save_file(tensors, part, metadata)
        except (OSError, SafetensorError) as error:
            raise ModelError(
                path,
                f"the detector cannot be written ({error})",
                "Check the space and the permissions there",
            ) from error

    @classmethod
    def load(cls, path: Path | str) -> Detector:
        """Read a detector; no code in the file is ever run.

        Raises
        ------
        ModelError
            If the file is missing, corrupt, something else, or of a newer version.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelError(path, "there is no such file", "Check the name, or train again")
        again = "Train again, or take it from a backup"
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(path, metadata)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, TypeError) as error:
            raise ModelError(path, f"it is corrupt or no detector file ({error})", again) from error
        try:
            return cls._from_parts(json.loads(metadata["detector"]), tensors)
        except (KeyError, ValueError, TypeError, AttributeError, UserError) as error:
            told = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
            raise ModelError(path, f"the detector in it is damaged: {told}", again) from error

    def _tensors(self) -> dict[str, Float32]:
        parts = (("head", self.head.to_tensors()), ("calibration", self.calibration.to_tensors()))
        return {f"{part}.{name}": t for part, tensors in parts for name, t in tensors.items()}

    @classmethod
    def _from_parts(cls, facts: dict[str, Any], tensors: Mapping[str, Float32]) -> Detector:
        kind = facts["head"]
        if kind not in _KINDS:
            raise ValueError(f"the head {kind!r} is not known")
        if facts["calibration"] not in ("platt", "temperature", "none"):
            raise ValueError(f"the calibration {facts['calibration']!r} is not known")
        labels = facts["labels"]
        if not _strings(labels) or not isinstance(facts["encoder_fingerprint"], str):
            raise ValueError("labels and fingerprint must be text")
        untrained = {int(column): str(reason) for column, reason in facts["untrained"].items()}
        if any(not 0 <= column < len(labels) for column in untrained):
            raise ValueError("an untrained column is not there")
        return cls(
            head=_KINDS[kind].from_tensors(_part(tensors, "head"), untrained),
            calibration=Calibration.from_tensors(
                _part(tensors, "calibration"), facts["calibration"]
            ),
            labels=tuple(labels),
            thresholds=tuple(Threshold.from_json(t) for t in facts["thresholds"]),
            encoder=dict(facts["encoder"]),
            encoder_fingerprint=facts["encoder_fingerprint"],
            facts=dict(facts["facts"]),
        )


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise ModelError(
            path,
            "it is a safetensors file, but not an Antiphon detector",
            "Give a file that antiphon train wrote",
        )
    version = metadata.get("version", "")
    if not version.isdecimal():
        raise ModelError(path, f"its format version is {version!r}, not a number")
    if int(version) > FORMAT_VERSION:
        raise ModelError(
            path,
            f"it was written by a newer version (format {version}, this one reads up to "
            f"{FORMAT_VERSION})",
            "Upgrade with: pip install --upgrade antiphon",
        )


def _part(tensors: Mapping[str, Float32], name: str) -> dict[str, Float32]:
    prefix = name + "."
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}


def _strings(values: Any) -> bool:
    return isinstance(values, Sequence) and all(isinstance(value, str) for value in values)
