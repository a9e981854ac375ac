"""Perch v2 from its ONNX file: the shipped manifest, and the file from disk or perch-hoplite.

Follows perch-hoplite 1.0 (``perch_hoplite.zoo.hf_hub.download``), which is asked only for the
file; the network runs here, without TensorFlow. Facts of the ONNX file (input, outputs, SHA-256,
mean removed and peak 0.25 per window) are those on its model card, ``justinchuby/Perch-onnx``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antiphon.encoders.manifest import SHIPPED, load_manifest
from antiphon.encoders.modelfile import find_beside
from antiphon.encoders.network import NetworkEncoder, open_manifest
from antiphon.errors import UserError

MANIFEST = SHIPPED / "perch_v2.yaml"
_REPOSITORY, _FILE = "justinchuby/Perch-onnx", "perch_v2.onnx"


def create_perch_v2(parameters: Mapping[str, Any]) -> NetworkEncoder:
    """Create Perch v2.

    The model file is the parameter ``model``, else ``perch_v2.onnx`` in ``$ANTIPHON_MODELS``,
    else what perch-hoplite downloads where that package is installed.

    Raises
    ------
    ModelError
        The file is missing or is not the expected one.
    UserError
        perch-hoplite is installed, but could not download the file.
    """
    manifest = load_manifest(MANIFEST)
    parameters = dict(parameters)
    if "model" not in parameters and find_beside(manifest.model, MANIFEST.parent) is None:
        downloaded = _download()
        if downloaded is not None:
            parameters["model"] = downloaded
    return open_manifest(MANIFEST, parameters)


def _download() -> Path | None:
    """Return the file through perch-hoplite, None where that package is not installed."""
    try:
        hub = importlib.import_module("perch_hoplite.zoo.hf_hub")
    except ImportError:
        return None
    try:
        return Path(hub.download(_REPOSITORY, _FILE))
    # Whatever the hub's client raises, the user can do the same thing about it.
    except Exception as error:
        raise UserError(
            f"Encoder 'perch_v2': {_FILE} could not be downloaded ({error}). Connect to the "
            f"network and try again, or get the file elsewhere, put it into a folder and set "
            "ANTIPHON_MODELS to that folder."
        ) from error
