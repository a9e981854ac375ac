"""Encoders of a project's tables: made anew from what the table remembers, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antiphon.encoders.base import Encoder
from antiphon.encoders.registry import create_encoder
from antiphon.errors import UserError
from antiphon.store.vectors import VectorTable

_PATHS = ("model", "labels")


def make_encoder(name: str, parameters: Mapping[str, Any]) -> tuple[Encoder, dict[str, Any]]:
    """Create an encoder and say how it can be created again.

    Returns
    -------
    Encoder
        Ready to run.
    dict
        ``name`` and ``parameters``, paths in them absolute.
    """
    if Path(name).suffix.lower() in (".yaml", ".yml"):
        name = str(Path(name).resolve())
    # Paths must mean the same from another working directory.
    kept = {
        key: str(Path(value).resolve()) if key in _PATHS and isinstance(value, str) else value
        for key, value in parameters.items()
    }
    return create_encoder(name, **kept), {"name": name, "parameters": kept}


def encoder_of(table: VectorTable) -> Encoder:
    """Create the encoder that a table was made with.

    Raises
    ------
    UserError
        If the table was made with an encoder given from Python, or the one that is there now
        gives other embeddings (a changed model file, manifest or version).
    """
    origin = table.origin
    if not origin:
        raise UserError(
            f"The embeddings {table.name!r} were made with an encoder given from Python. "
            "Give the same encoder again."
        )
    encoder = create_encoder(str(origin["name"]), **origin.get("parameters", {}))
    if encoder.spec.fingerprint != table.fingerprint:
        raise UserError(
            f"The encoder {origin['name']!r} is not the one that made {table.name!r}: the model, "
            "its manifest or its version has changed. Embed again with: antiphon embed PROJECT "
            f"--encoder {origin['name']}"
        )
    return encoder
