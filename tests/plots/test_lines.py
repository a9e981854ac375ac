import re

import numpy as np
import pytest

from antiphon.plots.lines import Series, line_chart
from tests.plots.drawn import find, tips, words

NAN = float("nan")


def chart(*series, **options):
    return line_chart(series, label="AP by labels", x_title="labels", y_title="AP", **options)


def points(path):
    return [tuple(map(float, p.split(","))) for p in re.findall(r"[-\d.]+,[-\d.]+", path.get("d"))]


def test_points_lie_where_the_axes_say():
    drawn = chart(Series("a", [0, 100], [0.0, 1.0]), x_range=(0, 100), y_range=(0, 1))
    (line,) = find(drawn, "path", "line")
    # Plot area of the default size: x from 48 to 400, y from 228 (0) up to 24 (1).
    assert points(line) == [(48.0, 228.0), (400.0, 24.0)]
    assert "labels" in words(drawn)
    assert "0.4" in words(drawn)


def test_nan_is_a_gap():
    drawn = chart(Series("a", range(5), [1, 2, NAN, 4, 5]))
    assert [len(points(p)) for p in find(drawn, "path", "line")] == [2, 2]
    assert len(find(drawn, "circle")) == 4


def test_lone_point_between_gaps_is_a_dot():
    y = np.full(60, 0.5)
    y[[29, 31]] = NAN
    drawn = chart(Series("a", np.arange(60), y))
    assert len(find(drawn, "circle")) == 1


def test_one_point_alone():
    drawn = chart(Series("a", [7], [0.5], [0.4], [0.6]))
    assert len(find(drawn, "circle")) == 1
    assert "a: 0.500 [0.400, 0.600] at 7" in tips(drawn)


@pytest.mark.parametrize("series", [[], [Series("a", [], [])], [Series("a", [1, 2], [NAN, NAN])]])
def test_nothing_to_draw_is_said(series):
    assert "nothing to draw yet" in words(chart(*series))


def test_band_goes_round_the_line():
    drawn = chart(Series("a", [0, 1], [0.5, 0.5], [0.4, 0.4], [0.6, 0.6]))
    band = [p for p in find(drawn, "path") if p.get("d").endswith("Z")]
    assert len(points(band[0])) == 4


def test_legend_names_several_and_shortens_long_ones():
    long = "x" * 300
    drawn = chart(Series(long, [0, 1], [0, 1]), Series("random", [0, 1], [1, 0]))
    assert "random" in words(drawn)
    assert long in tips(drawn)
    assert max(len(w) for w in words(drawn)) < 80


def test_many_series_look_different():
    drawn = chart(*(Series(str(k), [0, 1], [k, k]) for k in range(28)))
    looks = {(p.get("class"), p.get("stroke-dasharray")) for p in find(drawn, "path", "line")}
    assert len(looks) == 28


def test_logarithmic_axis_leaves_out_zero():
    drawn = chart(Series("a", [0, 1, 10, 100], [1, 2, 3, 4]), x_log=True)
    (line,) = find(drawn, "path", "line")
    x = [p[0] for p in points(line)]
    assert len(x) == 3
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.11)


def test_infinite_values_are_gaps():
    drawn = chart(Series("a", [0, 1, 2], [1, float("inf"), 2]))
    assert len(find(drawn, "circle")) == 2


def test_reference_line():
    drawn = chart(Series("a", [0, 1], [0, 1]), reference=("guessing", 0.25))
    assert "guessing: 0.25" in tips(drawn)
