"""Choose windows out of millions: one streamed pass makes a shortlist, a strategy chooses from it.

What is exact: labelled and excluded rows are never chosen, every other row is looked at once, and
a pool that fits into the shortlist is handed to the strategy whole. ``random`` is always drawn
from all rows.

What is approximate, in a larger pool: a strategy sees the shortlist and the labelled rows instead
of the archive. New and doubtful rows, likely positives of each label and a uniform sample of the
rest stand for it. So a batch can miss a row that only the strategy's own measure
would have put first; densities and clusters (typiclust, probcover, k-means) are those of the
shortlist, in which rare sounds are more frequent than in the archive; distances are taken in a
projection fitted on a sample; and with very many labels, distances are to some of them that cover
the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.active.base import HeadView, PoolView, Selection
from antiphon.active.large.landmarks import find_landmarks
from antiphon.active.large.pool import (
    Scores,
    check_rows,
    free_rows,
    head_of,
    places,
    pool_of,
    scores_of,
)
from antiphon.active.large.scan import Found, scan
from antiphon.active.large.settings import ShortlistSettings, fitting_total
from antiphon.active.large.stream import VectorSource
from antiphon.active.registry import get_strategy, select
from antiphon.errors import UserError
from antiphon.threads import few_threads

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The rows that a strategy chooses from, as an ordinary pool.

    Parameters
    ----------
    rows
        ``(k,)`` int64, ascending: the source's row of each row of the pool, labelled ones included.
    pool
        What a strategy sees.
    free
        ``(N,)`` bool: rows of the source that may be chosen.
    novel, doubtful, likely, random
        Rows that were taken for each reason; a row counts once, for the first.
    notes
        Sentences on what is approximate here; empty when the pool holds all candidates.
    """

    rows: Int64
    pool: PoolView
    free: Bool
    novel: int
    doubtful: int
    likely: int
    random: int
    notes: tuple[str, ...]

    @property
    def candidates(self) -> int:
        """Rows of the source that may be chosen."""
        return int(self.free.sum())

    @property
    def complete(self) -> bool:
        """Whether all candidates are in the pool."""
        return len(self.rows) - len(self.pool.labelled) == self.candidates

    def select(self, strategy: str, n: int) -> Selection:
        """Choose ``n`` rows of the source by a strategy, or all there are in the shortlist.

        ``random`` chooses from all candidates, listed or not.

        Raises
        ------
        UserError
            If the strategy is unknown or ``n`` is below 1.
        """
        if get_strategy(strategy).name == "random":
            return _random(self.free, n, self.pool.generator)
        chosen = select(strategy, self.pool, n)
        return Selection(self.rows[chosen.rows], chosen.utility)


def select_streamed(
    source: VectorSource,
    strategy: str,
    n: int,
    *,
    labelled: Int64,
    labels: Float32,
    generator: np.random.Generator,
    probabilities: Float32 | None = None,
    score_block: Scores | None = None,
    recording: Int64 | None = None,
    head: Callable[[Float32], HeadView] | None = None,
    metadata: pa.Table | None = None,
    excluded: npt.ArrayLike | None = None,
    multilabel: bool = True,
    cycle: int = 1,
    budget: int | None = None,
    memory_mb: float = 512.0,
    settings: ShortlistSettings | None = None,
) -> Selection:
    """Choose ``n`` rows of a source of any size; parameters as for :func:`shortlist`.

    Returns
    -------
    Selection
        Rows of the source, the most wanted first; fewer than ``n`` where there are no more.

    Raises
    ------
    UserError
        If the strategy is unknown, ``n`` is below 1, or as :func:`shortlist` raises.
    """
    if get_strategy(strategy).name == "random":
        free = free_rows(len(source), check_rows(labelled, len(source)), excluded)
        return _random(free, n, generator)
    return shortlist(
        source,
        n,
        labelled=labelled,
        labels=labels,
        generator=generator,
        probabilities=probabilities,
        score_block=score_block,
        recording=recording,
        head=head,
        metadata=metadata,
        excluded=excluded,
        multilabel=multilabel,
        cycle=cycle,
        budget=budget,
        memory_mb=memory_mb,
        settings=settings,
    ).select(strategy, n)


