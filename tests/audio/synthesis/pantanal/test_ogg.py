"""OGG files: the checksum of the format, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.audio.synthesis.pantanal.ogg import checksum, with_serial, write_ogg


def slow_checksum(page: bytes) -> int:
    """RFC 3533, section 6, bit by bit."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = ((register << 1) ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register


def test_the_checksum_is_that_of_the_format() -> None:
    for size in (0, 1, 27, 300):
        page = np.random.default_rng(size).bytes(size)
        assert checksum(page) == slow_checksum(page)


def test_files_are_the_same_bytes_and_read_back(tmp_path: Path) -> None:
    rate = 32_000
    time = np.arange(3 * rate) / rate
    audio = (0.3 * np.sin(2 * np.pi * 1000.0 * time)).astype(np.float32)
    write_ogg(tmp_path / "a.ogg", audio, rate, 7)
    write_ogg(tmp_path / "b.ogg", audio, rate, 7)
    data = (tmp_path / "a.ogg").read_bytes()
    assert data == (tmp_path / "b.ogg").read_bytes()
    assert data[14:18] == (7).to_bytes(4, "little")
    read, found = soundfile.read(tmp_path / "a.ogg", dtype="float32")
    assert (found, len(read)) == (rate, len(audio))
    # A lossy codec, but the tone is there and little else.
    assert np.sqrt(np.mean((read - audio) ** 2)) < 0.02
    assert not list(tmp_path.glob(".*"))


def test_what_is_no_ogg_is_refused() -> None:
    with pytest.raises(ValueError, match="byte 0"):
        with_serial(b"RIFF" + bytes(40), 1)
