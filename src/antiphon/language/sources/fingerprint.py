"""Digests of a row's sound: of the file's bytes, and of the sound whatever its encoding.

The sound's digest is that of ``evaluation.leakage.fingerprints``, thinned out so that a million
rows can carry theirs: one code of 32 bits each 0.128 s of the first :data:`MAX_S` seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.errors import AudioError
from antiphon.evaluation.leakage.fingerprints import RATE
from antiphon.evaluation.leakage.fingerprints import fingerprint as full_fingerprint

MAX_S = 20.0
"""Only so many seconds from the start are looked at."""

STEP = 8
"""One of so many codes is kept."""

_BITS = 32
_SHORTEST_S = 0.5

UInt32 = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A fingerprint as a row carries it.

    Parameters
    ----------
    mask
        Bits that mean something: those of bands that are not silent most of the time.
    words
        ``(n,)`` codes; 0 where less than half of the bands sound.
    """

    mask: int
    words: UInt32

    def text(self) -> str:
        """Return it in hexadecimal: the mask, then the codes."""
        return np.concatenate([[self.mask], self.words]).astype(">u4").tobytes().hex()

    @classmethod
    def read(cls, text: str) -> Print:
        """Return the fingerprint that a text holds."""
        words = np.frombuffer(bytes.fromhex(text), dtype=">u4").astype(np.uint32)
        return cls(int(words[0]), words[1:])


def fingerprint(
    path: Path | str, start_s: float | None = None, end_s: float | None = None
) -> str | None:
    """Return the fingerprint of a span of a file.

    Parameters
    ----------
    path
        The recording; its channels are mixed.
    start_s, end_s
        Seconds; the whole file by default.

    Returns
    -------
    str or None
        :meth:`Print.text`; None for a sound that is shorter than half a second, or silent.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    start = start_s or 0.0
    length = probe(path).duration_s
    end = min(length if end_s is None else end_s, length, start + MAX_S)
    if end - start < _SHORTEST_S:
        return None
    found = sound_print(read_span(path, start, end, sample_rate=RATE)[0])
    return found.text() if found.words.any() else None


def sound_print(samples: npt.NDArray[np.float32]) -> Print:
    """Return the fingerprint of ``(n,)`` samples at 16 kHz."""
    full = full_fingerprint(samples, RATE)
    bits, valid = full.bits[::STEP], full.valid[::STEP]
    heard = np.bitwise_count(valid) >= _BITS // 2
    # A recording with few bands, as of a low rate, is told by those it has.
    known = (valid[:, None] >> np.arange(_BITS, dtype=np.uint32)) & 1
    often = known[heard if heard.any() else slice(None)].mean(axis=0) > 0.5 if len(bits) else []
    mask = sum(1 << n for n, yes in enumerate(often) if yes)
    words = np.where(heard, bits & valid, 0).astype(np.uint32)
    return Print(mask, words)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises
    ------
    AudioError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(path, f"cannot be read ({error.strerror or error})") from error
