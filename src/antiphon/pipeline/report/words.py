"""Numbers in words: each with its interval or its count."""

from __future__ import annotations

import math
from collections.abc import Mapping

from antiphon.pipeline.report.data import ClassQuality, Estimate

_PLURALS: Mapping[str, str] = {
    "": "groups",
    "recording": "recordings",
    "site": "sites",
    "date": "dates",
    "recorder": "recorders",
    "source": "sources",
}


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, as ``1 clip`` or ``1,200 clips``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def groups_text(count: int, group_by: str) -> str:
    """Return a count of groups, as ``12 recordings``; unknown kinds are quoted."""
    if group_by in _PLURALS:
        return plural(count, group_by or "group", _PLURALS[group_by])
    return plural(count, f"group of one {group_by!r}", f"groups of one {group_by!r} each")


def estimate_text(estimate: Estimate | None, digits: int = 2) -> str:
    """Return ``0.91 [0.84, 0.96]``, and say so when number or interval are missing."""
    if estimate is None or not math.isfinite(estimate.value):
        return "not computed"
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return f"{estimate.value:.{digits}f} (no interval)"
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def verdict(quality: ClassQuality, group_by: str) -> str:
    """Say in one sentence how far a class can be trusted, after its name."""
    basis = f"from {plural(quality.positives, 'positive')}"
    basis += f" in {groups_text(quality.groups, group_by)}"
    if quality.threshold is None or not math.isfinite(quality.threshold):
        said = "has no threshold, so it gives no detections"
        if quality.average_precision is not None:
            said += f"; average precision {estimate_text(quality.average_precision)}"
    else:
        said = (
            f"at threshold {quality.threshold:.2f}: precision {estimate_text(quality.precision)}, "
            f"recall {estimate_text(quality.recall)}"
        )
    said = f"{said}, {basis}"
    if quality.more_clips:
        said += (
            f"; {plural(quality.more_clips, 'more labelled clip')} would narrow the interval of "
            f"the precision to ±{quality.half_width:.2f}"
        )
    elif quality.more_clips == 0:
        said += f"; the interval of the precision is within ±{quality.half_width:.2f}"
    note = f" ({quality.note.rstrip('.')})" if quality.note else ""
    return f"{said}{note}."


def is_weak(quality: ClassQuality) -> bool:
    """Whether a class should not be used without a second look: no threshold, or wide interval."""
    if quality.threshold is None or quality.precision is None:
        return True
    width = quality.precision.high - quality.precision.low
    return not (math.isfinite(width) and width <= 0.3)


def hours_text(hours: float) -> str:
    """Return hours with the digits that matter, or minutes below one."""
    if hours < 1:
        return f"{hours * 60:.1f} min"
    return f"{hours:,.1f} h"


def percent(share: float) -> str:
    """Return ``95 %`` of 0.95, which no line break tears apart."""
    return f"{100 * share:g}\N{NO-BREAK SPACE}%"
