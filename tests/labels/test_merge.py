from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.labels.merge import merge_windows

ROW = st.tuples(
    st.integers(0, 2),  # recording
    st.integers(0, 30),  # start, eighths of a second
    st.integers(0, 8),  # length
    st.integers(-1, 1),  # channel
    st.sampled_from(["a", "b"]),
    st.integers(0, 4),  # score
)


def brute_force(rows: list[tuple[Any, ...]], gap: float) -> set[tuple[Any, ...]]:
    spans = [
        (rec, start / 8, (start + length) / 8, ch, label, score, 1)
        for rec, start, length, ch, label, score in rows
    ]
    while True:
        for i, one in enumerate(spans):
            for j in range(i + 1, len(spans)):
                two = spans[j]
                same = (one[0], one[3], one[4]) == (two[0], two[3], two[4])
                if same and max(one[1], two[1]) <= min(one[2], two[2]) + gap:
                    joined = (
                        *(one[0], min(one[1], two[1]), max(one[2], two[2]), *one[3:5]),
                        *(max(one[5], two[5]), one[6] + two[6]),
                    )
                    spans = [s for k, s in enumerate(spans) if k not in (i, j)] + [joined]
                    break
            else:
                continue
            break
        else:
            return set(spans)


@given(st.lists(ROW, max_size=14), st.sampled_from([0.0, 0.125, 0.5]))
def test_agrees_with_joining_pair_by_pair(rows: list[tuple[Any, ...]], gap: float) -> None:
    rec, start, length, ch, label, score = zip(*rows, strict=True) if rows else ([],) * 6
    start_s = np.array(start, dtype=float) / 8
    end_s = start_s + np.array(length, dtype=float) / 8
    scores = np.array(score, dtype=np.float32)
    out = merge_windows(rec, start_s, end_s, ch, np.array(label, dtype=str), scores, gap)
    columns = (out.recording_id, out.start_s, out.end_s, out.channel, out.label, out.score)
    found = list(zip(*(c.tolist() for c in (*columns, out.windows)), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == brute_force(rows, gap)
    assert found == sorted(found, key=lambda s: (s[0], s[3], s[4], s[1]))
    for span, best in zip(found, out.best, strict=True):
        assert (rec[best], ch[best], label[best], score[best]) == (
            *(span[0], span[3], span[4]),
            span[5],
        )
        assert span[1] <= start_s[best] <= end_s[best] <= span[2]


def test_touching_survives_the_rounding_of_the_hop() -> None:
    start = np.arange(100_000) * 0.96
    zeros = np.zeros(len(start), dtype=int)
    out = merge_windows(zeros, start, start + 0.96, zeros, zeros, zeros)
    assert out.windows.tolist() == [100_000]
    assert out.end_s[0] == pytest.approx(96_000, abs=1e-6)


def test_a_short_window_inside_a_long_one_does_not_cut_the_span() -> None:
    out = merge_windows([1] * 3, [0, 1, 4], [5, 2, 6], [-1] * 3, [0] * 3, [0.1, 0.9, 0.9])
    assert (out.start_s.tolist(), out.end_s.tolist()) == ([0.0], [6.0])
    assert out.best.tolist() == [1]


@pytest.mark.parametrize(
    "change", [{"end_s": [0.0]}, {"end_s": [np.nan]}, {"score": [np.nan]}, {"gap_s": -1.0}]
)
def test_impossible_input_is_refused(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "recording_id": [1],
        "start_s": [1.0],
        "end_s": [2.0],
        "channel": [0],
        "label": [0],
        "score": [0.5],
    }
    with pytest.raises(ValueError, match="must not be NaN"):
        merge_windows(**good | change)
    with pytest.raises(ValueError, match="one length"):
        merge_windows(**good | {"score": [0.1, 0.2]})
