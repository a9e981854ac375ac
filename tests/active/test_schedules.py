from __future__ import annotations

import pytest

from antiphon.active.registry import get_strategy
from antiphon.active.schedules import SUGGESTED


@pytest.mark.parametrize("name", sorted(SUGGESTED))
def test_schedules_are_of_known_strategies_and_spend_five_hundred_labels(name: str) -> None:
    parts = [part.split("x") for part in SUGGESTED[name].split(",")]
    assert sum(int(size) * int(times) for size, times in parts) == 500
    assert get_strategy(name).name == name


def test_published_costs_are_the_number_of_batches_over_ten() -> None:
    def batches(name: str) -> int:
        return sum(int(part.split("x")[1]) for part in SUGGESTED[name].split(","))

    assert batches("adu-mmr") == 20
    assert batches("care-dpp") == 11
    assert batches("safe-rarity") == 10
