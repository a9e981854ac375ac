"""BirdNET 2.4 through the ``birdnet`` package, which brings the network and its species names.

Follows birdnet 1.3 (``birdnet.load("acoustic", "2.4", "tf", library="litert")`` and the loaded
model's ``model_path`` and ``species_list``). The package downloads and checks the files; the
network then runs in this process as any TFLite file does. The package's own sessions start several
processes and shared memory for each, which the engine here already provides.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import PositiveInt

from antiphon.encoders.checking import Strict, check_parameters
from antiphon.encoders.manifest import Manifest
from antiphon.encoders.network import NetworkEncoder
from antiphon.errors import MissingExtraError, UserError

# Tensors of the FP32 file: the embedding before the classifier, and the logits (birdnet 1.3,
# acoustic/models/v2_4/tf.py).
_EMBEDDING, _LOGITS = 545, 546


class BirdnetParameters(Strict):
    """Parameters of the encoder ``birdnet``.

    Parameters
    ----------
    lang
        Language of the species names after the scientific one, as ``en_us`` or ``de``.
    threads
        Windows computed side by side.
    """

    lang: str = "en_us"
    threads: PositiveInt | None = None


def create_birdnet(parameters: Mapping[str, Any]) -> NetworkEncoder:
    """Create BirdNET 2.4: 48 kHz, 3 s, 1,024 numbers and 6,522 scores.

    Raises
    ------
    MissingExtraError
        The package ``birdnet`` is not installed.
    UserError
        The network is not on this machine and could not be downloaded.
    """
    options = check_parameters(BirdnetParameters, parameters, "birdnet")
    try:
        package = importlib.import_module("birdnet")
    except ImportError as error:
        raise MissingExtraError("birdnet", "use the encoder birdnet") from error
    try:
        model = package.load("acoustic", "2.4", "tf", library="litert", lang=options.lang)
        path, labels = Path(model.model_path), tuple(str(s) for s in model.species_list)
    # The package raises errors of requests, zipfile, OSError and ValueError alike.
    except Exception as error:
        raise UserError(
            f"Encoder 'birdnet': the package could not load BirdNET 2.4 ({error}). The first use "
            "downloads 77 MB: connect to the network and try again, or check the language "
            f"{options.lang!r}."
        ) from error
    return NetworkEncoder(_manifest(path), path, labels, options.threads)


def _manifest(path: Path) -> Manifest:
    return Manifest.model_validate(
        {
            "name": "birdnet",
            "version": "2.4",
            "model": str(path),
            "runtime": "tflite",
            "sample_rate": 48_000,
            "window_s": 3.0,
            "front_end": {"kind": "waveform"},
            "input": {"tensor": 0, "layout": "NS"},
            "output": {"embedding": _EMBEDDING},
            "scores": {"tensor": _LOGITS, "activation": "sigmoid"},
        }
    )
