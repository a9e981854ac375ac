"""OGG Vorbis files that are the same bytes for the same samples."""

from __future__ import annotations

import zlib
from pathlib import Path

import soundfile

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.writing import whole

# Long blocks overrun the stack of libsndfile's Vorbis encoder.
_BLOCK = 1 << 14
_QUALITY = 0.6
_SERIAL = slice(14, 18)
_CHECKSUM = slice(22, 26)
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def write_ogg(path: Path, audio: Samples, sample_rate: int, serial: int) -> None:
    """Write one channel as OGG Vorbis.

    Parameters
    ----------
    path
        The file appears only when it is whole.
    audio
        float32 (n,) within -1 and 1.
    sample_rate
        Hz.
    serial
        Number of the stream, which libsndfile would draw from the clock; 0 to 2**32 - 1.

    Raises
    ------
    OSError, soundfile.LibsndfileError
        It cannot be written.
    """
    with whole(path) as part:
        with soundfile.SoundFile(
            part, "w", sample_rate, 1, format="OGG", subtype="VORBIS", compression_level=_QUALITY
        ) as file:
            for first in range(0, len(audio), _BLOCK):
                file.write(audio[first : first + _BLOCK])
        part.write_bytes(with_serial(part.read_bytes(), serial))


def with_serial(data: bytes, serial: int) -> bytes:
    """Return an Ogg file (RFC 3533) with another serial number of its stream.

    Raises
    ------
    ValueError
        The bytes are no pages of Ogg.
    """
    out = bytearray(data)
    at = 0
    while at < len(out):
        if out[at : at + 4] != b"OggS":
            raise ValueError(f"no page of Ogg begins at byte {at}")
        segments = out[at + 26]
        body = sum(out[at + 27 : at + 27 + segments])
        page = out[at : at + 27 + segments + body]
        page[_SERIAL] = serial.to_bytes(4, "little")
        page[_CHECKSUM] = bytes(4)
        page[_CHECKSUM] = checksum(page).to_bytes(4, "little")
        out[at : at + len(page)] = page
        at += len(page)
    return bytes(out)


def checksum(page: bytes | bytearray) -> int:
    """Return the checksum of a page (RFC 3533, section 6): polynomial 0x04C11DB7, from zero.

    It is the mirror image of the CRC of zlib, without the inversions.
    """
    mirrored = zlib.crc32(bytes(page).translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
