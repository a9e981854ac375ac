"""Contexts are prepared once for all members that hear the same."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from antiphon.errors import AudioError
from antiphon.soundscape.run.activity import ActivityBoard
from antiphon.soundscape.run.job import MemberSpec
from antiphon.soundscape.run.preparing import CHUNK, Loaded, Preparer
from antiphon.soundscape.run.recordings import look_at
from antiphon.soundscape.run.rows import pieces_of, rows_from_recordings
from antiphon.soundscape.run.timings import Timings
from tests.soundscape.run.fakes import RATE, Fake, write_recordings


class Counting(Fake):
    """Counts the contexts that it prepares."""

    counts: ClassVar[dict[str, int]] = {}

    def prepare(self, audio, valid):
        self.counts[self.name] = self.counts.get(self.name, 0) + len(audio)
        return super().prepare(audio, valid)


@pytest.fixture
def preparer(tmp_path):
    Counting.counts.clear()
    return Preparer(5.0, ActivityBoard.create(tmp_path / "board", 1), Timings())


def _piece(tmp_path, seconds=60.0, rate=RATE):
    folder = write_recordings(tmp_path, {"x": 0.5}, seconds, rate)
    rows = rows_from_recordings({"x": look_at(folder / "x.wav")}, 5.0, 5.0)
    return pieces_of(rows)[0]


def _loaded(number, hop_s=None, **more):
    fake = Counting(f"m{number}", ("a",), **more)
    return Loaded(number, MemberSpec(fake.name, fake.name, lambda threads: fake, hop_s=hop_s), fake)


def test_members_of_one_front_end_share_what_is_prepared(preparer, tmp_path):
    wanted = {0: (_loaded(0), 1), 1: (_loaded(1), 1), 2: (_loaded(2, front_end_key="other"), 1)}
    ready = preparer.prepare(7, _piece(tmp_path), wanted)
    assert Counting.counts == {"m0": 12, "m2": 12}
    assert [chunk.members for chunk in ready.chunks] == [(0, 1), (2,)]
    assert ready.number == 7


def test_a_thinned_member_shares_with_the_others_too(preparer, tmp_path):
    wanted = {0: (_loaded(0), 1), 1: (_loaded(1), 4)}
    ready = preparer.prepare(0, _piece(tmp_path), wanted)
    assert sum(Counting.counts.values()) == 12
    chunks, order = ready.of(1)
    assert [chunk.starts.tolist() for chunk in chunks] == [[0, 20_000, 40_000]]
    assert order == [0, 1, 2]
    chunks, order = ready.of(0)
    assert sorted(order) == list(range(12))
    found = np.concatenate([chunk.starts for chunk in chunks])
    assert ready.hearings[0].plan.starts[order].tolist() == found.tolist()


def test_other_contexts_are_prepared_apart(preparer, tmp_path):
    wanted = {0: (_loaded(0), 1), 1: (_loaded(1, context_s=20.0, hop_s=5.0), 1)}
    preparer.prepare(0, _piece(tmp_path), wanted)
    assert Counting.counts == {"m0": 12, "m1": 9}


def test_many_contexts_come_in_chunks(preparer, tmp_path):
    ready = preparer.prepare(0, _piece(tmp_path, 200.0), {0: (_loaded(0), 1)})
    assert [len(chunk.starts) for chunk in ready.chunks] == [CHUNK, CHUNK, 40 - 2 * CHUNK]


def test_each_rate_is_read_for_itself(preparer, tmp_path):
    wanted = {0: (_loaded(0), 1), 1: (_loaded(1, sample_rate=2 * RATE), 1)}
    ready = preparer.prepare(0, _piece(tmp_path, rate=1500), wanted)
    assert ready.hearings[0].plan.n_samples == 60_000
    assert ready.hearings[1].plan.n_samples == 120_000
    assert len(ready.chunks) == 2


def test_a_front_end_that_fails_is_told_of(preparer, tmp_path):
    class Broken(Fake):
        def prepare(self, audio, valid):
            raise RuntimeError("no spectrum")

    fake = Broken("m", ("a",))
    loaded = Loaded(0, MemberSpec("m", "m", lambda threads: fake), fake)
    ready = preparer.prepare(0, _piece(tmp_path), {0: (loaded, 1)})
    assert ready.chunks[0].prepared is None
    assert ready.chunks[0].failure == "RuntimeError: no spectrum"


def test_a_recording_that_is_gone(preparer, tmp_path):
    piece = _piece(tmp_path)
    piece.recording.path.unlink()
    with pytest.raises(AudioError, match="no such file"):
        preparer.prepare(0, piece, {0: (_loaded(0), 1)})
