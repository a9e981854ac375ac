"""What members hear when they leave contexts out, against cases by hand."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.soundscape.members.member import MemberScores
from antiphon.soundscape.run.hearing import hearing, piece_scores
from antiphon.soundscape.run.job import MemberSpec
from tests.soundscape.run.fakes import RATE, Fake

MINUTE = np.arange(12) * 5.0


def _spec(**more):
    return MemberSpec("m", "m", lambda threads: Fake("m", ("a",)), **more)


def _hear(context_s=5.0, thinning=1, starts=MINUTE, samples=60 * RATE, **more):
    fake = Fake("m", ("a", "b"), context_s)
    return hearing(fake, _spec(**more), starts, 5.0, samples, thinning)


def _seconds(this):
    return (this.plan.starts / RATE).tolist()


def test_in_full_each_window_is_heard():
    this = _hear()
    assert _seconds(this) == MINUTE.tolist()
    assert this.heard.all()


def test_a_member_of_single_windows_leaves_windows_out():
    this = _hear(thinning=4)
    assert _seconds(this) == [0.0, 20.0, 40.0]
    assert np.flatnonzero(this.heard).tolist() == [0, 4, 8]
    # The stride of the ensemble's file comes on top.
    assert _seconds(_hear(thinning=2, stride=3)) == [0.0, 30.0]


def test_contexts_that_overlap_move_apart_before_anything_is_left_out():
    full = _hear(context_s=20.0, hop_s=5.0)
    assert _seconds(full) == [5.0 * k for k in range(9)]
    half = _hear(context_s=20.0, hop_s=5.0, thinning=2)
    assert _seconds(half) == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert half.heard.all()
    quarter = _hear(context_s=20.0, hop_s=5.0, thinning=4)
    assert _seconds(quarter) == [0.0, 20.0, 40.0]
    assert quarter.heard.all()
    eighth = _hear(context_s=20.0, hop_s=5.0, thinning=8)
    assert _seconds(eighth) == [0.0, 40.0]
    assert np.flatnonzero(eighth.heard).tolist() == [0, 1, 2, 3, 8, 9, 10, 11]


@pytest.mark.parametrize("context", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("thinning", [2, 4, 8, 16])
def test_thinning_saves_what_the_planner_counts_on(context, thinning):
    starts = np.arange(240) * 5.0
    samples = 1200 * RATE
    full = len(_hear(context, 1, starts, samples).plan)
    thin = len(_hear(context, thinning, starts, samples).plan)
    assert thin <= 1.1 * full / thinning + 1


def _said(this, values):
    return [MemberScores(np.array(values, np.float32)[:, None], None)]


def test_windows_left_out_lie_on_the_line_between_their_neighbours():
    this = _hear(thinning=4)
    scores = piece_scores(_said(this, [0.0, 0.8, 0.4]), [0, 1, 2], this, _spec())
    expected = [0, 0.2, 0.4, 0.6, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4, 0.4]
    assert scores[:, 0] == pytest.approx(expected)


def test_the_line_is_one_in_time():
    starts = np.array([0.0, 5.0, 20.0, 25.0])
    this = _hear(thinning=2, starts=starts)
    scores = piece_scores(_said(this, [0.0, 0.8]), [0, 1], this, _spec())
    assert scores[:, 0] == pytest.approx([0.0, 0.2, 0.8, 0.8])


def test_chunks_may_come_in_any_order():
    this = _hear()
    values = np.arange(12) / 20
    parts = [_said(this, values[6:])[0], _said(this, values[:6])[0]]
    scores = piece_scores(parts, [*range(6, 12), *range(6)], this, _spec())
    assert scores[:, 0] == pytest.approx(values)


def test_a_window_without_audio_has_no_score():
    this = _hear(samples=52 * RATE)
    scores = piece_scores(_said(this, np.full(11, 0.5)), list(range(11)), this, _spec())
    assert np.isnan(scores[11]).all()
    assert not np.isnan(scores[:11]).any()


@pytest.mark.parametrize(
    ("value", "said"),
    [(np.nan, "NaN"), (np.inf, "NaN or infinite"), (1.2, "to 1.2"), (-3.0, "from -3")],
)
def test_what_is_no_probability_is_refused(value, said):
    this = _hear()
    values = np.full(12, 0.5)
    values[7] = value
    with pytest.raises(ValueError, match=said):
        piece_scores(_said(this, values), list(range(12)), this, _spec())


def test_rounding_is_no_fault():
    this = _hear()
    scores = piece_scores(_said(this, np.full(12, 1 + 1e-5)), list(range(12)), this, _spec())
    assert scores.max() == 1.0
