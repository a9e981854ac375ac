"""Files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from antiphon.errors import FileError
from antiphon.replacing import replacing


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name beside ``path`` and move it there when it is whole.

    Raises
    ------
    FileError
        If ``path`` is a folder.
    OSError
        What ``write`` raises, with the name of ``path``, which is as before then; nothing is left
        beside it.
    """
    if path.is_dir():
        raise FileError(path, "is a folder", "Give the name of a file in it")
    with replacing(path) as part:
        write(part)
