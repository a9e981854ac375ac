"""The manifest of an exported model."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from antiphon.encoders.manifest import Manifest
from antiphon.training.export.config import ExportConfig, Precision
from antiphon.training.export.facts import ModelFacts
from antiphon.training.export.graph import (
    EMBEDDING,
    FEATURES,
    FRAMES,
    SCORES,
    VALID,
    WAVEFORM,
    Place,
)
from antiphon.training.model import EncoderModel


class Words(NamedTuple):
    """What is said of an encoder; empty where it is not known."""

    description: str
    licence: str
    source: str


def choose_words(model: EncoderModel, facts: ModelFacts, config: ExportConfig) -> Words:
    """Return what was asked for, or else what the model says of itself."""
    settings = facts.settings
    summary = (
        f"{model.backbone_config.kind} network, {model.dim} numbers per {model.window_s:g} s"
        + (f", {len(model.classes)} classes" if model.classes else "")
    )
    return Words(
        config.description or settings.description or summary,
        config.licence or settings.licence,
        settings.source,
    )


def manifest_text(
    model: EncoderModel,
    name: str,
    precision: Precision,
    words: Words,
    sha256: str,
    hop_s: float | None,
    front_end: Place = "inside",
) -> str:
    """Return the manifest as YAML.

    Parameters
    ----------
    model
        That was exported.
    name
        Of the encoder, and of its file without the suffix.
    precision
        Its version.
    words
        What is not known is said to be unknown.
    sha256
        Of the file (hex).
    hop_s
        Default step between windows in seconds; None for the window.
    front_end
        Whether it is in the file.
    """
    manifest: dict[str, Any] = {
        "name": name,
        "version": precision,
        **{key: value or "unknown" for key, value in words._asdict().items()},
        "model": f"{name}.onnx",
        "sha256": sha256,
        "runtime": "onnx",
        "sample_rate": model.sample_rate,
        "window_s": model.window_s,
        "hop_s": hop_s or model.window_s,
        **_entry(model, front_end),
        "output": {"embedding": EMBEDDING},
    }
    if model.classes:
        manifest["scores"] = {"tensor": SCORES}
        if model.is_detector:
            manifest["frames"] = {"tensor": FRAMES}
        manifest["labels"] = list(model.classes)
    Manifest.model_validate(manifest)
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)


def _entry(model: EncoderModel, front_end: Place) -> dict[str, Any]:
    """Return what is computed before the graph, and the tensor that takes it."""
    facts: dict[str, Any] = {"dtype": "float32", "valid": VALID}
    if front_end == "inside":
        return {
            "front_end": {"kind": "waveform"},
            "input": {"tensor": WAVEFORM, "layout": "NS", **facts},
        }
    settings = model.front_end_config.model_dump(mode="json", exclude_none=True)
    return {
        "front_end": {"kind": settings.pop("kind"), **settings},
        "input": {"tensor": FEATURES, "layout": "NTF", **facts},
    }
