"""Embeddings of a data set's items with labels, groups and provenance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.benchmarks.sets.items import Item
from antiphon.evaluation.leakage.sides import SplitSide
from antiphon.evaluation.protocols.inputs import one_hot

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Embeddings with labels and the items they are of.

    Parameters
    ----------
    x
        ``(n, dim)``.
    y
        ``(n,)`` classes or ``(n, C)`` of 0 and 1.
    items
        ``n`` items.
    classes
        Names.
    """

    x: Float32
    y: npt.NDArray[np.generic]
    items: Sequence[Item]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.items)

    def on(self, split: str) -> Rows:
        """Return the rows on one side."""
        return self.take(np.array([i for i, x in enumerate(self.items) if x.split == split], int))

    def take(self, rows: npt.NDArray[np.integer]) -> Rows:
        """Return some rows."""
        return Rows(self.x[rows], self.y[rows], [self.items[i] for i in rows], self.classes)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """What is independent: the source or recording of each row."""
        return np.array([item.group for item in self.items], dtype=np.str_)

    @property
    def days(self) -> npt.NDArray[np.str_] | None:
        """Day of each row, None unless all are known."""
        found = [item.day for item in self.items]
        return np.array(found, dtype=np.str_) if all(found) else None

    @property
    def matrix(self) -> Float32:
        """Labels as ``(n, C)``."""
        if self.y.ndim == 2:
            return self.y.astype(np.float32)
        return one_hot(self.y.astype(np.int64), len(self.classes))

    def side(self) -> SplitSide:
        """Return what is known of the rows, for the check of leakage."""
        whole = [item.path if item.end_s is None else None for item in self.items]
        return SplitSide(
            ids=[item.unique_name for item in self.items],
            recordings=[item.recording or item.path.as_posix() for item in self.items],
            sources=_known(item.source for item in self.items),
            sites=_known(item.site for item in self.items),
            days=_known(item.day for item in self.items),
            embeddings=self.x,
            files=whole if any(whole) else None,
        )


def _known(values: Iterable[str]) -> list[str] | None:
    found = list(values)
    return found if any(found) else None
