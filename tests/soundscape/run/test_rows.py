"""Rows from durations and from samples, and their pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.soundscape.run.recordings import Recording
from antiphon.soundscape.run.rows import (
    pieces_of,
    rows_from_recordings,
    rows_from_sample,
    windows_of,
)


def _found(**durations):
    return {s: Recording(Path(f"/x/{s}.ogg"), s, d) for s, d in durations.items()}


def _bad(stem, duration=0.0):
    return {stem: Recording(Path(f"/x/{stem}.ogg"), stem, duration, f"/x/{stem}.ogg: is broken.")}


@pytest.mark.parametrize(
    ("duration", "hop", "starts"),
    [
        (60.0, 5.0, [5.0 * k for k in range(12)]),
        # An encoder's rounding makes no thirteenth window; a second does.
        (60.02, 5.0, [5.0 * k for k in range(12)]),
        (61.0, 5.0, [5.0 * k for k in range(13)]),
        (59.97, 5.0, [5.0 * k for k in range(12)]),
        (3.0, 5.0, [0.0]),
        (0.0, 5.0, []),
        (10.0, 2.5, [0.0, 2.5, 5.0]),
        (5.3, 0.1, [0.0, 0.1, 0.2, 0.3]),
    ],
)
def test_windows_of_a_recording(duration, hop, starts):
    assert windows_of(duration, 5.0, hop).tolist() == starts


def test_no_window_begins_in_the_gap_after_the_end():
    # Windows of 5 s every 10 s: the first 10 s have one, whatever follows it.
    assert windows_of(6.0, 5.0, 10.0).tolist() == [0.0]
    assert windows_of(10.0, 5.0, 10.0).tolist() == [0.0]
    assert windows_of(12.0, 5.0, 10.0).tolist() == [0.0, 10.0]


@given(st.floats(0.01, 500), st.sampled_from([0.5, 2.5, 5.0]))
def test_windows_cover_all_but_a_remainder(duration, hop):
    starts = windows_of(duration, 5.0, hop)
    assert starts[0] == 0
    assert np.allclose(np.diff(starts), hop)
    assert starts[-1] < duration
    assert starts[-1] + 5.0 >= duration - 0.1 * hop - 1e-6


def test_rows_are_named_by_stem_and_end_second():
    rows = rows_from_recordings(_found(a=10.0, b=4.0), 5.0, 2.5)
    assert rows.names == ("a_5", "a_7.5", "a_10", "b_5")
    assert rows.start_s.tolist() == [0.0, 2.5, 5.0, 0.0]
    assert rows.stem == ("a", "a", "a", "b")
    assert not rows.unreachable


def test_what_cannot_be_read_gets_as_many_rows_as_the_others():
    recordings = _found(a=20.0, b=20.0, c=5.0) | _bad("d") | _bad("e", 7.0)
    rows = rows_from_recordings(recordings, 5.0, 5.0)
    of = {s: [n for n, t in zip(rows.names, rows.stem, strict=True) if t == s] for s in "abcde"}
    assert of["d"] == ["d_5", "d_10", "d_15", "d_20"]
    assert of["e"] == ["e_5", "e_10", "e_15", "e_20"]
    assert of["c"] == ["c_5"]
    lost = [rows.names[i] for i in rows.unreachable]
    assert lost == ["d_5", "d_10", "d_15", "d_20", "e_15", "e_20"]
    assert set(rows.unreachable.values()) == {"/x/d.ogg: is broken.", "/x/e.ogg: is broken."}


def test_nothing_but_broken_recordings_have_a_row_each():
    rows = rows_from_recordings(_bad("d") | _bad("e"), 5.0, 5.0)
    assert rows.names == ("d_5", "e_5")
    assert len(rows.unreachable) == 2


def test_a_sample_decides_rows_and_their_order():
    recordings = _found(a=10.0, b=10.0, z=10.0) | _bad("c")
    names = ["b_10", "a_5", "b_5", "gone_5", "c_5", "a_15", "a_3"]
    rows = rows_from_sample(names, recordings, 5.0, 5.0)
    assert rows.names == tuple(names)
    assert rows.source == "sample"
    assert rows.unused == ("/x/z.ogg",)
    reasons = {names[i]: why for i, why in rows.unreachable.items()}
    assert reasons == {
        "gone_5": "gone: there is no such recording in the folder.",
        "c_5": "/x/c.ogg: is broken.",
        "a_15": "/x/a.ogg: ends after 10.0 s, before this window.",
        "a_3": "a: a window of 5 s would begin before the recording does.",
    }
    assert [p.rows.tolist() for p in pieces_of(rows)] == [[2, 0], [1]]


def test_a_sample_of_other_recordings_decides_nothing():
    rows = rows_from_sample(["public_5", "public_10"], _found(a=10.0), 5.0, 5.0)
    assert rows.names == ("a_5", "a_10")
    assert rows.source == "recordings"


def test_a_sample_without_recordings_gives_its_rows():
    rows = rows_from_sample(["public_5", "public_10"], {}, 5.0, 5.0)
    assert rows.names == ("public_5", "public_10")
    assert len(rows.unreachable) == 2
    assert pieces_of(rows) == []


def test_long_recordings_are_cut_into_pieces():
    rows = rows_from_recordings(_found(day=3600.0, minute=60.0), 5.0, 5.0)
    pieces = pieces_of(rows, most=60, longest_s=200.0)
    assert max(len(p) for p in pieces) == 40
    assert max(p.start_s[-1] + 5 - p.start_s[0] for p in pieces) == 200.0
    assert np.concatenate([p.rows for p in pieces]).tolist() == list(range(len(rows)))
    assert [len(p) for p in pieces_of(rows, most=7, longest_s=1e9)][:2] == [7, 7]
    # A window longer than a piece may span is a piece of its own.
    assert {len(p) for p in pieces_of(rows, longest_s=4.0)} == {1}
