from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.audio.reader import read_span, stream
from antiphon.audio.recording import AUDIO_SUFFIXES, content_key, find_recordings, probe
from antiphon.errors import AudioError, FileError
from tests.audio.make import cut, noise, write
from tests.real import real_data

RATE = 24_000
SECONDS = 6

FORMATS = [
    ("a.wav", {"subtype": "PCM_U8"}, "WAV", "PCM_U8"),
    ("a.wav", {"subtype": "PCM_16"}, "WAV", "PCM_16"),
    ("a.wav", {"subtype": "PCM_24"}, "WAV", "PCM_24"),
    ("a.wav", {"subtype": "PCM_32"}, "WAV", "PCM_32"),
    ("a.wav", {"subtype": "FLOAT"}, "WAV", "FLOAT"),
    ("a.wav", {"subtype": "DOUBLE"}, "WAV", "DOUBLE"),
    ("a.wav", {"format": "WAVEX", "subtype": "PCM_24"}, "WAVEX", "PCM_24"),
    ("a.wav", {"format": "RF64", "subtype": "PCM_16"}, "RF64", "PCM_16"),
    ("a.flac", {}, "FLAC", "PCM_16"),
    ("a.ogg", {}, "OGG", "VORBIS"),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}, "OGG", "OPUS"),
    ("a.mp3", {}, "MP3", "MPEG_LAYER_III"),
    ("a.aiff", {}, "AIFF", "PCM_16"),
    ("A.AIF", {"format": "AIFF"}, "AIFF", "PCM_16"),
]


@pytest.mark.parametrize(("name", "options", "container", "subtype"), FORMATS)
def test_whole_file(
    tmp_path: Path, name: str, options: dict[str, str], container: str, subtype: str
) -> None:
    samples = noise(SECONDS * RATE, 2)
    info = probe(write(tmp_path / name, samples, RATE, **options))
    assert (info.container, info.subtype, info.problem) == (container, subtype, None)
    assert (info.sample_rate, info.channels, info.frames) == (RATE, 2, len(samples))
    assert info.duration_s == SECONDS


@pytest.mark.parametrize("share", [0.35, 0.8, 0.995])
@pytest.mark.parametrize(("name", "options", "container", "subtype"), FORMATS)
def test_cut_file_is_found_and_read_as_far_as_it_goes(
    tmp_path: Path, name: str, options: dict[str, str], container: str, subtype: str, share: float
) -> None:
    whole = write(tmp_path / name, noise(SECONDS * RATE, 2), RATE, **options)
    expected = np.concatenate(list(stream(whole, channel="each")), axis=1)
    path = cut(whole, share)
    info = probe(path)
    assert info.problem is not None
    assert "cut short" in info.problem
    # Encoders hold back up to a page or a block of audio.
    assert (share - 0.2) * SECONDS < info.duration_s < min(share + 0.05, 1) * SECONDS
    got = np.concatenate(list(stream(path, channel="each")), axis=1)
    assert got.shape == (2, info.frames)
    # The last block of a lossy codec overlaps with one that is gone.
    sure = info.frames - 4096
    np.testing.assert_allclose(got[:, :sure], expected[:, :sure], atol=1e-4)
    tail = read_span(path, info.duration_s - 0.5, channel="each")
    np.testing.assert_allclose(tail, got[:, -tail.shape[1] :], atol=1e-4)


def test_problem_of_a_cut_wav_says_both_lengths(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(10 * RATE), RATE)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 3 * RATE])
    assert probe(path).problem == "cut short: the header promises 10.0 s, the file holds 3.0 s"


@pytest.mark.parametrize("riff_size", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("data_size", [0, 0xFFFFFFFF])
def test_header_that_was_never_completed(tmp_path: Path, riff_size: int, data_size: int) -> None:
    samples = noise(2 * RATE)
    path = write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    data = bytearray(path.read_bytes())
    start = data.index(b"data")
    data[4:8] = struct.pack("<I", riff_size)
    data[start + 4 : start + 8] = struct.pack("<I", data_size)
    del data[start + 8 + samples.nbytes :]
    path.write_bytes(data)
    info = probe(path)
    assert info.frames == len(samples)
    assert "never completed" in str(info.problem)
    assert "2.0 s" in str(info.problem)
    np.testing.assert_array_equal(read_span(path)[0], samples[:, 0])
    np.testing.assert_array_equal(read_span(path, 1.5)[0], samples[36_000:, 0])


def test_audio_beyond_the_header_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(RATE), RATE)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", RATE)
    path.write_bytes(data)
    info = probe(path)
    assert info.frames == RATE // 2
    assert "24000 bytes more" in str(info.problem)


