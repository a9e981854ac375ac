import numpy as np

from antiphon.plots.colour import hex_colour
from antiphon.plots.heatmap import heatmap
from tests.plots.drawn import find, parse, words


def chart(values, columns=None, **options):
    values = np.asarray(values, float)
    columns = columns or [f"day {k}" for k in range(values.shape[1])]
    return heatmap(
        values,
        [f"{k}:00" for k in range(values.shape[0])],
        columns,
        label="Effort",
        x_title="date",
        y_title="hour",
        unit="h",
        **options,
    )


def cells(drawn):
    return {
        r[0].text: r.get("fill")
        for r in find(drawn, "rect")
        if len(r) and r[0].tag.endswith("title")
    }


def test_cells_have_the_colours_of_their_values():
    drawn = cells(chart([[0, 2], [1, np.nan]]))
    assert drawn == {
        "day 0, 0:00: 0 h": hex_colour(0),
        "day 1, 0:00: 2 h": hex_colour(1),
        "day 0, 1:00: 1 h": hex_colour(0.5),
    }


def test_row_zero_is_at_the_bottom():
    drawn = chart([[1], [2]])
    first, second = (float(r.get("y")) for r in find(drawn, "rect") if len(r))
    assert first > second


def test_many_cells_become_one_image():
    drawn = chart(np.ones((24, 365)))
    assert len(find(drawn, "image")) == 1
    assert not cells(drawn)
    assert len(drawn) < 20_000


def test_breaks_split_the_image_and_leave_a_gap():
    drawn = chart(np.ones((24, 100)), breaks=(60,))
    left, right = find(drawn, "image")
    assert float(right.get("x")) > float(left.get("x")) + float(left.get("width")) + 4
    assert len(find(drawn, "rect", "gap")) == 1


def test_few_columns_leave_room_for_the_words_of_the_colour_bar():
    drawn = chart([[1.0]], blank="not recorded on that day")
    (words_of_blank,) = [t for t in find(drawn, "text") if t.text == "not recorded on that day"]
    width = float(parse(drawn).get("viewBox").split()[2])
    assert float(words_of_blank.get("x")) + 7 * len(words_of_blank.text) <= width


def test_names_do_not_touch():
    drawn = chart(np.ones((24, 365)), columns=[f"2025-{k:05d}" for k in range(365)])
    names = sorted(
        float(t.get("x")) for t in find(drawn, "text") if (t.text or "").startswith("2025-")
    )
    assert len(names) >= 4
    assert min(np.diff(names)) > 60


def test_ticks_choose_the_names():
    drawn = chart(np.ones((2, 100)), ticks=(31, 62))
    assert {w for w in words(drawn) if w.startswith("day")} == {"day 0", "day 31", "day 62"}


def test_counts_have_whole_ticks():
    assert "0.5" not in words(chart([[0, 1], [1, 0]]))


def test_capped_scale_says_so():
    assert "≥ 2" in words(chart([[0, 4]], highest=2))


def test_nothing_known_is_said():
    assert "nothing to draw yet" in words(chart(np.full((2, 2), np.nan)))
    assert "nothing to draw yet" in words(chart(np.zeros((2, 0)), columns=["x"]))


def test_all_zero_is_drawn_dark():
    assert set(cells(chart([[0, 0]])).values()) == {hex_colour(0)}
