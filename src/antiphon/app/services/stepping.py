"""What a strategy chose, cycle by cycle, on a plane of the data set's embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.linalg

from antiphon.active.benchmark.sources import SetFacts, SetSource
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.record import Run
from antiphon.app.services.wording import without_paths
from antiphon.errors import AntiphonError, FileError, UserError

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

NONE = 255
"""Code of rows without a label."""

# More names than this cannot be told apart by colour and shape.
_NAMES = 20
_ROWS = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Stepping:
    """The rows of a data set that can be chosen, on a plane.

    Parameters
    ----------
    position
        ``(n, 2)`` float32 along the first two principal components, both within -1 and 1.
    share
        Share of the variance along each.
    codes
        ``(n,)`` uint8, the class of each row as an index of ``names``, or :data:`NONE`.
    names
        Classes; rows of several share one name, and so do rare classes where there are many.
    labels
        All classes.
    targets
        ``(n, n_labels)`` bool.
    place
        Position here of each row of the data set that can be chosen.
    """

    position: Float32
    share: tuple[float, float]
    codes: UInt8
    names: tuple[str, ...]
    labels: tuple[str, ...]
    targets: npt.NDArray[np.bool_]
    place: dict[int, int]

    def steps(self, run: Run) -> list[list[int]] | None:
        """Return the rows that each cycle chose, in order; None where the run did not keep them."""
        if any(len(cycle.rows) == 0 for cycle in run.cycles):
            return None
        if any(row not in self.place for cycle in run.cycles for row in cycle.rows):
            return None
        return [[self.place[row] for row in cycle.rows] for cycle in run.cycles]


def load_stepping(
    sources: Sequence[SetSource], facts: SetFacts, cache: Path | None = None
) -> Stepping:
    """Read a data set and lay it out.

    Parameters
    ----------
    sources
        Where it may come from.
    facts
        Which set it is.
    cache
        Folder of packed embeddings; nothing is packed when None.

    Raises
    ------
    UserError
        If none of the sources has it, as it is gone or was changed.
    """
    reason = "the data set is not where the benchmark found it, or was changed since"
    # The right one first: reading a set only to see that it is another one takes its time.
    for source in sorted(sources, key=lambda one: facts.name not in one.title):
        known = source.facts()
        if known is not None and all(one.key != facts.key for one in known):
            continue
        try:
            found = [data for data in source.load(cache) if data.key == facts.key]
        except FileError as error:
            # Its path is the server's own.
            reason = error.problem
            continue
        except (AntiphonError, OSError) as error:
            reason = "its files cannot be read"
            if isinstance(error, UserError):
                reason = without_paths(str(error), [source.title])
            continue
        if found:
            return lay_out(found[0])
    raise UserError(f"The embeddings of {facts.name} cannot be shown: {reason}.")


def lay_out(data: LabelledSet) -> Stepping:
    """Return the rows of a data set that can be chosen, on the plane of two components."""
    pool = data.pool()
    position, share = two_components(data.embeddings, pool)
    targets = np.asarray(data.targets[pool] > 0.5)
    codes, names = _codes(targets, data.labels)
    return Stepping(
        position=position,
        share=share,
        codes=codes,
        names=names,
        labels=data.labels,
        targets=targets,
        place={int(row): i for i, row in enumerate(pool.tolist())},
    )


def two_components(
    embeddings: Float32, rows: npt.NDArray[np.int64]
) -> tuple[Float32, tuple[float, float]]:
    """Return coordinates along the first two principal components, and their variance's shares.

    Coordinates are centred and scaled to lie between -1 and 1, both axes alike.
    """
    dim = embeddings.shape[1]
    blocks = [rows[i : i + _ROWS] for i in range(0, len(rows), _ROWS)]
    mean = np.zeros(dim)
    for block in blocks:
        mean += embeddings[block].sum(axis=0, dtype=np.float64)
    mean /= max(1, len(rows))
    gram = np.zeros((dim, dim))
    for block in blocks:
        # Products about the mean: float32 loses nothing there that matters.
        centred = embeddings[block] - mean.astype(np.float32)
        gram += centred.T @ centred
    kept = min(2, dim)
    variance, axes = scipy.linalg.eigh(gram, subset_by_index=[dim - kept, dim - 1])
    variance, axes = variance[::-1], axes[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(kept)])
    found = np.zeros((len(rows), 2), np.float32)
    at = 0
    for block in blocks:
        found[at : at + len(block), :kept] = (embeddings[block] - mean) @ axes
        at += len(block)
    if len(found):
        low, high = found.min(axis=0), found.max(axis=0)
        found = (found - (low + high) / 2) * (2 / max(float((high - low).max()), 1e-12))
    total = max(float(np.trace(gram)), 1e-12)
    shares = [max(0.0, float(v)) / total for v in variance] + [0.0] * (2 - kept)
    return np.ascontiguousarray(found, np.float32), (shares[0], shares[1])


def _codes(targets: npt.NDArray[np.bool_], labels: Sequence[str]) -> tuple[UInt8, tuple[str, ...]]:
    """Return a code for each row and what the codes mean."""
    count = targets.sum(axis=1)
    codes = np.full(len(targets), NONE, np.uint8)
    many = len(labels) > _NAMES - 1
    order = np.argsort(-targets.sum(axis=0), kind="stable")[: _NAMES - 2] if many else None
    shown = list(range(len(labels))) if order is None else order.tolist()
    names = [labels[i] for i in shown]
    for code, column in enumerate(shown):
        codes[(count == 1) & targets[:, column]] = code
    rest = (count == 1) & (codes == NONE)
    if rest.any():
        codes[rest] = len(names)
        names.append("rarer classes")
    if (count > 1).any():
        codes[count > 1] = len(names)
        names.append("several at once")
    return codes, tuple(names)
