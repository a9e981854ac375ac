"""Encoders by name: what there is, and how to get one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.encoders.base import Encoder
from antiphon.encoders.checking import nearest
from antiphon.encoders.manifest import SHIPPED, load_manifest
from antiphon.encoders.modelfile import find_beside, find_model
from antiphon.encoders.presets import PRESETS
from antiphon.errors import FileError, UserError

_AVEX = "avex:"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What a list of encoders shows of one.

    Parameters
    ----------
    name
        For :func:`create_encoder`.
    kind
        ``built in``, ``tflite``, ``onnx`` or ``package``.
    available
        Whether it can be used as things are.
    why_not
        What is missing otherwise, and where to get it.
    description
        One line.
    """

    name: str
    kind: str
    available: bool
    why_not: str
    description: str


def list_encoders() -> list[EncoderCard]:
    """Return all encoders that have a name, the built-in ones first. Loads none of them."""
    cards = [
        EncoderCard(name, "built in", True, "", preset.description)
        for name, preset in PRESETS.items()
    ]
    cards += [_shipped_card(path) for path in _shipped().values()]
    cards.append(
        _package_card("birdnet", "birdnet", "BirdNET 2.4, 6,522 species; 1,024 numbers per 3 s")
    )
    cards.append(
        _package_card(f"{_AVEX}MODEL", "avex", "networks of AVEX, as esp_aves2_sl_beats_all")
    )
    return cards


def create_encoder(name_or_manifest: str, **parameters: Any) -> Encoder:
    """Create an encoder.

    Parameters
    ----------
    name_or_manifest
        A name of :func:`list_encoders`, ``avex:`` and a model of AVEX, or the path of a manifest.
    **parameters
        Of the encoder, as in
        :class:`~antiphon.encoders.presets.SpectralParameters` or
        :class:`~antiphon.encoders.network.NetworkParameters`.

    Raises
    ------
    UserError
        The name or a parameter is unknown; the message has the nearest ones and the list.
    FileError
        A manifest or a model file is missing or faulty.
    MissingExtraError
        The encoder needs a package that is not installed.
    """
    maker = _maker(name_or_manifest)
    return maker(parameters)


def _maker(name: str) -> Callable[[Mapping[str, Any]], Encoder]:
    # The runtimes are heavy to import, so each encoder's module is loaded only when it is wanted.
    if name in PRESETS:
        from antiphon.encoders.spectral import create_spectral

        return lambda parameters: create_spectral(name, parameters)
    if name == "perch_v2":
        from antiphon.encoders.perch import create_perch_v2

        return create_perch_v2
    if name == "birdnet":
        from antiphon.encoders.birdnet import create_birdnet

        return create_birdnet
    if name.startswith(_AVEX) and len(name) > len(_AVEX):
        from antiphon.encoders.avex import AvexEncoder

        return lambda parameters: AvexEncoder(name.removeprefix(_AVEX), parameters)
    shipped = _shipped()
    path = shipped[name] if name in shipped else Path(name).expanduser()
    if name not in shipped and path.suffix.lower() not in (".yaml", ".yml"):
        names = [card.name for card in list_encoders()]
        raise UserError(
            f"There is no encoder {name!r}.{nearest(name, names)} There are: {', '.join(names)}, "
            "or the path of a manifest (.yaml)."
        )
    if not path.is_file():
        raise FileError(path, "there is no such manifest", "Check the path")
    from antiphon.encoders.network import open_manifest

    return lambda parameters: open_manifest(path, dict(parameters))


def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def _shipped_card(path: Path) -> EncoderCard:
    manifest = load_manifest(path)
    why_not = ""
    try:
        find_model(manifest, path.parent)
        if isinstance(manifest.labels, str) and find_beside(manifest.labels, path.parent) is None:
            why_not = f"The label file {manifest.labels} is not beside the model file."
    except FileError as error:
        why_not = str(error)
        if path.stem == "perch_v2" and _installed("perch_hoplite"):
            why_not = ""
    kind = "built in" if (SHIPPED / manifest.model).is_file() else manifest.runtime
    return EncoderCard(path.stem, kind, not why_not, why_not, manifest.description)


def _package_card(name: str, package: str, description: str) -> EncoderCard:
    found = _installed(package)
    why_not = "" if found else f"Install the extra: pip install 'antiphon[{package}]'."
    return EncoderCard(name, "package", found, why_not, description)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
