"""PNG images from arrays (W3C Portable Network Graphics, third edition)."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]

_GREY, _RGB, _INDEXED = 0, 2, 3


def png_bytes(
    image: UInt8, palette: UInt8 | None = None, transparent: int | None = None, level: int = 9
) -> bytes:
    """Encode an 8-bit image.

    Parameters
    ----------
    image
        ``(height, width)`` uint8: grey, or indices into ``palette``; ``(height, width, 3)``: RGB.
    palette
        ``(n, 3)`` uint8 with up to 256 colours.
    transparent
        Index of the palette that is drawn as nothing.
    level
        Effort of the compression, 0 to 9.

    Raises
    ------
    ValueError
        If the shapes or types do not fit, the image is empty, or an index has no colour.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError("an image is a uint8 array of two or three axes, not empty")
    kind = _GREY if image.ndim == 2 else _RGB
    extra = b""
    if image.ndim == 3 and image.shape[2] != 3:
        raise ValueError("a colour image has three channels")
    if palette is not None:
        if image.ndim != 2 or palette.dtype != np.uint8 or palette.shape[1:] != (3,):
            raise ValueError("a palette is (n, 3) uint8 and belongs to an image of two axes")
        if not int(image.max()) < len(palette) <= 256:
            raise ValueError("the image uses colours that the palette lacks")
        kind = _INDEXED
        extra = _chunk(b"PLTE", palette.tobytes())
        if transparent is not None:
            extra += _chunk(b"tRNS", bytes([255] * transparent + [0]))
    height, width = image.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    # Each row starts with its filter; none suits palettes and noise alike.
    rows = np.zeros((height, 1 + image[0].size), np.uint8)
    rows[:, 1:] = image.reshape(height, -1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            extra,
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), level)),
            _chunk(b"IEND", b""),
        )
    )


def data_uri(content: bytes, media_type: str = "image/png") -> str:
    """Return content as an address that holds it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
