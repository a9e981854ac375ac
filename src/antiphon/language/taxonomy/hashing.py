"""64-bit hashes of columns of text, without a loop over rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

UInt64 = npt.NDArray[np.uint64]
Int64 = npt.NDArray[np.int64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def text_spans(column: pa.Array) -> tuple[npt.NDArray[np.uint8], Int64, Int64]:
    """Return a text column's bytes (8 zeros behind them), and start and length of each value.

    Nulls have length 0.
    """
    column = column if pa.types.is_string(column.type) else column.cast(pa.string())
    _, ends, content = column.buffers()
    offsets = np.frombuffer(ends, np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
    first = int(offsets[0])
    data = np.zeros(int(offsets[-1]) - first + 8, np.uint8)
    if content is not None and offsets[-1] > first:
        data[:-8] = np.frombuffer(content, np.uint8, int(offsets[-1]) - first, first)
    return data, offsets[:-1] - first, np.diff(offsets)


def hash_spans(data: npt.NDArray[np.uint8], start: Int64, length: Int64, seed: int = 0) -> UInt64:
    """Hash stretches of bytes.

    Each stretch is taken in words of 8 bytes, stirred in by a multiplication and a shift; the end
    is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number
    generators").

    Parameters
    ----------
    data
        Bytes, with at least 8 more behind the last stretch.
    start, length
        Of each stretch, bytes, shape ``(n,)``.
    seed
        Another seed is another hash function.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.
    """
    words = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
    with np.errstate(over="ignore"):
        state = (length.astype(np.uint64) + np.uint64(seed)) * _ODD
        active = np.flatnonzero(length > 0)
        place = 0
        while len(active):
            left = length[active] - place
            word = words[start[active] + place].astype(np.uint64)
            short = left < 8
            keep = (np.uint64(1) << (left[short].astype(np.uint64) * np.uint64(8))) - np.uint64(1)
            word[short] &= keep
            mixed = (state[active] ^ word) * _ODD
            state[active] = mixed ^ (mixed >> np.uint64(29))
            place += 8
            active = active[left > 8]
        state = (state ^ (state >> np.uint64(30))) * _MIX_1
        state = (state ^ (state >> np.uint64(27))) * _MIX_2
    hashed: UInt64 = state ^ (state >> np.uint64(31))
    return hashed


def hash_text(column: pa.Array, seed: int = 0) -> UInt64:
    """Hash each value of a text column; a null is hashed as empty text."""
    return hash_spans(*text_spans(column), seed)


def sort_keys(keys: pa.Array) -> UInt64:
    """Return the number by which the names of the compiled file are ordered.

    The upper half is a hash of the first word (the genus), the lower half one of the rest, 0 if
    there is no rest. So all names of a genus lie together, its own first, and one binary search
    finds a name. Different names can have one number (about 1 in 4 billion within a genus), so a
    hit is compared with the name itself.

    Parameters
    ----------
    keys
        Names as :func:`antiphon.language.taxonomy.names.name_keys` makes them.
    """
    data, start, length = text_spans(keys)
    space = pc.find_substring(keys, " ").fill_null(-1).to_numpy(zero_copy_only=False)
    cut = np.where(space < 0, length, space).astype(np.int64)
    rest = np.maximum(length - cut - 1, 0)
    upper = hash_spans(data, start, cut) >> _HALF
    # A name cannot begin behind the data's end; without a rest its hash is not used.
    lower = hash_spans(data, np.minimum(start + cut + 1, len(data) - 8), rest, 1) & _LOW
    lower = np.where(rest > 0, np.maximum(lower, np.uint64(1)), np.uint64(0))
    joined: UInt64 = (upper << _HALF) | lower
    return joined
