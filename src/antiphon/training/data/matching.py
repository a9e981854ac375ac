"""Which recording of a folder a label table means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import FormatError
from antiphon.training.data.table import Int64

# More than a path has.
_FOLDERS = 1 << 30


def match_recordings(names: Any, paths: Any, table: Path) -> Int64:
    """Find the recording that each row of a table is about.

    A name is a path relative to the folder, or the longest tail of one that fits: with its
    folder, the file name, the same without suffix. Where two names lead to one recording, the
    longer tail has it: the other one means a recording of the same name that is not there. So
    does a name whose folders do not fit where those of other names do.

    Parameters
    ----------
    names
        ``(k,)`` Arrow strings of the table.
    paths
        ``(m,)`` Arrow strings: relative paths with forward slashes.
    table
        The label table, for messages.

    Returns
    -------
    numpy.ndarray
        ``(k,)`` int64, number of the path, -1 where none fits.

    Raises
    ------
    FormatError
        Several recordings fit a name.
    """
    wanted = pc.replace_substring(pa.array(names, pa.large_string()), "\\", "/")
    exact = pc.index_in(wanted, value_set=paths)
    found: Int64 = np.asarray(exact.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    left = np.flatnonzero(found < 0)
    if not len(left):
        return found
    # Only now, for names that are no whole paths, is a table of tails worth its memory.
    tails: dict[str, list[int]] = {}
    for number, path in enumerate(paths.to_pylist()):
        for tail in _tails(path):
            tails.setdefault(tail, []).append(number)
    known: dict[str, tuple[int, int]] = {}
    # Folders of the tail by which each recording is named; a whole path beats every tail.
    depth = np.full(len(paths), -1, np.int64)
    exactly = np.unique(found[found >= 0])
    depth[exactly] = [_FOLDERS if "/" in path else 0 for path in paths.take(exactly).to_pylist()]
    for name in dict.fromkeys(wanted.take(pa.array(left)).to_pylist()):
        known[name] = number, folders = _one(name, tails, paths, table)
        if number >= 0:
            depth[number] = max(depth[number], folders)
    by_folder = bool((depth > 0).any())
    for row in left.tolist():
        name = wanted[row].as_py()
        number, folders = known[name]
        # A name without folders can mean no other recording.
        if number >= 0 and len(_parts(name)) > 1:
            elsewhere = by_folder and not folders and "/" in paths[number].as_py()
            if elsewhere or folders < depth[number]:
                number = -1
        found[row] = number
    return found


def _one(name: str, tails: dict[str, list[int]], paths: Any, table: Path) -> tuple[int, int]:
    """Return the recording of a name and the folders of the tail that fits, or -1."""
    for tail in _tails(name):
        hits = tails.get(tail, [])
        if len(hits) > 1:
            some = ", ".join(paths[i].as_py() for i in hits[:3])
            raise FormatError(
                table,
                f"{name!r} fits several recordings ({some})",
                "Name them by a longer path in the table",
            )
        if hits:
            return hits[0], tail.count("/")
    return -1, -1


def _parts(path: str) -> list[str]:
    return [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")]


def _tails(path: str) -> list[str]:
    """Return a path's tails, longest first, then the same without suffix."""
    parts = _parts(path)
    full = ["/".join(parts[i:]) for i in range(len(parts))]
    bare = [str(PurePosixPath(tail).with_suffix("")) for tail in full if tail]
    return list(dict.fromkeys(full + bare))


def listing(names: Sequence[str], most: int = 3) -> str:
    """Return the first names and how many there are in all, as part of a sentence."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