def shortlist(
    source: VectorSource,
    n: int,
    *,
    labelled: Int64,
    labels: Float32,
    generator: np.random.Generator,
    probabilities: Float32 | None = None,
    score_block: Scores | None = None,
    recording: Int64 | None = None,
    head: Callable[[Float32], HeadView] | None = None,
    metadata: pa.Table | None = None,
    excluded: npt.ArrayLike | None = None,
    multilabel: bool = True,
    cycle: int = 1,
    budget: int | None = None,
    memory_mb: float = 512.0,
    settings: ShortlistSettings | None = None,
) -> Shortlist:
    """Make a pool of some ten thousand rows out of any number, for any strategy.

    Parameters
    ----------
    source
        ``N`` rows of vectors; a table's :class:`~antiphon.store.view.View`, or an
        :class:`~antiphon.active.large.stream.ArraySource`.
    n
        Rows that will be chosen; the shortlist has at least four times as many.
    labelled, labels
        ``(m,)`` rows of the source and ``(m, n_labels)`` float32, as in
        :class:`~antiphon.active.base.PoolView`.
    generator
        The only source of randomness; equal states, equal shortlists, whatever the source's blocks
        and the number of threads.
    probabilities
        ``(N, n_labels)`` of all rows, an array or a file mapped into memory.
    score_block
        From ``(m, dim)`` float32 vectors to ``(m, n_labels)`` probabilities, used when
        ``probabilities`` is not given. Called from several threads.
    recording
        ``(N,)`` int64; -1 for all when None.
    head
        From the shortlist's vectors to the head that strategies see; its probabilities are used
        when neither of the above is given. When None, strategies see the probabilities alone.
    metadata
        A row for each of the ``N``.
    excluded
        ``(N,)`` bool, or rows, that are not chosen; labelled ones among them still count as
        labelled.
    multilabel, cycle, budget
        As in :class:`~antiphon.active.base.PoolView`.
    memory_mb
        Memory (10^6 bytes) for the work, Lance's buffers included, besides what the process and
        the given arrays take; the shortlist is made smaller where it would not fit. A strategy is
        taken to need 4.5 times the shortlist's vectors; one that compares all pairs needs more.

    Raises
    ------
    UserError
        If arrays do not fit each other, a vector or probability is not finite, nothing is left to
        choose, or the memory is too little for a batch of ``n``.
    """
    if n < 1:
        raise UserError(f"The number of windows to choose is {n}; it must be at least 1.")
    settings = settings or ShortlistSettings()
    size = len(source)
    labelled = check_rows(labelled, size)
    labels = np.asarray(labels, dtype=np.float32)
    if labels.ndim != 2 or len(labels) != len(labelled):
        raise UserError(
            f"There are {len(labelled)} labelled rows and labels of the shape {labels.shape}."
        )
    for name, given in (
        ("Probabilities", probabilities),
        ("Recordings", recording),
        ("Metadata", metadata),
    ):
        if given is not None and len(given) != size:
            raise UserError(f"{name} have {len(given)} rows, the vectors {size}.")
    free = free_rows(size, labelled, excluded)
    candidates = int(free.sum())
    if candidates == 0:
        raise UserError("No window is left to choose: all carry labels or are excluded.")
    dim = source.vectors(np.flatnonzero(free)[:1]).shape[1]
    total, notes = fitting_total(n, candidates, len(labelled), size, dim, memory_mb, settings)
    scores = scores_of(probabilities, score_block, head)
    shown, counts = labelled, (0, 0, 0, candidates)
    chosen = np.flatnonzero(free)
    # BLAS gets one thread: chunks are worked on side by side, and sums come out the same.
    with few_threads(0):
        if candidates > total:
            marks, cover = find_landmarks(
                source,
                free,
                labelled,
                labels,
                generator,
                dims=settings.dims,
                sample=settings.sample,
                cover=settings.cover,
                cells=settings.cells,
                floor=settings.floor,
            )
            shown, note = _shown(labelled, cover, generator, settings.labelled)
            notes += note
            novel, doubtful, likely = _shares(settings, total, scores is not None)
            found = scan(
                source,
                free,
                marks,
                scores,
                novel=novel,
                doubtful=doubtful,
                likely=likely,
                salt=int(generator.integers(2**62)),
            )
            chosen, counts = _mix(free, found, total, generator)
            said = (
                f"{len(chosen):,} of {candidates:,} windows were compared in full: {counts[0]:,} "
                f"new ones, {counts[1]:,} doubtful ones, {counts[2]:,} likely positives, "
                f"{counts[3]:,} at random."
            )
            notes += (said,)
        elif candidates + len(labelled) > total + settings.labelled:
            shown, note = _shown(labelled, labelled[:0], generator, settings.labelled)
            notes += note
        rows = np.sort(np.concatenate([chosen, shown]))
        pool = pool_of(
            source, rows, shown, labels[places(labelled, shown)], recording, generator, metadata
        )
        view = head_of(pool, rows, probabilities, score_block, head)
    pool = replace(pool, head=view, multilabel=multilabel, cycle=cycle, budget=budget)
    return Shortlist(rows, pool, free, *counts, notes)


