"""What the headers of WAV, RF64 and AIFF files promise, against what the file holds.

libsndfile reads a cut-off file without a word, and takes a data size of 0 at its word; so the
chunks are walked here. Formats: RIFF/WAVE (Microsoft and IBM, 1991), RF64 (EBU Tech 3306),
AIFF and AIFF-C (Apple, 1989 and 1991).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

UNKNOWN_SIZE = 0xFFFFFFFF
"""What a 32-bit size field holds when the writer did not know the size (yet), or in RF64."""


@dataclass(frozen=True, slots=True)
class ChunkFacts:
    """Where the audio lies in a chunked file.

    Parameters
    ----------
    form
        ``WAV`` or ``AIFF``.
    size_offset
        Offset in the file of the 32-bit size field of the audio chunk.
    promised
        Bytes of audio by the header; None where the header leaves it open (0 or 0xFFFFFFFF
        outside RF64, with bytes after it).
    held
        Bytes between the start of the audio and the end of the file.
    stray
        Bytes after the audio that belong to no chunk.
    bytes_per_second
        To turn bytes into seconds; 0 where the header does not say.
    """

    form: str
    size_offset: int
    promised: int | None
    held: int
    stray: int
    bytes_per_second: float

    @property
    def size_is_zero(self) -> bool:
        """Whether libsndfile would see no audio although there is some."""
        return self.promised is None and self.held > 0


def read_chunks(path: Path) -> ChunkFacts | None:
    """Walk the chunks of ``path``; None when it is no RIFF, RF64 or AIFF file with audio in it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12:
            return None
        kind, form = head[:4], head[8:12]
        if kind in (b"RIFF", b"RF64", b"RIFX", b"BW64") and form == b"WAVE":
            return _walk_wave(file, size, ">" if kind == b"RIFX" else "<")
        if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
            return _walk_aiff(file, size)
    return None


def _walk_wave(file: BinaryIO, size: int, order: str) -> ChunkFacts | None:
    rate = 0.0
    ds64: int | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"ds64" and length >= 24:
            ds64 = struct.unpack("<QQQ", file.read(24))[1]
        elif name == b"fmt " and length >= 16:
            rate = float(struct.unpack(f"{order}HHIIHH", file.read(16))[3])
        elif name == b"data":
            return _wave_data(file, size, at + 8, length, ds64, rate)
        at += 8 + length + (length & 1)
    return None


def _wave_data(
    file: BinaryIO, size: int, start: int, length: int, ds64: int | None, rate: float
) -> ChunkFacts:
    held = size - start
    promised: int | None = length
    if length == UNKNOWN_SIZE:
        promised = ds64
    if promised == 0 and held > 0 and not _is_chunk_chain(file, start, size):
        promised = None
    stray = 0
    if promised is not None and promised < held:
        end = start + promised + (promised & 1)
        if end < size and not _is_chunk_chain(file, end, size):
            stray = size - end
    return ChunkFacts("WAV", start - 4, promised, held, stray, rate)


def _walk_aiff(file: BinaryIO, size: int) -> ChunkFacts | None:
    rate = 0.0
    sound: tuple[int, int] | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(">4sI", file.read(8))
        if name == b"COMM" and length >= 18:
            channels, _, bits = struct.unpack(">hIh", file.read(8))
            rate = channels * ((bits + 7) // 8) * _extended(file.read(10))
        elif name == b"SSND":
            sound = (at, length)
        at += 8 + length + (length & 1)
    if sound is None:
        return None
    at, length = sound
    # The chunk starts with 8 bytes (offset, block size) that are not audio.
    return ChunkFacts("AIFF", at + 4, max(length - 8, 0), max(size - at - 16, 0), 0, rate)


def _extended(field: bytes) -> float:
    """Value of an 80-bit IEEE 754 extended float, as AIFF stores its sample rate."""
    exponent, mantissa = struct.unpack(">HQ", field)
    return math.ldexp(mantissa, (exponent & 0x7FFF) - 16383 - 63)


def _is_chunk_chain(file: BinaryIO, at: int, size: int) -> bool:
    """Whether the bytes from ``at`` on are whole chunks with printable names up to the end."""
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if not all(32 <= byte < 127 for byte in name):
            return False
        at += 8 + length + (length & 1)
    # One byte of padding may be missing or left over.
    return abs(at - size) <= 1
