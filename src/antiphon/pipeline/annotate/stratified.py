"""Windows drawn over the whole range of a label's scores, for thresholds and honest estimates.

A detector is judged on windows that were drawn by chance, with chances that are known. Uniform
chances spend nearly all labels on windows without the sound. So windows are divided into strata
of their calibrated probability, more are drawn where answers are uncertain and many, and every
window counts in an estimate with the inverse of its chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.strategies.stratified import strata
from antiphon.errors import UserError
from antiphon.evaluation.archive.allocation import allocate, draw_stratified
from antiphon.evaluation.archive.designs import Stratified
from antiphon.evaluation.archive.quality import archive_quality
from antiphon.evaluation.archive.result import ArchiveQuality
from antiphon.pipeline.annotate.said import Said, Span
from antiphon.store import answers, queues
from antiphon.store.project import ProjectFolder

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Fewer answers than this in a stratum show no variance.
_AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class Stratum:
    """Windows whose scores lie close together.

    Parameters
    ----------
    name
        The range of scores, as text.
    low, high
        The lowest and the highest score in it.
    size
        Windows in it.
    drawn
        Windows drawn from it.
    """

    name: str
    low: float
    high: float
    size: int
    drawn: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Windows drawn with known chances.

    Parameters
    ----------
    rows
        ``(n,)`` which windows, in random order: those labelled first are a random part of all.
    chance
        ``(n,)`` probability with which each came into the draw.
    stratum
        ``(n,)`` place in ``strata``.
    strata
        From the lowest scores to the highest.
    """

    rows: Int64
    chance: Float64
    stratum: Int64
    strata: tuple[Stratum, ...]


def draw_by_score(score: Float32, n: int, rng: np.random.Generator) -> Draw:
    """Draw ``n`` windows over the range of a label's calibrated probability.

    Bounds of the strata after Dalenius and Hodges (1959); labels for each by Neyman's allocation,
    with the mean score as the share of windows expected to hold the sound; at least two for each.

    Parameters
    ----------
    score
        ``(N,)`` probabilities of all windows of the archive, 0 to 1.
    n
        Windows to draw; all of them where there are no more.

    Raises
    ------
    UserError
        If there is no window, or ``n`` is below 2.
    """
    size = len(score)
    if not size:
        raise UserError("No window matches, so there is nothing to draw from.")
    if n < _AT_LEAST:
        raise UserError(f"A sample by score needs {_AT_LEAST} windows and more, not {n}.")
    n = min(n, size)
    # Never more strata than two answers for each allow.
    place = strata(score, count=max(1, min(10, n // _AT_LEAST)))
    names, place = np.unique(place, return_inverse=True)
    place = place.astype(np.int64)
    sizes = np.bincount(place, minlength=len(names))
    mean = np.bincount(place, weights=score.astype(np.float64), minlength=len(names)) / sizes
    # No stratum is taken for certain: an error of the scores there would never be seen.
    share = np.clip(mean, 0.01, 0.99)
    counts = allocate(
        sizes, share, np.ones(len(names)), measure="prevalence", total=n, at_least=_AT_LEAST
    ).counts
    rows = rng.permutation(draw_stratified(place, counts, rng))
    found = []
    for h in range(len(names)):
        inside = score[place == h]
        low, high = float(inside.min()), float(inside.max())
        found.append(Stratum(f"{low:.3f}-{high:.3f}", low, high, int(sizes[h]), int(counts[h])))
    chance = (counts / sizes)[place[rows]]
    return Draw(rows, chance, place[rows], _unlike(found))


def _unlike(found: list[Stratum]) -> tuple[Stratum, ...]:
    """Give strata that round to the same name different ones."""
    names = [stratum.name for stratum in found]
    return tuple(
        stratum
        if names.count(stratum.name) == 1
        else Stratum(
            f"{stratum.name} ({i + 1})", stratum.low, stratum.high, stratum.size, stratum.drawn
        )
        for i, stratum in enumerate(found)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What people said of a queue that was drawn by chance.

    Parameters
    ----------
    label
        The label that was asked about.
    spans
        The windows with a plain answer, present or absent.
    present
        ``(n,)`` bool.
    score
        ``(n,)`` probability the detector of the time gave, NaN where it was not kept.
    stratum
        ``(n,)`` names of strata.
    sizes
        Windows of the archive in each stratum.
    open, unclear
        Windows that nobody has answered yet, and ones that were skipped, unsure or of which the
        answer does not speak. An estimate takes both as missing by chance.
    """

    label: str
    spans: tuple[Span, ...]
    present: npt.NDArray[np.bool_]
    score: Float64
    stratum: tuple[str, ...]
    sizes: Mapping[str, int]
    open: int
    unclear: int

    def design(self) -> Stratified:
        """Return how the answered windows were drawn.

        Items of a queue are in random order, so what is answered of a stratum so far is a random
        part of it; its chance is the share of the stratum that is answered.

        Raises
        ------
        UserError
            If a stratum has no answer yet.
        """
        sizes: dict[object, int] = {name: size for name, size in self.sizes.items()}  # noqa: C416
        return Stratified(np.array(self.stratum, dtype=object), sizes)

    def quality(self, threshold: float, *, level: float = 0.95) -> ArchiveQuality:
        """Estimate precision and recall in the whole archive at a threshold of the score.

        Raises
        ------
        UserError
            If a stratum has no answer yet.
        """
        return archive_quality(
            self.design(), self.present.astype(float), self.score >= threshold, level=level
        )


def sample_of(folder: ProjectFolder, queue_id: int) -> Sample:
    """Return what was said so far of a stratified queue.

    Raises
    ------
    UserError
        If there is no such queue, or it was not drawn by score.
    """
    with folder.catalogue.database.read() as connection:
        queue = queues.queue(connection, queue_id)
        if queue is None:
            raise UserError(f"There is no queue {queue_id}.")
        if "strata" not in queue.parameters:
            raise UserError(f"The queue {queue.name!r} was not drawn by the score of a label.")
        items = queues.items(connection, queue_id)
        said = answers.by_window(connection, {item.recording_id for item in items})
    label = str(queue.parameters["label"])
    spans, present, score, stratum = [], [], [], []
    still = unclear = 0
    for item in items:
        if item.done is None:
            still += 1
            continue
        told = _told(answers.piles(said.get(item.window, [])), item.done, label)
        if told is None:
            unclear += 1
            continue
        spans.append(Span.of(item.window))
        present.append(told)
        score.append(np.nan if item.utility is None else item.utility)
        stratum.append(str(item.stratum))
    return Sample(
        label,
        tuple(spans),
        np.array(present, bool),
        np.array(score, np.float64),
        tuple(stratum),
        {str(row["name"]): int(row["size"]) for row in queue.parameters["strata"]},
        still,
        unclear,
    )


def _told(piles: answers.Piles, done: int, label: str) -> bool | None:
    """Return whether the label is present: by the settlement, or by who answered the item."""
    row = piles.rows.get(done)
    settled = piles.standing(None)
    mine = None if row is None else piles.standing(answers.pile_of(row))
    for answer in (settled, mine):
        if answer is None:
            continue
        said = Said.from_json(answer.said)
        if label in said.present:
            return True
        if label in said.absent or label in said.scope:
            return False
        if label in said.unsure:
            return None
    return None
