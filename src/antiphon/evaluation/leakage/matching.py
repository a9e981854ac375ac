"""Finding the recordings of two sides whose fingerprints agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.leakage.fingerprints import HOP_S, Fingerprint

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt32 = npt.NDArray[np.uint32]

MOST_ERRORS = 0.35
"""Share of differing bits up to which two blocks are alike (Haitsma and Kalker 2002)."""
COPY_ERRORS = 0.28
"""Share up to which they are copies. Stereotyped calls can lie between the two: different songs of
one Bengalese finch differed in 0.33 or more, lossy copies of one clip in 0.2 or less."""

# Bits of neighbouring frames and bands agree with each other: the variance of the share of bits in
# which unrelated clips differ was 2.5 times that of independent bits (ESC-10). 10 / sqrt(bits) is
# 12 such standard deviations, so that a short or nearly silent overlap must agree better.
_ALLOWANCE = 10.0
# Frames of the blocks that are compared around a hit: 1, 2 and 4 s.
_BLOCKS = (64, 128, 256)
# Above this a first look at one second ends it: chance gives 0.5.
_FIRST_LOOK = 0.43
_KEY_BITS = 21
_KEY_SHIFTS = (0, 5, 11)
# Places of one key that are looked at; a copy that occurs more often is found all the same.
_PLACES = 64
_CANDIDATES = 1 << 14


@dataclass(frozen=True, slots=True)
class Match:
    """Two recordings that share sound.

    Parameters
    ----------
    test, train
        Their numbers on the two sides.
    errors
        Share of differing bits in the block that agrees best; 0.5 is chance.
    seconds
        Length of that block, up to 4 s; the shared part may be longer.
    offset_s
        Where the start of the test recording lies in the training recording, in seconds.
    """

    test: int
    train: int
    errors: float
    seconds: float
    offset_s: float


class _Side:
    """All codes of one side, end to end."""

    def __init__(self, prints: Sequence[Fingerprint | None]) -> None:
        empty = np.zeros(0, np.uint32)
        lengths = [0 if one is None else len(one) for one in prints]
        self.start: Int64 = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.bits = np.concatenate([empty, *(p.bits for p in prints if p is not None)])
        self.valid = np.concatenate([empty, *(p.valid for p in prints if p is not None)])
        self.clip: Int64 = np.repeat(np.arange(len(lengths)), lengths)

    def keys(self, shift: int) -> tuple[UInt32, Int64]:
        """Return the keys of frames whose key bits are all valid, and these frames."""
        mask = np.uint32(((1 << _KEY_BITS) - 1) << shift)
        frames = np.flatnonzero((self.valid & mask) == mask)
        return (self.bits[frames] & mask) >> np.uint32(shift), frames


def match_fingerprints(
    test: Sequence[Fingerprint | None],
    train: Sequence[Fingerprint | None],
    *,
    most_errors: float = MOST_ERRORS,
) -> list[Match]:
    """Return pairs of a test and a training recording that share sound, best first.

    Parameters
    ----------
    test, train
        Fingerprints; None where there is none.
    most_errors
        Share of differing bits up to which a block counts as a copy. Short blocks and blocks with
        silent bands must agree better, so that chance does not produce them.

    Notes
    -----
    Candidates are places where 21 neighbouring bits agree (three overlapping sets of bits); around
    each, blocks of 1, 2 and 4 s are compared bit by bit. Pairs that differ in more than about a
    quarter of their bits may go unnoticed.
    """
    a, b = _Side(test), _Side(train)
    best: dict[tuple[int, int], Match] = {}
    evidence: dict[tuple[int, int], float] = {}
    seen = np.zeros(0, np.int64)
    for shift in _KEY_SHIFTS:
        for at, other in _hits(a, b, shift):
            code = _place_codes(a, b, at, other)
            fresh, first = np.unique(code, return_index=True)
            new = ~np.isin(fresh, seen, assume_unique=True)
            first = first[new]
            seen = np.concatenate([seen, fresh[new]])
            for row, errors, bits, frames in _agreeing(a, b, at[first], other[first], most_errors):
                x, y = int(at[first][row]), int(other[first][row])
                i, j = int(a.clip[x]), int(b.clip[y])
                weight = (0.5 - errors) * bits**0.5
                if weight <= evidence.get((i, j), 0.0):
                    continue
                apart = (y - int(b.start[j])) - (x - int(a.start[i]))
                evidence[i, j] = weight
                best[i, j] = Match(i, j, errors, frames * HOP_S, apart * HOP_S)
    return sorted(best.values(), key=lambda m: (m.errors, m.test, m.train))


def _hits(a: _Side, b: _Side, shift: int) -> Iterator[tuple[Int64, Int64]]:
    """Yield frames of both sides with the same key."""
    key_a, frame_a = a.keys(shift)
    key_b, frame_b = b.keys(shift)
    order = np.argsort(key_b, kind="stable")
    key_b, frame_b = key_b[order], frame_b[order]
    low = np.searchsorted(key_b, key_a, side="left")
    count = np.minimum(np.searchsorted(key_b, key_a, side="right") - low, _PLACES)
    step = 1 << 18
    for begin in range(0, len(key_a), step):
        part = slice(begin, begin + step)
        times = count[part]
        if not times.any():
            continue
        first = np.repeat(np.cumsum(times) - times, times)
        place = np.repeat(low[part], times) + np.arange(times.sum()) - first
        yield np.repeat(frame_a[part], times), frame_b[place]


def _place_codes(a: _Side, b: _Side, at: Int64, other: Int64) -> Int64:
    """Return one number for each test clip, training clip and second of their common time.

    Hits of one pair with nearly the same shift and place lead to the same blocks.
    """
    shift = (other - at) // 2
    second = at // _BLOCKS[0]
    # Numbers of frames are global, so the shift tells the training clip and the place the test one.
    return np.asarray((shift + len(a.bits)) * (len(a.bits) // _BLOCKS[0] + 1) + second)


def _agreeing(
    a: _Side, b: _Side, at: Int64, other: Int64, most: float
) -> Iterator[tuple[int, float, int, int]]:
    """Yield candidates that agree: number, share of differing bits, bits and frames compared."""
    for begin in range(0, len(at), _CANDIDATES):
        rows = np.arange(begin, min(begin + _CANDIDATES, len(at)))
        errors, bits, frames = _compared(a, b, at[rows], other[rows], _BLOCKS[0])
        keep = errors < _FIRST_LOOK
        rows, looks = rows[keep], [(errors[keep], bits[keep], frames[keep])]
        if not len(rows):
            continue
        looks += [_compared(a, b, at[rows], other[rows], block) for block in _BLOCKS[1:]]
        for errors, bits, frames in looks:
            limit = np.minimum(most, 0.5 - _ALLOWANCE / np.sqrt(np.maximum(bits, 1)))
            for k in np.flatnonzero(errors <= limit):
                yield int(rows[k]), float(errors[k]), int(bits[k]), int(frames[k])


def _compared(
    a: _Side, b: _Side, at: Int64, other: Int64, block: int
) -> tuple[Float64, Int64, Int64]:
    """Compare up to ``block`` frames around each hit inside both clips."""
    i, j = a.clip[at], b.clip[other]
    back = np.minimum(at - a.start[i], other - b.start[j])
    ahead = np.minimum(a.start[i + 1] - at, b.start[j + 1] - other)
    first = np.maximum(-back, np.minimum(-(block // 2), ahead - block))
    first = np.maximum(first, -back)
    length = np.minimum(block, ahead - first)
    step = np.arange(block)
    inside = step < length[:, None]
    x = np.minimum((at + first)[:, None] + step, len(a.bits) - 1)
    y = np.minimum((other + first)[:, None] + step, len(b.bits) - 1)
    valid = a.valid[x] & b.valid[y]
    valid[~inside] = 0
    bits = np.bitwise_count(valid).sum(axis=1, dtype=np.int64)
    wrong = np.bitwise_count((a.bits[x] ^ b.bits[y]) & valid).sum(axis=1, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        errors = np.where(bits > 0, wrong / np.maximum(bits, 1), 1.0)
    return errors, bits, length
