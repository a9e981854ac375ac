"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from antiphon.errors import FileError


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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        # The temporary name means nothing to anybody, and some errors name no file at all.
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
