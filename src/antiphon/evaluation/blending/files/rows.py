"""Names of windows: ``<file stem>_<end second>``, and the times they are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePosixPath

from antiphon.audio.recording import AUDIO_SUFFIXES


def row_id(stem: str, end_s: float) -> str:
    """Return the name of the window of a file that ends at ``end_s`` seconds.

    A whole number of seconds is written without a point: ``..._5``, but ``..._2.5``.
    """
    return f"{stem}_{int(end_s) if float(end_s).is_integer() else float(end_s)!r}"


def split_row_id(text: str) -> tuple[str, float] | None:
    """Return the file stem and the end in seconds, or None if the name has another form."""
    stem, _, end = text.strip().rpartition("_")
    seconds = parse_seconds(end) if stem and ":" not in end else None
    return None if seconds is None else (stem, seconds)


def parse_seconds(text: str) -> float | None:
    """Return seconds of ``7.5``, ``1:05`` or ``00:01:05``; None if it is no time."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3:
        return None
    total = 0.0
    for place, part in enumerate(parts):
        whole = part.replace(".", "", 1) if place == len(parts) - 1 else part
        if not (whole.isascii() and whole.isdigit()):
            return None
        value = float(part)
        if place > 0 and value >= 60.0:
            return None
        total = total * 60.0 + value
    return total if math.isfinite(total) else None


def file_stem(name: str) -> str:
    """Return a file name without its folder and, if it is one of audio, its suffix."""
    last = PurePosixPath(name.strip().replace("\\", "/")).name
    suffix = PurePosixPath(last).suffix
    return last.removesuffix(suffix) if suffix.lower() in AUDIO_SUFFIXES else last


def first_few(names: Sequence[str], few: int = 3) -> str:
    """Return the first names and how many more there are, for an error message."""
    more = len(names) - few
    return ", ".join(names[:few]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, things: str) -> str:
    """Return a number of things, as in "1 class" and "2 classes"."""
    if number != 1:
        return f"{number} {things}"
    return f"1 {things[:-2] if things.endswith('sses') else things[:-1]}"