def test_chunks_after_the_audio_are_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(RATE + 1), RATE, subtype="PCM_U8")
    path.write_bytes(path.read_bytes() + b"guan" + struct.pack("<I", 4) + b"|v:1")
    assert probe(path).problem is None


def test_flac_without_a_stated_length(tmp_path: Path) -> None:
    samples = noise(5 * RATE)
    path = write(tmp_path / "a.flac", samples, RATE)
    data = bytearray(path.read_bytes())
    # STREAMINFO: the low 36 bits before the MD5 sum are the number of samples.
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    info = probe(path)
    assert info.frames == len(samples)
    assert "does not say how long" in str(info.problem)


@pytest.mark.parametrize(
    ("content", "name"),
    [("a.flac", "lie.wav"), ("a.ogg", "lie.mp3"), ("a.mp3", "lie.wav"), ("a.wav", "lie.flac")],
)
def test_content_decides_the_format(tmp_path: Path, content: str, name: str) -> None:
    true = write(tmp_path / content, noise(3 * RATE), RATE)
    shutil.copy(true, tmp_path / name)
    assert probe(tmp_path / name).container == probe(true).container
    assert read_span(tmp_path / name, 1, 2).shape == (1, RATE)


@pytest.mark.parametrize("rate", [8_000, 250_000, 384_000, 500_000])
def test_rates_from_whales_to_bats(tmp_path: Path, rate: int) -> None:
    for name in ("a.wav", "a.flac"):
        info = probe(write(tmp_path / name, noise(rate // 10), rate))
        assert (info.sample_rate, info.duration_s) == (rate, 0.1)


@pytest.mark.parametrize("rate", [500, 2_000_000])
def test_impossible_rate(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "a.wav", noise(100), rate)
    with pytest.raises(AudioError, match=rf"a\.wav: its header gives a sample rate of {rate} Hz"):
        probe(path)


def test_missing_empty_text_folder_and_zero_frames(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"no\.wav: there is no such file.*Check the path"):
        probe(tmp_path / "no.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioError, match=r"empty\.wav: is empty \(0 bytes\)"):
        probe(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_text("These are notes, not sound. " * 40)
    with pytest.raises(AudioError, match=r"text\.wav: is not a recording.*Leave it out"):
        probe(tmp_path / "text.wav")
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=r"folder\.wav: is a folder"):
        probe(tmp_path / "folder.wav")
    with soundfile.SoundFile(tmp_path / "zero.wav", "w", RATE, 1):
        pass
    with pytest.raises(AudioError, match=r"zero\.wav: holds no audio \(0 samples\)"):
        probe(tmp_path / "zero.wav")


def test_header_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(RATE), RATE)
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(AudioError, match=r"holds no audio .*promises 1\.0 s"):
        probe(path)


def test_a_changed_file_is_probed_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(RATE), RATE)
    assert probe(path).frames == RATE
    write(path, noise(2 * RATE), RATE)
    assert probe(path).frames == 2 * RATE


def test_find_recordings(tmp_path: Path) -> None:
    wanted = ["B/2.WAV", "a/1.Flac", "a/deep/er/3.oGG", "z.MP3"]
    others = [".hidden/4.wav", "a/._1.Flac", "a/.5.wav", "a/notes.txt", "a/wav"]
    for name in wanted + others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_recordings(tmp_path) == [tmp_path / name for name in wanted]
    assert find_recordings(tmp_path / "z.MP3") == [tmp_path / "z.MP3"]
    with pytest.raises(FileError, match="no such folder"):
        find_recordings(tmp_path / "absent")
    assert all(suffix == suffix.lower() for suffix in AUDIO_SUFFIXES)


def test_content_key(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(1_000_000)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data)
    key = content_key(tmp_path / "a")
    assert key.startswith("1000000-")
    assert key == content_key(tmp_path / "b")
    for at in (0, 500_000, 999_999):
        changed = bytearray(data)
        changed[at] ^= 1
        (tmp_path / "c").write_bytes(changed)
        assert content_key(tmp_path / "c") != key
    (tmp_path / "d").write_bytes(data[:-1])
    assert content_key(tmp_path / "d") != key
    (tmp_path / "empty").touch()
    assert content_key(tmp_path / "empty").startswith("0-")
    with pytest.raises(AudioError, match="cannot be read"):
        content_key(tmp_path / "no")


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "rate", "container"),
    [
        ("esc10", 32_000, "OGG"),
        ("mouse_usv", 250_000, "FLAC"),
        ("tropical_day", 22_000, "WAV"),
        ("reef_fish", 16_000, "WAV"),
    ],
)
def test_real_recordings_are_whole(folder: str, rate: int, container: str) -> None:
    found = find_recordings(real_data(folder))
    assert found
    for path in found[:25]:
        info = probe(path)
        assert (info.sample_rate, info.container, info.problem) == (rate, container, None)
