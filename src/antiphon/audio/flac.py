"""How far a FLAC file that was cut short can be read.

A FLAC header states the length of the whole recording whether or not the file holds it. The
last frame header near the end of the file says where the audio ends, without decoding hours of
it. Format: RFC 9639, sections 8.2 (STREAMINFO) and 9.1 (frame header).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TAIL_BYTES = (1 << 17, 1 << 22)
_BLOCK_SIZES = {1: 192, **{k: 144 << k for k in range(2, 6)}, **{k: 1 << k for k in range(8, 16)}}


@dataclass(frozen=True, slots=True)
class _FrameHeader:
    offset: int
    start: int


def last_frame_start(path: Path) -> int | None:
    """Return the first sample of the last frame whose header is in the file.

    Everything before that sample is in the file; the frame itself may be cut.

    Parameters
    ----------
    path
        A FLAC file.

    Returns
    -------
    int or None
        Samples per channel, None where no frame header is found near the end.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        block_size = _fixed_block_size(file.read(64))
        for tail in _TAIL_BYTES:
            file.seek(max(0, size - tail))
            data = file.read()
            found = _last_header(data, block_size)
            if found is not None:
                return found.start
            if tail >= size:
                break
    return None


def _fixed_block_size(head: bytes) -> int:
    """Block size by STREAMINFO, which an ID3 tag in front would displace; 0 when not found."""
    at = head.find(b"fLaC")
    if at < 0 or len(head) < at + 12:
        return 0
    return int.from_bytes(head[at + 8 : at + 10], "big")


def _last_header(data: bytes, block_size: int) -> _FrameHeader | None:
    values = np.frombuffer(data, np.uint8)
    if len(values) < 16:
        return None
    # Sync code 0b11111111111110, a reserved 0, then fixed (0) or variable (1) block size.
    hits = np.flatnonzero((values[:-1] == 0xFF) & ((values[1:] & 0xFE) == 0xF8))
    for at in hits[::-1].tolist():
        start = _parse_header(data[at : at + 18], block_size)
        if start is not None:
            return _FrameHeader(at, start)
    return None


def _parse_header(head: bytes, block_size: int) -> int | None:
    """First sample of the frame whose header starts ``head``; None when it is not a header."""
    if len(head) < 6:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 0x0F
    if size_code == 0 or rate_code == 15 or head[3] & 1 or (head[3] >> 4) > 10:
        return None
    number, at = _coded_number(head, 4)
    if number is None:
        return None
    at += {6: 1, 7: 2}.get(size_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    if head[1] & 1:
        return number
    return number * (block_size or _BLOCK_SIZES.get(size_code, 0))


def _coded_number(head: bytes, at: int) -> tuple[int | None, int]:
    """Read a number coded like UTF-8, extended to 36 bits; return it and the offset after it."""
    first = head[at]
    if first < 0x80:
        return first, at + 1
    extra = 0
    while extra < 7 and first & (0x40 >> extra):
        extra += 1
    if extra == 0 or extra > 6 or at + extra >= len(head):
        return None, at
    number = first & (0x3F >> extra)
    for byte in head[at + 1 : at + 1 + extra]:
        if byte & 0xC0 != 0x80:
            return None, at
        number = number << 6 | byte & 0x3F
    return number, at + 1 + extra


def _crc8(data: bytes) -> int:
    """CRC-8 with polynomial x^8 + x^2 + x + 1, initialised with 0 (RFC 9639, section 9.1.8)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x07 if crc & 0x80 else crc << 1
        crc &= 0xFF
    return crc
