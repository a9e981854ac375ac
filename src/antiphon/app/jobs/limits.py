"""What limits the quality of a detector, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.heads.thresholds import MIN_GROUPS

if TYPE_CHECKING:
    from antiphon.app.jobs.figures import LabelFigures

_MOST = 5
# A label that is found less well than this is worth naming though it has enough examples.
_WEAK = 0.7


def limits(labels: Sequence[LabelFigures], group_by: str) -> list[str]:
    """Return up to five sentences, what helps most first.

    Parameters
    ----------
    labels
        All labels of the project.
    group_by
        What folds never split: recording, site, date or a column of the metadata.
    """
    where = {"date": "day"}.get(group_by, group_by)
    found = []
    never = [label.name for label in labels if not label.present]
    if never:
        some = ", ".join(never[:4]) + (f" and {len(never) - 4} more" if len(never) > 4 else "")
        found.append(f"No example yet of {some}.")
    known = [label for label in labels if label.present]
    for label in sorted(known, key=lambda label: (label.groups, label.present)):
        if label.groups >= MIN_GROUPS:
            break
        found.append(
            f"{label.name}: {_count(label.present, 'positive window')} from "
            f"{_count(label.groups, where)} only; examples from other {where}s help most."
        )
    found += [
        f"{label.name}: no window is known to lack it, so nothing can be judged."
        for label in known
        if not label.absent
    ]
    weak = [
        (value, label)
        for label in known
        if label.groups >= MIN_GROUPS and (value := _reached(label)) < _WEAK
    ]
    found += [
        f"{label.name} is found least well (average precision {value:.2f}) though it has "
        f"{_count(label.present, 'positive window')} from {_count(label.groups, where)}: label "
        "more of it, or try another encoder."
        for value, label in sorted(weak, key=lambda pair: pair[0])[:2]
    ]
    return found[:_MOST]


def _reached(label: LabelFigures) -> float:
    """Return the average precision of a label; 1 where it is not known."""
    found = label.average_precision
    return 1.0 if found is None or found.value is None else found.value


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
