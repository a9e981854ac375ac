from __future__ import annotations

import pytest

from antiphon.errors import UserError
from antiphon.training.data.faults import FaultMonitor


def fault(name: str) -> tuple[str, str]:
    return name, f"{name}: is empty."


def test_each_recording_is_told_once():
    told: list[str] = []
    monitor = FaultMonitor(100, 0.1, told.append, "It is left out.")
    for _ in range(3):
        monitor.add(10, [fault("a"), fault("a"), fault("b")])
    assert told == ["a: is empty. It is left out.", "b: is empty. It is left out."]
    assert list(monitor.faults) == ["a", "b"]


def test_a_share_of_the_recordings():
    monitor = FaultMonitor(20, 0.1, lambda _: None)
    monitor.add(4, [fault("a"), fault("b")])
    with pytest.raises(UserError, match=r"3 of 20 recordings.*0\.1.*The first: a: is empty"):
        monitor.add(4, [fault("c")])


def test_a_share_of_the_draws_counts_once_there_are_enough():
    monitor = FaultMonitor(10**6, 0.1, lambda _: None)
    for step in range(8):
        monitor.add(100, [fault(f"{step} {n}") for n in range(15)])
    with pytest.raises(UserError, match=r"135 of 1035 draws"):
        monitor.add(100, [fault(f"8 {n}") for n in range(15)])


def test_nothing_may_fail_with_a_share_of_zero():
    monitor = FaultMonitor(10**6, 0.0, lambda _: None)
    monitor.add(5000, [])
    with pytest.raises(UserError, match="1 of 1000000 recordings"):
        monitor.add(1, [fault("a")])


def test_one_faulty_file_of_a_small_folder_is_no_reason_to_stop():
    monitor = FaultMonitor(10, 0.01, lambda _: None)
    monitor.add(5, [fault("a")])
    with pytest.raises(UserError, match="2 of 10 recordings"):
        monitor.add(1, [fault("b")])
    alone = FaultMonitor(1, 0.5, lambda _: None)
    with pytest.raises(UserError, match="1 of 1 recordings"):
        alone.add(0, [fault("a")])
