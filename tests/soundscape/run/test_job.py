"""What the scoring process is told arrives as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.soundscape.run.job import Job, member_specs, read_job, write_job
from antiphon.soundscape.run.recordings import Recording
from antiphon.soundscape.run.rows import Piece


def test_a_job_is_read_as_it_was_written(tmp_path):
    one = Recording(
        Path("/a/x y.ogg"), "x y", 61.25, "/a/x y.ogg: cut.", 12, 1_700_000_000_000_000_001
    )
    two = Recording(Path("/a/ø.ogg"), "ø", 5.0)
    pieces = (
        Piece(one, np.array([3, 1]), np.array([0.0, 0.1])),
        Piece(one, np.array([2]), np.array([50.0])),
        Piece(two, np.array([0]), np.array([0.0])),
    )
    job = Job("m:f", Path("e.yaml"), Path("/j"), Path("/j/b"), pieces, 5.0, 3, 17.125, (2, 0))
    write_job(tmp_path / "job.json", job)
    found = read_job(tmp_path / "job.json")
    for name in (
        "members",
        "ensemble",
        "journal",
        "board",
        "window_s",
        "workers",
        "deadline",
        "alone",
    ):
        assert getattr(found, name) == getattr(job, name)
    for got, given in zip(found.pieces, pieces, strict=True):
        assert got.recording == given.recording
        assert got.rows.tolist() == given.rows.tolist()
        assert got.start_s.tolist() == given.start_s.tolist()


def test_threads_are_counted():
    path = Path("x")
    for workers, preparers in ((1, 1), (2, 1), (4, 2), (5, 3)):
        job = Job("m:f", path, path, path, (), 5.0, workers)
        assert job.preparers == preparers
        assert job.threads == workers + preparers + 1


@pytest.mark.parametrize("source", ["nowhere.at_all:f", "json:nothing", "json"])
def test_members_from_nowhere(source):
    with pytest.raises(UserError, match="MODULE:FUNCTION"):
        member_specs(source, Path("e.yaml"))
