"""A recipe refuses what cannot be made."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.active.simulate.recipe import Recipe
from antiphon.errors import UserError


def recipe(**knobs: Any) -> Recipe:
    return Recipe(
        **{
            "name": "tiny",
            "n_pool": 60,
            "n_validation": 20,
            "n_classes": 4,
            "labels_per_sample": 1.0,
            **knobs,
        }
    )


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"n_pool": 0}, "n_pool"),
        ({"gain": -1.0}, "gain"),
        ({"gain_spread": float("nan")}, "gain_spread"),
        ({"overlap": 1.5}, "overlap"),
        ({"bout": 0.5}, "bout"),
        ({"site_shift": 0.6, "recording_shift": 0.5}, "recording_shift"),
        ({"activation": "tanh"}, "activation"),
        ({"labels_per_sample": 0.5, "empty_share": 0.2}, "labels_per_sample"),
        ({"labels_per_sample": 3.5, "empty_share": 0.2}, "labels_per_sample"),
    ],
)
def test_a_knob_out_of_range_is_named(knobs: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named) as error:
        recipe(**knobs)
    assert "tiny" in str(error.value)


def test_a_recipe_is_written_with_all_its_knobs() -> None:
    facts = recipe(gain=2.0).to_json()
    assert facts["gain"] == 2.0
    assert Recipe(**facts) == recipe(gain=2.0)
