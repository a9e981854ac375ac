import pytest

from antiphon.pipeline.report.data import ClassQuality, Estimate
from antiphon.pipeline.report.words import (
    estimate_text,
    groups_text,
    hours_text,
    is_weak,
    percent,
    plural,
    verdict,
)


def wren(**changes):
    facts = {
        "label": "wren",
        "positives": 38,
        "groups": 12,
        "threshold": 0.62,
        "precision": Estimate(0.91, 0.84, 0.96),
        "recall": Estimate(0.55, 0.41, 0.70),
        "more_clips": 24,
    }
    return ClassQuality(**{**facts, **changes})


def test_verdict_holds_every_number():
    assert verdict(wren(), "recording") == (
        "at threshold 0.62: precision 0.91 [0.84, 0.96], recall 0.55 [0.41, 0.70], from 38 "
        "positives in 12 recordings; 24 more labelled clips would narrow the interval of the "
        "precision to ±0.05."
    )


def test_verdict_of_a_narrow_interval():
    assert "within ±0.05" in verdict(wren(more_clips=0), "site")
    assert "more labelled" not in verdict(wren(more_clips=None), "site")


def test_verdict_without_a_threshold():
    said = verdict(wren(threshold=None, positives=1, groups=1, note="too few."), "recording")
    assert said.startswith("has no threshold, so it gives no detections, from 1 positive in 1 rec")
    assert "(too few)." in said
    assert "no threshold" in verdict(wren(threshold=float("nan")), "recording")


@pytest.mark.parametrize(
    ("changes", "weak"),
    [
        ({}, False),
        ({"threshold": None}, True),
        ({"precision": None}, True),
        ({"precision": Estimate(0.9)}, True),
        ({"precision": Estimate(0.9, 0.6, 1.0)}, True),
    ],
)
def test_weak_classes(changes, weak):
    assert is_weak(wren(**changes)) is weak


def test_estimates_without_an_interval_say_so():
    assert estimate_text(Estimate(0.5, 0.4, 0.6)) == "0.50 [0.40, 0.60]"
    assert estimate_text(Estimate(0.5)) == "0.50 (no interval)"
    assert estimate_text(Estimate(float("nan"), 0.1, 0.2)) == "not computed"
    assert estimate_text(None) == "not computed"


def test_counts():
    assert plural(1, "clip") == "1 clip"
    assert plural(1200, "class", "classes") == "1,200 classes"
    assert groups_text(2, "recording") == "2 recordings"
    assert groups_text(1, "") == "1 group"
    assert groups_text(3, "observer") == "3 groups of one 'observer' each"
    assert hours_text(0.5) == "30.0 min"
    assert hours_text(1234.56) == "1,234.6 h"
    assert percent(0.95) == "95\N{NO-BREAK SPACE}%"
