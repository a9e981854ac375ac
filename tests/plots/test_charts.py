import numpy as np
import pytest

from antiphon.plots.charts import bar_chart, dots_and_intervals, histogram, reliability
from tests.plots.drawn import find, tips, words

NAN = float("nan")


def test_bars_are_as_tall_as_their_values():
    drawn = bar_chart(["a", "b", "c"], [1, 2, NAN], label="n", x_title="x", y_title="y")
    first, second = find(drawn, "rect", "bar")
    assert float(second.get("height")) == pytest.approx(2 * float(first.get("height")), abs=0.02)
    assert len(find(drawn, "rect", "blank")) == 1
    assert "b: 2" in tips(drawn)


def test_bars_of_nothing():
    drawn = bar_chart(["a"], [NAN], label="n", x_title="x", y_title="y")
    assert "nothing to draw yet" in words(drawn)


def test_bars_all_zero():
    drawn = bar_chart(["a", "b"], [0, 0], label="n", x_title="x", y_title="y")
    assert [b.get("height") for b in find(drawn, "rect", "bar")] == ["0", "0"]


def test_histogram_counts():
    drawn = histogram([0.1, 0.1, 0.9, NAN], label="scores", x_title="p", bins=2, value_range=(0, 1))
    assert tips(drawn)[0] == "scores (1 values that are no numbers are left out)"
    assert tips(drawn)[1:] == ["0 to 0.5: 2", "0.5 to 1: 1"]


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0]])
def test_histogram_of_one_value(values):
    bars = find(histogram(values, label="v", x_title="v"), "rect", "bar")
    assert len(bars) == 1


def test_histogram_of_nothing():
    assert "nothing to draw yet" in words(histogram([NAN], label="v", x_title="v"))


def test_reliability_draws_filled_bins_only():
    drawn = reliability(
        [0.1, 0.5, 0.9], [0.1, NAN, 0.8], [0.0, NAN, 0.6], [0.2, NAN, 0.9], [10, 0, 40], label="c"
    )
    dots = find(drawn, "circle")
    assert len(dots) == 2
    # Square plot from 48 to 346: the first dot lies on the diagonal.
    assert float(dots[0].get("cx")) - 48 == pytest.approx(24 + 298 - float(dots[0].get("cy")))
    assert "predicted 0.900, observed 0.800 [0.600, 0.900], 40 windows" in tips(drawn)


def test_reliability_of_nothing():
    assert "nothing to draw yet" in words(reliability([], [], [], [], [], label="c"))


def test_dots_tell_full_names_and_missing_values():
    long = "Hylocichla mustelina (dawn song, second individual)"
    drawn = dots_and_intervals(
        [long, "owl"], [0.8, NAN], [0.7, NAN], [0.9, NAN], label="AP", x_title="AP", notes=["5", ""]
    )
    assert f"{long}: 0.800 [0.700, 0.900] (5)" in tips(drawn)
    assert "owl: not computed" in tips(drawn)
    assert len(find(drawn, "circle")) == 1
    assert max(len(w) for w in words(drawn) if w) <= 26


def test_two_hundred_classes_are_all_there():
    n = 200
    drawn = dots_and_intervals(
        [f"class {k}" for k in range(n)],
        np.linspace(0, 1, n),
        np.zeros(n),
        np.ones(n),
        label="AP",
        x_title="AP",
    )
    assert len(find(drawn, "circle")) == n
    # The axis is written at both ends of a long list.
    assert words(drawn).count("0.4") == 2


def test_dots_of_nothing():
    drawn = dots_and_intervals([], [], [], [], label="AP", x_title="AP")
    assert "nothing to draw yet" in words(drawn)


def test_names_are_escaped():
    drawn = bar_chart(["<b>"], [1], label="<i>", x_title="&", y_title='"')
    assert "<b>: 1" in tips(drawn)