def _random(free: Bool, n: int, generator: np.random.Generator) -> Selection:
    """Draw candidates as the strategy ``random`` does; no vector is read for it."""
    if n < 1:
        raise UserError(f"The number of windows to choose is {n}; it must be at least 1.")
    rows = np.flatnonzero(free)
    rows = generator.choice(rows, size=min(n, len(rows)), replace=False)
    return Selection(rows.astype(np.int64), np.ones(len(rows), np.float32))


def _shown(
    labelled: Int64, cover: Int64, generator: np.random.Generator, limit: int
) -> tuple[Int64, tuple[str, ...]]:
    """Return the labelled rows that a strategy sees, in the order they were labelled."""
    if len(labelled) <= limit:
        return labelled, ()
    cover = cover[:limit]
    rest = np.setdiff1d(labelled, cover)
    some = generator.choice(rest, limit - len(cover), replace=False)
    keep = np.isin(labelled, np.concatenate([cover, some]))
    note = f"{limit:,} of {len(labelled):,} labelled windows stand for all, {len(cover):,} of them "
    return labelled[keep], (note + "chosen to cover the rest.",)


def _shares(settings: ShortlistSettings, total: int, trained: bool) -> tuple[int, int, int]:
    """Return how many novel, doubtful and likely rows are wanted."""
    if not trained:
        return round((settings.novel + settings.doubtful) * total), 0, 0
    shares = (settings.novel, settings.doubtful, settings.likely)
    novel, doubtful, likely = (int(share * total) for share in shares)
    return novel, doubtful, likely


def _mix(
    free: Bool, found: Found, total: int, generator: np.random.Generator
) -> tuple[Int64, tuple[int, int, int, int]]:
    """Return the candidates of the shortlist, ascending, and how many each reason brought."""
    chosen = np.empty(0, np.int64)
    sizes = [0]
    for part in (found.novel, found.doubtful, found.likely):
        chosen = np.union1d(chosen, part)
        sizes.append(len(chosen))
    rest = free.copy()
    rest[chosen] = False
    random = generator.choice(np.flatnonzero(rest), total - len(chosen), replace=False)
    novel, doubtful, likely = np.diff(sizes).tolist()
    chosen = np.sort(np.concatenate([chosen, random])).astype(np.int64)
    return chosen, (novel, doubtful, likely, len(random))
