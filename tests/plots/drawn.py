"""Reading drawings in tests."""

import base64
import struct
import zlib
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    """Return the root of a drawing; fails if it is not well-formed."""
    return ElementTree.fromstring(svg)


def find(svg, tag, class_=None):
    """Return elements by tag and one of their classes."""
    return [
        e
        for e in parse(svg).iter(f"{SVG}{tag}")
        if class_ is None or class_ in (e.get("class") or "").split()
    ]


def words(svg):
    """Return all texts that are drawn."""
    return [e.text for e in find(svg, "text")]


def tips(svg):
    """Return all tooltips, the title of the whole first."""
    return [e.text for e in find(svg, "title")]


def decode(content):
    """Decode unfiltered 8-bit PNG by the book, checking every checksum."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        (checksum,) = struct.unpack(">I", content[at + 8 + size : at + 12 + size])
        assert checksum == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + size
    assert list(chunks)[-1] == b"IEND"
    width, height, depth, kind, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, rest) == (8, [0, 0, 0])
    channels = {0: 1, 2: 3, 3: 1}[kind]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    rows = rows.reshape(height, 1 + width * channels)
    assert (rows[:, 0] == 0).all()
    image = rows[:, 1:].reshape((height, width) if channels == 1 else (height, width, 3))
    return image, chunks


def embedded(svg):
    """Return the pixels of the only image in a drawing."""
    (image,) = find(svg, "image")
    return decode(base64.b64decode(image.get("href").split(",")[1]))[0]
