"""The last pages of an Ogg file: whether the stream ends where its writer ended it (RFC 3533)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# A page is at most 65,307 bytes, so this holds the last two whatever their size.
_TAIL_BYTES = 3 * 65_307
_CAPTURE = b"OggS"


@dataclass(frozen=True, slots=True)
class OggTail:
    """What the end of an Ogg file shows.

    Parameters
    ----------
    ended
        Whether the last page is whole and carries the end-of-stream flag.
    safe_seek
        Granule position (samples for Vorbis) of the end of the page before the last one, 0
        where there is none. Seeking beyond it is not exact in libsndfile, because the last
        page's granule position may count fewer samples than its packets hold.
    """

    ended: bool
    safe_seek: int


def read_tail(path: Path) -> OggTail:
    """Read the last pages of ``path``; a file without a page near its end has not ended."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        data = file.read()
    at = data.rfind(_CAPTURE)
    if at < 0:
        return OggTail(False, 0)
    return OggTail(_is_whole_end_page(data, at), _granule_before(data, at))


def _is_whole_end_page(data: bytes, at: int) -> bool:
    if at + 27 > len(data):
        return False
    segments = data[at + 26]
    table = data[at + 27 : at + 27 + segments]
    if len(table) < segments or at + 27 + segments + sum(table) > len(data):
        return False
    return bool(data[at + 5] & 0x04)


def _granule_before(data: bytes, at: int) -> int:
    while (at := data.rfind(_CAPTURE, 0, at)) >= 0:
        granule = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
        # -1 marks a page on which no packet ends.
        if granule >= 0:
            return granule
    return 0
