"""The cache of embeddings: nothing is lost but the last shard, and nothing damaged is used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.embedding.cache import (
    AudioHashes,
    CacheError,
    FeatureCache,
    Record,
)


def record(n, seed=0, dim=4):
    rng = np.random.default_rng(seed)
    row = np.arange(n) // 2
    return Record(rng.standard_normal((n, dim)).astype("f4"), row, rng.random(n) + 0.1)


def same(a, b):
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in ("vectors", "row", "valid_s"))


def test_records_come_back_as_they_went_in(tmp_path):
    cache = FeatureCache(tmp_path, shard_bytes=100)
    stored = {f"k{i}": record(i + 1, i) for i in range(12)}
    for key, one in stored.items():
        cache.add(key, one)
    cache.flush()
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    again = FeatureCache(tmp_path)
    assert len(again) == 12
    found = again.get([*stored, "unknown"])
    assert set(found) == set(stored)
    assert all(same(found[k], stored[k]) for k in stored)


def test_what_waits_can_be_read_before_it_is_written(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.add("a", record(3))
    assert "a" in cache
    assert same(cache.get(["a"])["a"], record(3))
    assert not tmp_path.exists() or not list(tmp_path.glob("*.safetensors"))


def test_a_damaged_shard_is_set_aside_and_its_records_are_asked_for_again(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.add("a", record(3, 1))
    cache.flush()
    cache.add("b", record(3, 2))
    cache.flush()
    shard = sorted(tmp_path.glob("*.safetensors"))[0]
    data = bytearray(shard.read_bytes())
    data[-3] ^= 1
    shard.write_bytes(data)
    again = FeatureCache(tmp_path)
    assert again.damaged == [shard.name]
    assert len(again) == 1
    assert shard.with_suffix(".damaged").is_file()
    lost = ({"a", "b"} - {k for k in ("a", "b") if k in again}).pop()
    again.add(lost, record(3, {"a": 1, "b": 2}[lost]))
    again.flush()
    assert len(FeatureCache(tmp_path)) == 2
    assert FeatureCache(tmp_path).damaged == []


def test_a_truncated_shard_is_damaged_too(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.add("a", record(3, 1))
    cache.flush()
    shard = next(tmp_path.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:50])
    assert FeatureCache(tmp_path).damaged == [shard.name]


def test_nan_is_never_stored(tmp_path):
    bad = record(3)
    bad.vectors[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        FeatureCache(tmp_path).add("a", bad)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    cache = FeatureCache(blocked / "cache")
    cache.add("a", record(2))
    with pytest.raises(CacheError, match="cannot be written"):
        cache.flush()
    assert "a" in cache


def test_kill_9_loses_the_shard_in_the_making_and_nothing_else(tmp_path):
    code = f"""
        import numpy as np, time
        from pathlib import Path
        from antiphon.evaluation.benchmarks.embedding.cache import FeatureCache, Record
        cache = FeatureCache(Path({str(tmp_path)!r}) / "cache")
        for i in range(5):
            cache.add(f"k{{i}}", Record(np.ones((1, 4), "f4"), np.zeros(1, int), np.ones(1)))
            if i == 2:
                cache.flush()
        print("ready", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cache = FeatureCache(tmp_path / "cache")
    assert [k for k in (f"k{i}" for i in range(5)) if k in cache] == ["k0", "k1", "k2"]
    assert cache.damaged == []


def test_hashes_are_of_content_and_remembered(tmp_path):
    a, b = tmp_path / "a.wav", tmp_path / "b.wav"
    a.write_bytes(b"x" * 300_000)
    b.write_bytes(a.read_bytes())
    hashes = AudioHashes(tmp_path / "hashes.jsonl")
    assert hashes.of(a) == hashes.of(b)
    hashes.save()
    again = AudioHashes(tmp_path / "hashes.jsonl")
    assert again.of(a) == hashes.of(a)
    # The middle of the file counts, too.
    data = bytearray(a.read_bytes())
    data[150_000] = 0
    a.write_bytes(data)
    os.utime(a, (time.time() + 10, time.time() + 10))
    assert again.of(a) != hashes.of(b)
    with pytest.raises(FileError, match="cannot be read"):
        again.of(tmp_path / "missing.wav")


def test_a_broken_memory_of_hashes_is_only_forgotten(tmp_path):
    path = tmp_path / "hashes.jsonl"
    path.write_text("{not json")
    (tmp_path / "a").write_bytes(b"1")
    assert len(AudioHashes(path).of(tmp_path / "a")) == 32
