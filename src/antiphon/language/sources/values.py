"""Read single values as publishers write them: numbers, spans of time, dates, places, names."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from antiphon.language.sources.findings import BadValueError

FIRST_YEAR = 1860
"""Of the oldest sound recording that can be played; earlier dates are impossible."""

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "?"})
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:[T /].*)?")
_CLOCK = re.compile(
    r"(?:.*[T ])?(\d{1,2})[:.](\d{2})(?:[:.]\d{2}(?:[.,]\d+)?)?\s*([ap])?\.?m?\.?.*"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[A-Za-z]*[- ](\d{4})")


def text(value: Any) -> str | None:
    """Return a text without the space around it; None where it is empty."""
    if type(value) is str:
        return value.strip() or None
    return None if value is None else str(value).strip() or None


def number(value: Any) -> float | None:
    """Return a finite number; None where it is missing ("", "NA", NaN).

    Raises
    ------
    BadValueError
        If it is something else.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().lower() in _MISSING:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise BadValueError(f"{value!r} is not a number") from None
    if math.isnan(found):
        return None
    if math.isinf(found):
        raise BadValueError(f"{value!r} is not a finite number")
    return found


def integer(value: Any) -> int | None:
    """Return a whole number; None where it is missing.

    Raises
    ------
    BadValueError
        If it is something else.
    """
    found = number(value)
    if found is None:
        return None
    if found != int(found):
        raise BadValueError(f"{value!r} is not a whole number")
    return int(found)


def positive(value: Any) -> int | None:
    """Return a whole number above zero, as of a sample rate; None where it is missing or zero.

    Raises
    ------
    BadValueError
        If it is something else.
    """
    found = integer(value)
    if found is not None and found < 0:
        raise BadValueError(f"{value!r} is negative")
    return found or None


def seconds(value: Any) -> float | None:
    """Return seconds, given as a number or as ``m:ss`` or ``h:mm:ss``; None where it is missing.

    Raises
    ------
    BadValueError
        If it is something else, or negative.
    """
    if isinstance(value, str) and ":" in value:
        total = 0.0
        for part in value.strip().split(":"):
            amount = number(part)
            if amount is None or amount < 0:
                raise BadValueError(f"{value!r} is not a length of time")
            total = total * 60 + amount
        return total
    found = number(value)
    if found is not None and found < 0:
        raise BadValueError(f"{value!r} is not a length of time")
    return found


def time_of_day(value: Any) -> str | None:
    """Return ``HH:MM`` of a clock time or an ISO date with a time; None where there is none.

    Raises
    ------
    BadValueError
        If it is no time of day.
    """
    found = text(value)
    if found is None or found.lower() in _MISSING:
        return None
    match = _CLOCK.fullmatch(found)
    if match is None:
        if _ISO.fullmatch(found) and "T" not in found:
            return None
        raise BadValueError(f"{found!r} is not a time of day", "impossible_time")
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        hour = hour % 12 + (12 if match[3] in "pP" else 0)
    if hour > 23 or minute > 59:
        raise BadValueError(f"{found!r} is not a time of day", "impossible_time")
    return f"{hour:02d}:{minute:02d}"


def date(value: Any) -> str | None:
    """Return ``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY``; None where there is none.

    Months and days that are written 00 are unknown, and so is what differs between both ends of
    an ISO interval. ``03-Oct-1988`` is read as well.

    Raises
    ------
    BadValueError
        If there is no such day, or nobody could have recorded on it: before
        :data:`FIRST_YEAR`, or after tomorrow.
    """
    found = text(value)
    return None if found is None else _date(found)


