"""Site and hour of a recording from its file name."""

from __future__ import annotations

import re

from antiphon.audio.names import parse_name
from antiphon.errors import UserError

_MOMENT = r"(?P<date>\d{8})(?:[_T-](?P<time>\d{6}))?"

PATTERNS: tuple[str, ...] = (
    # BC2026_Test_0001_S05_20250227_010002, UHH_001_S01_20161121_150000, H02_20230420_074000:
    # letters and digits right before the date.
    rf"(?:.*_)?(?P<site>[A-Za-z]{{1,3}}\d{{1,4}})_{_MOMENT}(?!\d).*",
    # SSW_001_20170225_010000Z: the collection; the number counts its recordings.
    rf"(?P<site>[A-Za-z]+)_\d+_{_MOMENT}(?!\d).*",
    # 7019_COR_20190904: number, site, date, without a time.
    rf"\d+_(?P<site>[A-Za-z]+)_{_MOMENT}(?!\d).*",
)
"""Tried in this order on the file stem (full match), before the names that recorders give
(:func:`antiphon.audio.names.parse_name`)."""


def site_and_hour(stem: str, pattern: str | None = None) -> tuple[str | None, int | None]:
    """Return the site and the hour (0 to 23) that a file name has, None for what it has not.

    The hour is by the clock of the name, which may be local or UTC.

    Parameters
    ----------
    stem
        File name without folder and suffix.
    pattern
        Regular expression used instead of :data:`PATTERNS`, matched against the whole stem, with
        a group named ``site`` and, optionally, ``time`` (``HHMMSS`` or ``HHMM``) or ``hour``. A
        stem that does not match has neither.

    Raises
    ------
    UserError
        If the pattern is not a regular expression or has no group ``site``.
    """
    for expression in _compiled(pattern):
        if match := expression.fullmatch(stem):
            groups = match.groupdict()
            return groups.get("site"), _hour(groups.get("hour") or (groups.get("time") or "")[:2])
    if pattern is not None:
        return None, None
    facts = parse_name(stem)
    return facts.recorder, None if facts.start_time is None else facts.start_time.hour


def _compiled(pattern: str | None) -> tuple[re.Pattern[str], ...]:
    if pattern is None:
        return _DEFAULT
    try:
        expression = re.compile(pattern, re.ASCII)
    except re.error as error:
        raise UserError(f"The site pattern {pattern!r} is not valid: {error}.") from None
    if "site" not in expression.groupindex:
        raise UserError(
            f"The site pattern {pattern!r} has no group named site, such as (?P<site>S\\d+)."
        )
    return (expression,)


def _hour(text: str) -> int | None:
    return int(text) if text.isdigit() and int(text) < 24 else None


_DEFAULT = tuple(re.compile(pattern, re.ASCII) for pattern in PATTERNS)
