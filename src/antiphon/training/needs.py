"""The packages of the extra ``train``, asked for where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from antiphon.errors import MissingExtraError


def need(package: str, purpose: str = "train encoders") -> ModuleType:
    """Return a package of the extra.

    Parameters
    ----------
    package
        Import name, as in ``torch`` or ``timm``.
    purpose
        What it is needed for, for the message.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        # A package that is there but lacks one of its own parts is another fault, shown as it is.
        if error.name is None or error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingExtraError("train", purpose) from error
