from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from antiphon.active.baseal import vectors
from antiphon.active.baseal.vectors import read_vectors
from antiphon.errors import FileError

NAMES = [f"v{i:02d}.npy" for i in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "vectors"
    made.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        np.save(made / name, rng.normal(size=8).astype(np.float32))
    _age(made)
    return made


def _age(folder: Path) -> None:
    """Make the files look settled: times of an hour ago, as far as they can be set."""
    for name in NAMES:
        os.utime(folder / name, (time.time() - 3600,) * 2)


def _settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The change time cannot be set back, so let the files settle at once."""
    monkeypatch.setattr(vectors, "_SETTLED_NS", 0)


def test_packed_vectors_equal_those_read_one_by_one(folder: Path, tmp_path: Path) -> None:
    expected = np.stack([np.load(folder / name) for name in NAMES])
    plain, key = read_vectors(folder, NAMES)
    packed, packed_key = read_vectors(folder, NAMES, cache=tmp_path / "cache")
    np.testing.assert_array_equal(plain, expected)
    np.testing.assert_array_equal(packed, expected)
    assert key == packed_key
    assert isinstance(packed, np.memmap)
    for array in (plain, packed):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


def test_files_that_did_not_change_are_not_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settle(monkeypatch)
    time.sleep(0.05)
    _, key = read_vectors(folder, NAMES, cache=tmp_path / "cache")

    def fail(path: Path | str) -> bytes:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(vectors, "_bytes", fail)
    again, same = read_vectors(folder, NAMES, cache=tmp_path / "cache")
    assert same == key
    assert again.shape == (20, 8)


@pytest.mark.parametrize("settled", [False, True])
def test_stale_vectors_are_never_served(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    if settled:
        _settle(monkeypatch)
        time.sleep(0.05)
    cache = tmp_path / "cache"
    _, key = read_vectors(folder, NAMES, cache=cache)
    victim = folder / NAMES[7]
    before = victim.stat()
    np.save(victim, np.full(8, 3.0, np.float32))
    # Same name, size and modification time: only the content tells.
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert victim.stat().st_size == before.st_size
    fresh, fresh_key = read_vectors(folder, NAMES, cache=cache)
    np.testing.assert_array_equal(fresh[7], 3.0)
    assert fresh_key != key


def test_another_folder_with_the_same_names_has_its_own_vectors(
    folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in NAMES:
        np.save(other / name, np.ones(8, np.float32))
    first, _ = read_vectors(folder, NAMES, cache=tmp_path / "cache")
    second, _ = read_vectors(other, NAMES, cache=tmp_path / "cache")
    np.testing.assert_array_equal(second, 1.0)
    assert not np.array_equal(first, second)


def test_order_and_choice_of_files_are_part_of_the_key(folder: Path, tmp_path: Path) -> None:
    keys = {
        read_vectors(folder, names, cache=tmp_path / "cache")[1]
        for names in (NAMES, NAMES[::-1], NAMES[:10])
    }
    assert len(keys) == 3


def test_a_broken_cache_is_made_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settle(monkeypatch)
    time.sleep(0.05)
    cache = tmp_path / "cache"
    expected = np.array(read_vectors(folder, NAMES, cache=cache)[0])
    for path in list(cache.glob("*.npy")):
        path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(read_vectors(folder, NAMES, cache=cache)[0], expected)
    for path in list(cache.glob("*.json")):
        path.write_text("{")
    np.testing.assert_array_equal(read_vectors(folder, NAMES, cache=cache)[0], expected)


def _pack(folder: Path, cache: Path, results: multiprocessing.Queue) -> None:
    array, key = read_vectors(folder, NAMES, cache=cache)
    results.put((key, float(np.asarray(array, np.float64).sum())))


def test_two_processes_pack_at_once(folder: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    jobs = [
        context.Process(target=_pack, args=(folder, tmp_path / "cache", results)) for _ in range(3)
    ]
    for job in jobs:
        job.start()
    answers = {results.get(timeout=60) for _ in jobs}
    for job in jobs:
        job.join()
    assert len(answers) == 1
    kept = sorted(p.suffix for p in (tmp_path / "cache").iterdir())
    assert kept == [".json", ".npy"]


def test_a_file_that_vanishes_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / NAMES[3]).unlink()
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(FileError, match=NAMES[3]):
            read_vectors(folder, NAMES, cache=cache)
