"""Find a network's file and make sure that it is the right one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from antiphon.encoders.manifest import SHIPPED, Manifest
from antiphon.errors import ModelError

MODELS_VARIABLE = "ANTIPHON_MODELS"


def find_beside(name: str, folder: Path) -> Path | None:
    """Look for a file relative to ``folder``, then by its name in ``$ANTIPHON_MODELS``."""
    places = [folder / name]
    if models := os.environ.get(MODELS_VARIABLE):
        places.append(Path(models).expanduser() / Path(name).name)
    return next((path for path in places if path.is_file()), None)


def find_model(manifest: Manifest, folder: Path, given: Path | None = None) -> Path:
    """Return the model file of a manifest.

    Parameters
    ----------
    manifest
        The description.
    folder
        Where the manifest is.
    given
        The file that the user named, if any.

    Raises
    ------
    ModelError
        There is no such file; the message says which, where it can be had and its SHA-256.
    """
    path = given.expanduser() if given is not None else find_beside(manifest.model, folder)
    if path is not None and path.is_file():
        return path
    advice = [
        (
            f"Put {Path(manifest.model).name} into a folder and set {MODELS_VARIABLE} to it, "
            "or give its path as the parameter 'model'"
        )
    ]
    if manifest.source:
        advice.append(manifest.source.strip().rstrip("."))
    if manifest.sha256:
        advice.append(f"Its SHA-256 is {manifest.sha256.lower()}")
    # The package's own folder is no place to put anything.
    wanted = Path(manifest.model) if folder == SHIPPED else folder / manifest.model
    raise ModelError(
        path or wanted,
        f"the network of encoder {manifest.name!r} is not there",
        ". ".join(advice),
    )


def check_sha256(path: Path, expected: str | None) -> str:
    """Return the SHA-256 (hex) of a file.

    Raises
    ------
    ModelError
        It cannot be read, or is not the expected one.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(path, f"cannot be read: {error.strerror}") from error
    found = digest.hexdigest()
    if expected and found != expected.lower():
        raise ModelError(
            path,
            f"has the SHA-256 {found}, the manifest expects {expected.lower()}",
            "The file is damaged or another version: get it anew, or correct the manifest",
        )
    return found
