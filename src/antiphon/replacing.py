"""Files that appear whole or not at all: written under another name, then moved."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from antiphon.errors import FileError


@contextmanager
def replacing(
    path: Path,
    problem: str = "",
    advice: str = "",
    *,
    kind: type[FileError] = FileError,
    sync: bool = False,
    make_folder: bool = True,
    alone: bool = False,
    keep_mode: bool = False,
) -> Iterator[Path]:
    """Give a name beside ``path`` to write under; it becomes ``path`` when the block ends well.

    Otherwise ``path`` is as before, and nothing is left beside it unless the process was killed:
    then a hidden file whose name ends in ``.part``. What is written there as any file is has the
    permissions that the umask leaves.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    problem, advice, kind
        What an OSError of the block or of the move becomes: ``kind(path, "problem (reason)",
        advice)``. Without a problem it stays an OSError and names ``path``, not the file beside.
    sync
        Force the content to the disk before the move, so that a power cut cannot leave an empty
        file.
    make_folder
        Make the folders that ``path`` lies in.
    alone
        No other process or thread writes ``path`` meanwhile: the name beside it is then always the
        same, and what a killed process left is written over by the next.
    keep_mode
        A file that is there keeps its permissions.

    Yields
    ------
    pathlib.Path
        Where to write. Nothing is there yet, unless ``alone``.
    """
    part = path.with_name(f".{path.name}{'' if alone else '.' + secrets.token_hex(4)}.part")
    try:
        try:
            if make_folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            if sync:
                with part.open("rb+") as file:
                    os.fsync(file.fileno())
            if keep_mode and path.exists():
                part.chmod(path.stat().st_mode & 0o777)
            part.replace(path)
        finally:
            # The folder may be none, or gone; that is told by what went wrong before.
            with suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        named = _named(error, part, path)
        if problem:
            raise kind(path, f"{problem} ({named.strerror or named})", advice) from error
        if named is error:
            raise
        raise named from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file (UTF-8) that appears when it is on the disk, or not at all.

    Raises
    ------
    FileError
        If it cannot be written; what was there before stays.
    """
    words = ("it cannot be written", "Check free space and permissions")
    with replacing(path, *words, sync=True) as part:
        part.write_text(text, encoding="utf-8", newline="")


def _named(error: OSError, part: Path, path: Path) -> OSError:
    """Return an error that names the file itself: the name beside it means nothing to anybody."""
    if error.errno is None or (error.filename and str(error.filename) != str(part)):
        return error
    return OSError(error.errno, os.strerror(error.errno), str(path))
