"""Measurements that forget."""

from __future__ import annotations

import pytest

from antiphon.soundscape.run.timings import Rate, Timings


def test_a_rate_is_the_weighted_mean():
    rate = Rate(half_life=10)
    assert rate.value is None
    rate.add(10, 1.0)
    assert rate.value == pytest.approx(0.1)
    # The ten units before count half as much as these.
    rate.add(10, 3.0)
    assert rate.value == pytest.approx((0.1 + 2 * 0.3) / 3)
    rate.add(0, 99.0)
    assert rate.value == pytest.approx((0.1 + 2 * 0.3) / 3)


def test_a_batch_counts_as_its_units_one_by_one():
    together, apart = Rate(half_life=10), Rate(half_life=10)
    together.add(5, 10.0)
    for _ in range(5):
        apart.add(1, 2.0)
    for rate in (together, apart):
        rate.add(7, 1.0)
    assert together.value == pytest.approx(apart.value)


def test_a_slower_machine_shows_soon():
    rate = Rate()
    rate.add(10_000, 100.0)
    for _ in range(32):
        rate.add(12, 1.2)
    assert rate.value == pytest.approx(0.1, rel=0.02)


def test_overhead_is_what_passes_beside_what_is_measured():
    timings = Timings()
    assert timings.overhead == 1.0
    timings.tick(100.0, workers=2)
    assert timings.overhead == 1.0
    timings.add("a", 3, 4.0)
    timings.add("b", 1, 2.0)
    # Two cores for 6 s are 12 s, of which 6 s were measured.
    timings.tick(106.0, workers=2)
    assert timings.overhead == pytest.approx(2.0)
    assert timings.get("a") == pytest.approx(4 / 3)
    assert timings.get("never") is None


def test_overhead_stays_within_reason():
    timings = Timings()
    timings.tick(0.0, 1)
    timings.add("a", 1, 1e-6)
    timings.tick(1000.0, 1)
    assert timings.overhead == 10.0