@lru_cache(maxsize=65536)
def _date(found: str) -> str | None:
    if found.lower() in _MISSING:
        return None
    words = _WORDS.fullmatch(found)
    if words and words[2].lower() in _MONTHS:
        found = f"{words[3]}-{_MONTHS.index(words[2].lower()) + 1:02d}-{int(words[1]):02d}"
    first, slash, last = found.partition("/")
    if slash and len(first) >= 4 and len(last) >= 4:
        return _common(_date(first), _date(last))
    match = _ISO.fullmatch(found)
    if match is None:
        raise BadValueError(f"{found!r} is not a date", "impossible_date")
    parts = [int(part) for part in match.groups() if part is not None]
    while parts and parts[-1] == 0:
        parts.pop()
    if not parts:
        return None
    year, month, day = (*parts, 1, 1)[:3]
    try:
        when = datetime.date(year, month, day)
    except ValueError:
        raise BadValueError(f"there is no day {found!r}", "impossible_date") from None
    if year < FIRST_YEAR or when.toordinal() > datetime.date.today().toordinal() + 1:
        raise BadValueError(f"{found!r} is not a day to record on", "impossible_date")
    return "-".join(f"{part:02d}" for part in parts)


def _common(first: str | None, last: str | None) -> str | None:
    if first is None or last is None:
        return first or last
    shared = []
    for one, other in zip(first.split("-"), last.split("-"), strict=False):
        if one != other:
            break
        shared.append(one)
    return "-".join(shared) or None


def latitude(value: Any) -> float | None:
    """Return degrees north.

    Raises
    ------
    BadValueError
        If it is no number from -90 to 90.
    """
    return _degrees(value, 90.0)


def longitude(value: Any) -> float | None:
    """Return degrees east.

    Raises
    ------
    BadValueError
        If it is no number from -180 to 180.
    """
    return _degrees(value, 180.0)


def _degrees(value: Any, limit: float) -> float | None:
    try:
        found = number(value)
    except BadValueError as error:
        raise BadValueError(str(error), "impossible_coordinates") from None
    if found is not None and abs(found) > limit:
        raise BadValueError(f"{value!r} is beyond {limit:g} degrees", "impossible_coordinates")
    return found


def split(separator: str) -> Callable[[Any], tuple[str, ...]]:
    """Return a function that splits a text at a separator, and takes lists as they are."""

    def parse(value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        parts = value.split(separator) if isinstance(value, str) else value
        return tuple(dict.fromkeys(found for part in parts if (found := text(part))))

    return parse


def lower(value: Any) -> str | None:
    """Return a text in lower case."""
    found = text(value)
    return None if found is None else found.lower()


def sex(value: Any) -> str | None:
    """Return the sex in lower case, ``m`` and ``f`` in full."""
    found = lower(value)
    return {"m": "male", "f": "female"}.get(found, found) if found else None


def yes(value: Any) -> bool | None:
    """Return whether a text says yes or no; None for anything else."""
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(
        str(value).strip().lower()
    )


def file_name(value: Any) -> str | None:
    """Return the last part of a path or an address, without a query."""
    found = text(value)
    return None if found is None else re.split(r"[\\/]", found.partition("?")[0])[-1] or None


@lru_cache(maxsize=65536)
def without_authors(name: str) -> str | None:
    """Return a scientific name without its authors, year, rank markers and subgenus.

    ``Turdus merula Linnaeus, 1758`` becomes ``Turdus merula``, ``Pteroptyx sp.`` ``Pteroptyx``;
    None where nothing is left.
    """
    from antiphon.language.taxonomy.names import parse_name

    return parse_name(name).key.capitalize() or None


def ranks_of(name: str | None) -> dict[str, str | None]:
    """Return genus, species, subspecies and rank that a binomial or trinomial states.

    A single word says nothing of its rank, so it gives none of them.
    """
    words = (name or "").split()
    if len(words) < 2:
        return {}
    facts: dict[str, str | None] = {"genus": words[0], "species": " ".join(words[:2])}
    facts["subspecies"] = name if len(words) == 3 else None
    facts["rank"] = "subspecies" if len(words) == 3 else "species"
    return facts
