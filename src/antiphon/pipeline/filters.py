"""Which windows a search, a queue or an export looks at: site, date, hour, label and score."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from antiphon.errors import UserError


@dataclass(frozen=True, slots=True)
class WindowFilter:
    """Conditions that must all hold; an empty filter lets every window through.

    Parameters
    ----------
    sites
        Names of sites, any of them.
    hours
        ``(first, past_the_last)`` hour of the day by the recorder's clock; (22, 4) goes over
        midnight.
    dates
        ``(first, last)`` day, both included.
    labels
        Windows annotated as present with any of these.
    unlabelled
        Only windows that no annotation speaks about.
    detected
        Windows in which the current detector gives any of these labels at least ``min_score``
        (the label's own threshold where ``min_score`` is None).
    min_score, max_score
        Bounds of the calibrated probability of ``detected``.
    """

    sites: tuple[str, ...] = ()
    hours: tuple[float, float] | None = None
    dates: tuple[date, date] | None = None
    labels: tuple[str, ...] = ()
    unlabelled: bool = False
    detected: tuple[str, ...] = ()
    min_score: float | None = None
    max_score: float | None = None

    @property
    def by_time(self) -> bool:
        """Whether windows without a known start time are left out."""
        return self.hours is not None or self.dates is not None


def parse_hours(text: str) -> tuple[float, float]:
    """Parse ``4-7`` (from 4:00 up to 7:00), ``22-4`` (over midnight), ``5`` or ``4:30-6:15``.

    Raises
    ------
    UserError
        If the text is none of these.
    """
    clock = r"(\d{1,2})(?::([0-5]\d))?"
    match = re.fullmatch(rf"\s*{clock}\s*(?:-\s*{clock}\s*)?", text)
    if match:
        first = int(match[1]) + int(match[2] or 0) / 60
        if match[3] is None:
            last = first + 1.0
        else:
            last = int(match[3]) + int(match[4] or 0) / 60
        if first < 24 and last <= 24 and first != last:
            return first, last
    raise UserError(
        f"--hour {text!r} is not an hour or a span of hours. "
        "Write 5, 4-7, 22-4 (over midnight) or 4:30-6:15."
    )


def parse_dates(text: str) -> tuple[date, date]:
    """Parse ``2026-05-01`` or ``2026-05-01..2026-05-10``, both days included.

    Raises
    ------
    UserError
        If the text is neither, or the second day comes before the first.
    """
    first, _, last = text.partition("..")
    try:
        span = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise UserError(
            f"--date {text!r} is not a date. Write 2026-05-01 or 2026-05-01..2026-05-10."
        ) from None
    if span[1] < span[0]:
        raise UserError(f"--date {text!r} ends before it begins.")
    return span
