from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from antiphon.engine.items import ItemFailure
from antiphon.engine.local import LocalRunner
from antiphon.errors import AudioError, StoreError


def numbers(item: int) -> Iterator[int]:
    yield from range(item)


def test_items_are_finished_in_order_with_their_own_blocks() -> None:
    seen: list[tuple[int, list[int]]] = []
    report = LocalRunner(workers=3).run(
        range(20), numbers, lambda item, blocks: seen.append((item, list(blocks)))
    )
    assert seen == [(i, list(range(i))) for i in range(20)]
    assert report.done == 20
    assert report.failed == []


def test_a_failing_item_keeps_its_reason_and_the_others_go_on() -> None:
    def produce(item: int) -> Iterator[int]:
        yield 0
        if item == 3:
            raise AudioError("night.wav", "cannot be decoded", "Copy it again")

    given_up: list[ItemFailure] = []
    report = LocalRunner().run(
        range(6),
        produce,
        lambda item, blocks: [None for _ in blocks] and None,
        name=lambda item: f"file {item}",
        on_failure=lambda item, failure: given_up.append(failure),
    )
    assert report.done == 5
    assert report.failed == given_up
    assert given_up[0].item == "file 3"
    assert given_up[0].reason == "night.wav: cannot be decoded. Copy it again."
    assert given_up[0].attempts == 1


def test_an_error_of_the_system_is_tried_again_and_a_bug_is_not() -> None:
    tries: dict[int, int] = {}

    def produce(item: int) -> Iterator[int]:
        tries[item] = tries.get(item, 0) + 1
        if item == 1 and tries[item] < 3:
            raise OSError("the disk was away")
        if item == 2:
            raise ValueError("odd")
        yield item

    seen: list[int] = []

    def consume(item: int, blocks: Iterator[int]) -> None:
        seen.extend(blocks)

    report = LocalRunner(retries=2, pause_s=0.0).run(range(4), produce, consume)
    assert seen == [0, 1, 3]
    assert tries == {0: 1, 1: 3, 2: 1, 3: 1}
    assert [f.reason for f in report.failed] == ["ValueError: odd"]


def test_a_fatal_error_ends_the_run() -> None:
    def consume(item: int, blocks: Iterator[int]) -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="full"):
        LocalRunner().run(range(3), numbers, consume, fatal=(StoreError,))
    assert threading.active_count() < 10


def test_ctrl_c_keeps_what_was_finished_and_stops_the_threads() -> None:
    done: list[int] = []

    def consume(item: int, blocks: Iterator[int]) -> None:
        list(blocks)
        if item == 4:
            raise KeyboardInterrupt
        done.append(item)

    before = threading.active_count()
    report = LocalRunner().run(range(100), numbers, consume)
    assert report.interrupted
    assert report.done == len(done) == 4
    assert threading.active_count() == before


def test_producers_work_ahead_but_only_by_a_bounded_number_of_blocks() -> None:
    made = 0
    lock = threading.Lock()

    def produce(item: int) -> Iterator[int]:
        nonlocal made
        for i in range(1000):
            with lock:
                made += 1
            yield i

    ahead: list[int] = []

    def consume(item: int, blocks: Iterator[int]) -> None:
        for n, _ in enumerate(blocks, start=1):
            if n == 1:
                time.sleep(0.3)
                ahead.append(made)
                return

    LocalRunner(workers=2, depth=3).run([0], produce, consume)
    # Three blocks queued, one taken, one waiting for a place.
    assert 1 < ahead[0] <= 5


def test_items_are_taken_lazily() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    most: list[int] = []

    def consume(item: int, blocks: Iterator[int]) -> None:
        most.append(len(taken) - item)

    LocalRunner(workers=2).run(items(), numbers, consume)
    assert max(most) <= 4
