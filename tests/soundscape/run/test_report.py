"""Exit codes and words of a run."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from antiphon.soundscape.run.assembling import Assembled
from antiphon.soundscape.run.report import (
    COMPLETE,
    EXIT_CODES,
    INTERRUPTED,
    PARTIAL,
    PRIORS,
    REDUCED,
    exit_code,
    member_rows,
    summary,
)
from antiphon.soundscape.run.supervise import Watched


def _assembled(heard, full):
    return Assembled(
        np.zeros((len(heard), 1)), np.array(heard, bool), np.array(full, bool), Counter(), {}
    )


@pytest.mark.parametrize(
    ("heard", "full", "ending", "code"),
    [
        ([1, 1], [1, 1], "done", COMPLETE),
        ([1, 1], [1, 1], "deadline", COMPLETE),
        ([1, 1], [1, 0], "done", REDUCED),
        ([1, 0], [1, 0], "done", PARTIAL),
        ([1, 0], [0, 0], "deadline", PARTIAL),
        ([0, 0], [0, 0], "deadline", PRIORS),
        ([0, 0], [0, 0], "gave up", PRIORS),
        ([1, 1], [1, 1], "interrupted", INTERRUPTED),
    ],
)
def test_exit_codes(heard, full, ending, code):
    assert exit_code(_assembled(heard, full), Watched(ending)) == code
    assert code in EXIT_CODES


def test_the_summary_says_what_a_reader_must_know():
    member = {
        "name": "cnn",
        "priority": 2,
        "windows": 10,
        "windows_thinned": 4,
        "windows_before": 0,
        "seconds": 1.5,
        "windows_per_second": 6.7,
        "given_up": "",
        "failed_pieces": 2,
        "why_failed": {"no memory": 2},
    }
    report = {
        "out": "s.csv",
        "status": "partial",
        "meaning": "some rows have no score of any member",
        "seconds": 5000.0,
        "budget_s": 5400.0,
        "workers": 1,
        "rows": {
            "all": 7200,
            "in_full": 7000,
            "reduced": 100,
            "without_score": 100,
            "why": {f"{i}.ogg: is empty": 10 for i in range(10)},
        },
        "speed": {"times_real_time": 7.2},
        "plans": [{"windows_left": 3000, "now": {"cnn": 2, "probe": 0, "sed": 1}}],
        "members": [member, member | {"name": "probe", "given_up": "It died."}],
        "crashes": ["The scoring process died (SIGSEGV)."],
        "notes": ["A note."],
    }
    counts = (
        "7,200 rows: 7,000 in full, 100 reduced, 100 without a score; 83.3 min of 90.0 min, "
        "7 times real time on 1 core."
    )
    assert summary(report) == [
        "s.csv: partial, some rows have no score of any member.",
        counts,
        *(f"10 rows without a score: {i}.ogg: is empty" for i in range(8)),
        "2 further reasons are in the report.",
        "Plan at 3,000 windows left: cnn every 2nd context, probe left out, sed in full.",
        "cnn failed on 2 pieces: no memory",
        "probe was given up: It died.",
        "The scoring process died (SIGSEGV).",
        "A note.",
    ]
    assert member_rows(report)[0] == ["cnn", 2, 10, 4, 0, 1.5, 6.7]
