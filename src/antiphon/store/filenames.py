"""File names that are not UTF-8: kept in the catalogue, given back, and shown to people."""

from __future__ import annotations

import re


def storable(text: str) -> str:
    """Return a file's name as the catalogue can keep it.

    A name that is not UTF-8 comes from the operating system with lone surrogates, which no
    database takes. They become characters of a private area; :func:`original` turns them back.
    """
    return _SURROGATE.sub(lambda found: chr(ord(found[0]) + _PRIVATE), text)


def original(text: str) -> str:
    """Return a stored name as the operating system knows it; see :func:`storable`."""
    return _STORED.sub(lambda found: chr(ord(found[0]) - _PRIVATE), text)


def legible(text: str) -> str:
    r"""Return a text with the odd bytes of file names written out, as in ``caf\xe9.wav``."""
    return _SURROGATE.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", original(text))


_PRIVATE = 0x100000
_SURROGATE = re.compile("[\udc80-\udcff]")
_STORED = re.compile("[\U0010dc80-\U0010dcff]")
