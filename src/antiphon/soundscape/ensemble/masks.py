"""Windows and classes on which the same members spoke, so that each group is blended at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.intp]
Bool = npt.NDArray[np.bool_]


def blocks(there: Bool) -> Iterator[tuple[Index, Index, Index]]:
    """Yield members, rows and classes that belong together, of ``(m, n, C)``.

    Every place where a member is there is in exactly one block, with all that are there.
    """
    m, n, classes = there.shape
    for columns in _groups(there.reshape(m * n, classes)):
        one = there[:, :, columns[0]]
        for rows in _groups(one):
            members = np.flatnonzero(one[:, rows[0]])
            if len(members):
                yield members, rows, columns


def alike(there: Bool) -> Iterator[tuple[Index, Index]]:
    """Yield rows and classes of ``(n, C)``: classes that are there on the same rows."""
    for columns in _groups(there):
        rows = np.flatnonzero(there[:, columns[0]])
        if len(rows):
            yield rows, columns


def _groups(table: Bool) -> list[Index]:
    """Return the columns of a table that are equal, group by group."""
    if not table.size:
        return []
    if (table == table[:, :1]).all():
        return [np.arange(table.shape[1])]
    packed = np.packbits(table, axis=0)
    kind = np.unique(packed, axis=1, return_inverse=True)[1].ravel()
    return [np.flatnonzero(kind == k) for k in range(int(kind.max()) + 1)]
