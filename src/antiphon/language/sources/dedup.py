"""Find rows that hold the same sound, within a source and across sources.

Two rows are the same when the bytes of their files and their spans are, or when their sound is:
as long to a quarter of a second, and with fingerprints that differ in so few bits as only another
encoding or sample rate of the same recording does. Parts of a longer recording are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.language.schema import read_batches
from antiphon.language.sources.fingerprint import Print

MAX_ERROR = 0.3
"""Share of differing bits below which two sounds are one; unrelated sounds differ in half of
them (Haitsma and Kalker 2002 use 0.35, with 256 codes of 32 bits)."""

MIN_WORDS = 4
"""Codes that both must have at the same place (half a second), so that the share means
something."""

MIN_BITS = 8
"""Bands that must sound in both."""

LENGTH_S = 0.25
"""Lengths of the same sound differ by less: encoders pad."""

_KEYS = 32
_SHIFTS = (-2, -1, 0, 1, 2)
# A word in more rows than this is a hum or a beep: it tells nothing of the recording.
_COMMON = 200

_NO_WORDS = np.zeros(0, np.uint32)

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row whose sound an earlier row has.

    Parameters
    ----------
    id, kept
        Of the row, and of the earlier one.
    number
        Of the row, counted from 0 over all tables.
    how
        "bytes" or "sound".
    error
        Share of differing bits; 0 for the same bytes.
    """

    id: str
    kept: str
    number: int
    how: str
    error: float


def find_duplicates(paths: Sequence[Path]) -> list[Duplicate]:
    """Return the rows of corpus tables that hold a sound which an earlier row holds.

    Parameters
    ----------
    paths
        Tables with ``sha256`` and ``audio_fingerprint`` (``read --fingerprint``); where both are
        null a row is nobody's duplicate. Earlier tables win.

    Returns
    -------
    list of Duplicate
        In the order of the rows; the kept ones are not in it.
    """
    lengths, keys, rows, pairs = _scan(paths)
    candidates = _candidates(np.concatenate(keys or [_none()]), np.concatenate(rows or [_none()]))
    wanted = {n for pair in (*candidates, *pairs) for n in pair}
    known = _facts(paths, wanted)
    found: dict[int, tuple[int, str, float]] = {}
    for later, earlier in sorted({(max(p), min(p)) for p in (*candidates, *pairs)}):
        # A copy of a copy is a copy of the first.
        if later in found or earlier in found:
            continue
        if (earlier, later) in pairs:
            found[later] = (earlier, "bytes", 0.0)
        elif abs(lengths[later] - lengths[earlier]) < LENGTH_S:
            error = bit_error(known[earlier][1], known[later][1])
            if error < MAX_ERROR:
                found[later] = (earlier, "sound", error)
    return [
        Duplicate(known[later][0], known[kept][0], later, how, error)
        for later, (kept, how, error) in sorted(found.items())
    ]


def bit_error(one: Print, other: Print) -> float:
    """Return the share of bits in which two fingerprints differ, at the best of five shifts.

    Bits of bands that are silent in one of them, and codes of moments that are, do not count; 1
    where too few are left.
    """
    mask = np.uint32(one.mask & other.mask)
    bits = int(np.bitwise_count(mask))
    if bits < MIN_BITS:
        return 1.0
    best = 1.0
    for shift in _SHIFTS:
        a, b = one.words[max(0, shift) :], other.words[max(0, -shift) :]
        count = min(len(a), len(b))
        a, b = a[:count], b[:count]
        loud = (a != 0) & (b != 0)
        if int(loud.sum()) >= MIN_WORDS:
            wrong = int(np.bitwise_count((a[loud] ^ b[loud]) & mask).sum())
            best = min(best, wrong / (bits * int(loud.sum())))
    return best


def _scan(
    paths: Sequence[Path],
) -> tuple[dict[int, float], list[Int64], list[Int64], set[tuple[int, int]]]:
    """Return lengths, keys with their rows, and pairs with the same bytes."""
    lengths: dict[int, float] = {}
    keys: list[Int64] = []
    rows: list[Int64] = []
    digests: dict[int, int] = {}
    pairs: set[tuple[int, int]] = set()
    columns = ("sha256", "start_s", "end_s", "duration_s", "audio_fingerprint")
    for number, (digest, start, end, length, text) in _rows(paths, columns):
        if digest is not None:
            # Twelve bytes of a digest in place of its text.
            first = digests.setdefault(hash((digest, start, end)), number)
            if first != number:
                pairs.add((first, number))
        if text is not None and length is not None:
            lengths[number] = length
            own = _keys(Print.read(text), length)
            keys.append(own)
            rows.append(np.full(len(own), number, dtype=np.int64))
    return lengths, keys, rows, pairs


def _keys(found: Print, length: float) -> Int64:
    """Return keys that the same sound shares: half of some of its codes, each with its length.

    The codes with the smallest hash are taken (a bottom-k sketch), so that copies of a sound
    choose the same ones wherever they stand; half of a code is whole more often in a copy that was
    coded again. A length near the edge of its step stands in both.
    """
    halves = np.concatenate([found.words >> 16, found.words & 0xFFFF])
    distinct = np.unique(halves[halves != 0]).astype(np.uint64)
    mixed = (distinct * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    chosen = distinct[np.argsort(mixed, kind="stable")[:_KEYS]].astype(np.int64)
    step = int(length / LENGTH_S)
    return np.concatenate([(np.int64(step + more) << 16) | chosen for more in (0, 1)])


def _candidates(keys: Int64, rows: Int64) -> set[tuple[int, int]]:
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    edges = np.flatnonzero(np.diff(keys)) + 1
    found: set[tuple[int, int]] = set()
    for group in np.split(rows, edges):
        some = np.unique(group)
        if 1 < len(some) <= _COMMON:
            found.update((int(a), int(b)) for i, a in enumerate(some) for b in some[i + 1 :])
    return found


def _facts(paths: Sequence[Path], wanted: set[int]) -> Mapping[int, tuple[str, Print]]:
    """Return identifier and fingerprint of some rows."""
    return {
        number: (name, Print.read(text) if text else Print(0, _NO_WORDS))
        for number, (name, text) in _rows(paths, ("id", "audio_fingerprint"))
        if number in wanted
    }


def _rows(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[tuple[int, tuple]]:  # type: ignore[type-arg]
    number = 0
    for path in paths:
        for batch in read_batches(path, list(dict.fromkeys(("id", "source", *columns)))):
            values = [batch.column(name).to_pylist() for name in columns]
            for row in zip(*values, strict=True):
                yield number, row
                number += 1


def _none() -> Int64:
    return np.zeros(0, np.int64)
