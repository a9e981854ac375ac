"""When the file is written anew while members score."""

from __future__ import annotations

import math

import pytest

from antiphon.soundscape.run.supervise import rewrite_is_due


@pytest.mark.parametrize(
    ("since_s", "cost_s", "left_s", "due"),
    [
        (1.9, 0.0, math.inf, False),
        (2.1, 0.0, math.inf, True),
        # A file that takes 3 s is written every 150 s,
        (149.0, 3.0, math.inf, False),
        (151.0, 3.0, math.inf, True),
        # and not when the last one would have to wait for it.
        (151.0, 3.0, 2.9, False),
        (151.0, 3.0, 3.1, True),
    ],
)
def test_a_rewrite_is_due(since_s, cost_s, left_s, due):
    assert rewrite_is_due(since_s, cost_s, left_s) is due
