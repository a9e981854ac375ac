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


def match_recordings(names: Any, paths: Any, table: Path) -> Int64:
    """Find the recording that each row of a table is about.

    A name is a path relative to the folder, or the longest tail of one that fits: with its
    folder, the file name, the same without suffix.

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
    known: dict[str, int] = {}
    for row in left.tolist():
        name = wanted[row].as_py()
        if name not in known:
            known[name] = _one(name, tails, paths, table)
        found[row] = known[name]
    return found


def _one(name: str, tails: dict[str, list[int]], paths: Any, table: Path) -> int:
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
            return hits[0]
    return -1


def _tails(path: str) -> list[str]:
    """Return a path's tails, longest first, then the same without suffix."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")]
    full = ["/".join(parts[i:]) for i in range(len(parts))]
    bare = [str(PurePosixPath(tail).with_suffix("")) for tail in full if tail]
    return list(dict.fromkeys(full + bare))


def listing(names: Sequence[str], most: int = 3) -> str:
    """Return the first names and how many there are in all, as part of a sentence."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
