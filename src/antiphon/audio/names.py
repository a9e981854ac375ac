"""What a file name tells of a recording: when it started, by which clock, on which recorder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a file name tells.

    Parameters
    ----------
    start_time
        Start of the recording by the recorder's clock, without a time zone; None if the name
        gives none, or one that cannot be.
    utc_offset_s
        What that clock is ahead of UTC, in seconds; None where the name does not say.
    recorder
        Name or serial number of the recorder, or the site, as the name has it.
    scheme
        ``audiomoth``, ``audiomoth-hex``, ``wildlife-acoustics``, ``swift``, ``birdclef`` or
        ``date-time``; None when no scheme fits.
    """

    start_time: datetime | None = None
    utc_offset_s: int | None = None
    recorder: str | None = None
    scheme: str | None = None


_DATE_TIME = r"(?P<date>\d{8})(?P<between>[_$T-])(?P<time>\d{6})"
_PART = r"(?:[_.]\d{1,6})?"  # A fraction of a second, or the number of a part

# 20190522_004500, or with T for an AudioMoth recording started by its trigger.
_AUDIOMOTH = re.compile(rf"{_DATE_TIME}(?P<trigger>T)?{_PART}", re.ASCII)

# AudioMoth's first firmware: the UNIX time in eight hexadecimal digits.
_AUDIOMOTH_HEX = re.compile(r"[0-9A-F]{8}", re.ASCII | re.IGNORECASE)

# S1031_20190522_004500Z, S1031_20190522_004500-0400, or both marks: 20230401_060000Z-0400.
_SWIFT = re.compile(
    rf"(?:(?P<recorder>.+?)_)?{_DATE_TIME}(?P<zone>Z?[+-]\d\d(?::?\d\d)?|Z){_PART}", re.ASCII
)

# BC2026_Test_0001_S05_20250227_010002: collection, part, number, site.
_BIRDCLEF = re.compile(rf"BC\d{{4}}_\w+?_\d+_(?P<recorder>S\d+)_{_DATE_TIME}.*", re.ASCII)

# Any other name that ends in a date and a time.
_PREFIXED = re.compile(rf"(?P<recorder>.+?)[_ -]{_DATE_TIME}(?P<trigger>T)?{_PART}", re.ASCII)

# Serial numbers of Song Meters (S4A03895, SMA00123, 2MM01234), and the mark of a stereo file.
_SONG_METER = re.compile(
    r"(?P<serial>(?:S4[AU]|SM[A-Z0-9]|2M[A-Z])\d{3,6})(?:_[01])?", re.ASCII | re.IGNORECASE
)
_STEREO = "_0+1"

# AudioMoth devices bear sixteen hexadecimal digits that start with 24.
_AUDIOMOTH_ID = re.compile(r"(?:.*_)?(?:24[0-9A-F]{14}|AudioMoth.*)", re.ASCII | re.IGNORECASE)

# A suffix starts with a letter, unlike the fraction in PREFIX_20190522_004500.123.
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


def parse_name(path: Path | str) -> NameFacts:
    """Read the facts in a file name.

    Known are AudioMoth (``20190522_004500.WAV``, with a prefix, with ``T``, and the hexadecimal
    names of old firmware, which are UTC), Wildlife Acoustics (``S4A03895_20190522_004500.wav``,
    ``$`` for a clock set by GPS, ``_0+1`` for stereo), Swift and SwiftOne
    (``..._20190522_004500Z`` for UTC, or local time with an offset such as ``-0400``), and
    BirdCLEF soundscapes; of any other name that ends in a date and a time, these are read. A
    date that cannot be, such as February 30, gives no start time and no error.

    Parameters
    ----------
    path
        Name or path of a recording; only the last part counts.
    """
    stem = _SUFFIX.sub("", Path(path).name)
    if match := _AUDIOMOTH.fullmatch(stem):
        return _facts(match, "audiomoth", recorder=None)
    if _AUDIOMOTH_HEX.fullmatch(stem):
        return _hex_facts(stem)
    if match := _BIRDCLEF.fullmatch(stem):
        return _facts(match, "birdclef", match["recorder"])
    if match := _SWIFT.fullmatch(stem):
        return _swift_facts(match)
    if match := _PREFIXED.fullmatch(stem):
        return _prefixed_facts(match)
    return NameFacts()


def _prefixed_facts(match: re.Match[str]) -> NameFacts:
    recorder = match["recorder"]
    if unit := _SONG_METER.fullmatch(recorder):
        return _facts(match, "wildlife-acoustics", unit["serial"])
    if match["between"] == "$" or recorder.endswith(_STEREO):
        return _facts(match, "wildlife-acoustics", recorder.removesuffix(_STEREO))
    if match["trigger"] or _AUDIOMOTH_ID.fullmatch(recorder):
        return _facts(match, "audiomoth", recorder)
    return _facts(match, "date-time", recorder)


def _facts(match: re.Match[str], scheme: str, recorder: str | None) -> NameFacts:
    return NameFacts(_moment(match), None, recorder, scheme)


def _swift_facts(match: re.Match[str]) -> NameFacts:
    """Read a Swift name; a ``Z`` before an offset only marks the zone, alone it means UTC."""
    offset = _offset(match["zone"].lstrip("Z"))
    return NameFacts(_moment(match), offset, match["recorder"], "swift")


def _offset(text: str) -> int | None:
    """Seconds that ``-0400`` or ``+09:30`` is ahead of UTC; 0 for none; None if it cannot be."""
    if not text:
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 14 or minutes > 59:
        return None
    return (-1 if text[0] == "-" else 1) * (hours * 3600 + minutes * 60)


def _hex_facts(stem: str) -> NameFacts:
    """Read a UNIX time; a plain date such as 20190522 falls outside the years that count."""
    moment = datetime.fromtimestamp(int(stem, 16), UTC).replace(tzinfo=None)
    # AudioMoth has been sold since 2017; a clock that was never set counts from 1970.
    if not datetime(2016, 1, 1) <= moment < datetime(2040, 1, 1):
        return NameFacts()
    return NameFacts(moment, 0, None, "audiomoth-hex")


def _moment(match: re.Match[str]) -> datetime | None:
    try:
        moment = datetime.strptime(match["date"] + match["time"], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    # A clock that was never set starts in 1970 or 1980.
    return moment if 1990 <= moment.year < 2100 else None
