"""Who did what when a process died."""

from __future__ import annotations

import threading

from antiphon.soundscape.run.activity import Activity, ActivityBoard, crashed, overdue


def test_each_thread_has_a_row(tmp_path):
    ActivityBoard.create(tmp_path / "board", 2)
    board = ActivityBoard(tmp_path / "board", 2)
    parent = ActivityBoard(tmp_path / "board", 2)
    with board.at("reading", piece=4):
        seen = []

        def other():
            with board.at("scoring", 1, 9):
                seen.extend(parent.busy())

        thread = threading.Thread(target=other)
        thread.start()
        number = thread.ident
        thread.join()
    assert {(a.doing, a.member, a.piece) for a in seen} == {("reading", -1, 4), ("scoring", 1, 9)}
    assert {a.thread for a in seen} == {threading.get_ident(), number}
    assert parent.busy() == []


def test_what_is_forgotten(tmp_path):
    board = ActivityBoard.create(tmp_path / "board", 1)
    with board.at("loading", 0):
        board.clear()
        assert board.busy() == []


BUSY = [
    Activity(0x7F01, "scoring", 0, 3, 100.0),
    Activity(0x7F02, "scoring", 1, 4, 90.0),
    Activity(0x7F03, "reading", -1, 5, 120.0),
]


def test_the_trace_names_the_thread():
    said = (
        "Fatal Python error: Segmentation fault\n\n"
        "Thread 0x0000000000007f01 (most recent call first):\n  ...\n\n"
        "Current thread 0x0000000000007f02 (most recent call first):\n  ...\n"
    )
    assert crashed(BUSY, said) == [BUSY[1]]


def test_without_a_trace_all_are_suspects():
    assert crashed(BUSY, "") == BUSY
    # A thread of a library's own is none of ours.
    assert crashed(BUSY, "Current thread 0x0000000000009999 (most recent call first):") == BUSY


def test_what_takes_too_long():
    limits = {"scoring": 5.0, "reading": 50.0}
    assert overdue(BUSY, 104.0, limits) == [BUSY[1]]
    assert overdue(BUSY, 106.0, limits) == [BUSY[1], BUSY[0]]
    assert overdue(BUSY, 200.0, {"loading": 1.0}) == []


def test_a_row_that_is_half_written_does_not_hang():
    assert overdue([Activity(0x7F01, "scoring", 0, 3, 0.0)], 1000.0, {"scoring": 5.0}) == []
