"""Events judged by how much they intersect: tolerance criteria of Bilen et al. (ICASSP 2020).

A detection is relevant if enough of it lies in true events of its class (detection tolerance); a
true event is found if relevant detections cover enough of it (ground truth intersection); an
irrelevant detection is a cross-trigger of another class if enough of it lies in that class's events
(cross-trigger tolerance). Many short detections of one event, or one long detection of many, are
then as good as one each, unlike with collars.

Overlapping true events of one class count once in the detection's share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._spans import SLACK, covered, united
from antiphon.evaluation.metrics.events import Coded, Events, EventScores, coded

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Shares that decide what counts as found.

    Parameters
    ----------
    detection
        Least share of a detection in true events of its class.
    truth
        Least share of a true event covered by relevant detections.
    cross
        Least share of an irrelevant detection in another class's events.

    Raises
    ------
    UserError
        If a share is not above 0 and at most 1.
    """

    detection: float = 0.5
    truth: float = 0.5
    cross: float = 0.3

    def __post_init__(self) -> None:
        for name in ("detection", "truth", "cross"):
            if not 0 < getattr(self, name) <= 1:
                raise UserError(
                    f"The {name} criterion is a share above 0 and at most 1, not "
                    f"{getattr(self, name):g}."
                )


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the criteria say of each event.

    Parameters
    ----------
    codes
        Classes and groups.
    relevant
        ``(n_found,)``.
    detected
        ``(n_true,)``.
    cross
        ``(c, c)`` detections of the row's class that are cross-triggers of the column's.
    """

    codes: Coded
    relevant: Bool
    detected: Bool
    cross: Int64


def judge(
    true: Events, found: Events, criteria: Criteria, classes: Sequence[str] | None = None
) -> Judged:
    """Apply the criteria to two sets of events; see the module for them."""
    codes = coded(true, found, classes)
    truth = united(codes.true, true.onset, true.offset, codes.n_groups)
    length = found.offset - found.onset
    inside = covered(truth, codes.found, found.onset, found.offset)
    relevant = inside >= criteria.detection * length - SLACK
    those = united(
        codes.found[relevant], found.onset[relevant], found.offset[relevant], codes.n_groups
    )
    cover = covered(those, codes.true, true.onset, true.offset)
    detected = cover >= criteria.truth * (true.offset - true.onset) - SLACK
    n = len(codes.classes)
    cross = np.zeros((n, n), np.int64)
    wrong = np.flatnonzero(~relevant)
    own = codes.found[wrong] % max(1, n)
    for other in range(n):
        key = codes.found[wrong] - own + other
        inside = covered(truth, key, found.onset[wrong], found.offset[wrong])
        hit = (inside >= criteria.cross * length[wrong] - SLACK) & (own != other)
        cross[:, other] = np.bincount(own[hit], minlength=n)
    return Judged(codes, relevant, detected, cross)


def intersection_scores(
    true: Events,
    found: Events,
    criteria: Criteria | None = None,
    *,
    classes: Sequence[str] | None = None,
) -> EventScores:
    """Return counts by intersection: events of the truth found and missed, irrelevant detections.

    Parameters
    ----------
    true, found
        Events.
    criteria
        Shares of half each when None.
    classes
        Names and their order; all that occur when None.
    """
    judged = judge(true, found, criteria or Criteria(), classes)
    codes = judged.codes
    return EventScores(
        codes.classes,
        codes.per_class(codes.true[judged.detected]),
        codes.per_class(codes.found[~judged.relevant]),
        codes.per_class(codes.true[~judged.detected]),
    )
