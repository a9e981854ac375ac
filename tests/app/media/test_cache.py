"""The cache that is bounded in bytes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.app.media.cache import ByteCache


def test_the_oldest_go_when_the_bytes_are_spent() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len)
    made: list[str] = []

    def get(key: str, size: int = 40) -> bytes:
        def make() -> bytes:
            made.append(key)
            return bytes(size)

        return cache.get(key, make)

    get("a")
    get("b")
    get("a")
    get("c")
    assert cache.kept_bytes == 80
    get("a")
    get("b")
    assert made == ["a", "b", "c", "b"]
    assert len(get("huge", 101)) == 101
    assert cache.kept_bytes == 80


def test_threads_that_ask_at_once_share_one_computation() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len, at_once=8)
    asked = threading.Barrier(6)
    go = threading.Event()
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        go.wait(10)
        return b"x"

    def ask() -> bytes:
        asked.wait(10)
        return cache.get("key", make)

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(ask) for _ in range(6)]
        threading.Timer(0.1, go.set).start()
        assert [a.result(20) for a in answers] == [b"x"] * 6
    assert made == [1]


def test_an_error_is_not_kept() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len)

    def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("key", fail)
    assert cache.get("key", lambda: b"yes") == b"yes"
