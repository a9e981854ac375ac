"""MP3 files that do not state their length: count the frames, and state it for them.

Encoders put the number of frames into a first, silent frame (tag ``Xing``, ``Info`` or ``VBRI``).
Without it libsndfile estimates the length from the bit rate, and reads no further: a third of a
recording of variable bit rate may be lost. Frame headers: ISO/IEC 11172-3, section 2.4.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# Index 9 of both tables gives a frame with room for the tag at every sample rate.
_TAG_BITRATE = 9
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Missing:
    """What a file without a length tag lacks.

    Parameters
    ----------
    offset
        Where in the file the first frame starts.
    tag
        The frame with the length, to be read before that.
    whole
        Whether the last frame is complete.
    """

    offset: int
    tag: bytes
    whole: bool


def missing_length(path: Path) -> Missing | None:
    """Return what is missing; None where ``path`` is no MP3 file or states its length.

    The first time, all frame headers of a file without a length are walked.
    """
    state = path.stat()
    return _missing_length(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _missing_length(path: Path, size: int, changed_ns: int) -> Missing | None:
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:
            # The size of an ID3v2 tag has seven bits per byte; a footer adds ten bytes.
            start = 10 + sum(
                (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
            )
            start += 10 if head[5] & 0x10 else 0
        file.seek(start)
        first = file.read(64)
    length = _frame_length(first, 0)
    if length is None or _has_tag(first):
        return None
    frames, whole = _walk(path, start)
    return Missing(start, _tag_frame(first, frames), whole)


def _frame_length(data: bytes, at: int) -> int | None:
    """Bytes of the Layer III frame whose header is at ``at``; None where there is no header."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = (data[at + 1] >> 3) & 3, (data[at + 1] >> 1) & 3
    bitrate, rate = data[at + 2] >> 4, (data[at + 2] >> 2) & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    padding = (data[at + 2] >> 1) & 1
    if version == 3:
        return 144_000 * _KBPS_1[bitrate] // _RATES[3][rate] + padding
    return 72_000 * _KBPS_2[bitrate] // _RATES[version][rate] + padding


def _side_info(header: bytes) -> int:
    """Bytes between the header and the main data, where a tag lies."""
    mono = header[3] >> 6 == 3
    if (header[1] >> 3) & 3 == 3:
        return 17 if mono else 32
    return 9 if mono else 17


def _has_tag(frame: bytes) -> bool:
    at = 4 + _side_info(frame)
    return frame[at : at + 4] in (b"Xing", b"Info") or frame[36:40] == b"VBRI"


def _walk(path: Path, start: int) -> tuple[int, bool]:
    """Count the frames from ``start`` on, and say whether the last one is complete."""
    size = path.stat().st_size
    frames = 0
    at = start
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            data = file.read(_CHUNK)
            here = 0
            # A header, and room to look for one in what is no frame.
            while here < len(data):
                length = _frame_length(data, here)
                if length is None:
                    found = data.find(b"\xff", here + 1)
                    here = len(data) if found < 0 else found
                elif at + here + length > size:
                    return frames, False
                else:
                    frames += 1
                    here += length
                if len(data) - here < 4 and at + len(data) < size:
                    break
            at += here
    return frames, True


def _tag_frame(first: bytes, frames: int) -> bytes:
    """Build an ``Info`` frame of the same kind as ``first`` that states the number of frames."""
    header = bytes(
        [
            0xFF,
            first[1] | 0x01,
            _TAG_BITRATE << 4 | first[2] & 0x0C,
            first[3],
        ]
    )
    frame = header + bytes(_side_info(header)) + b"Info" + (1).to_bytes(4, "big")
    frame += frames.to_bytes(4, "big")
    length = _frame_length(header, 0)
    assert length is not None
    return frame.ljust(length, b"\0")
