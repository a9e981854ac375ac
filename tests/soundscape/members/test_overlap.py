import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.soundscape.members.contexts import plan_contexts
from antiphon.soundscape.members.member import MemberScores
from antiphon.soundscape.members.overlap import (
    window_scores,
    windows_from_clips,
    windows_from_contexts,
)

SHIFTS = {-2.5: 0.25, 0.0: 0.5, 2.5: 0.25}


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_frames_are_averaged_over_contexts_before_a_window_takes_the_largest() -> None:
    # Two contexts of 10 s, five frames of 2 s each, the second one 4 s later:
    #   first   [0,2)=.1 [2,4)=.2 [4,6)=.9 [6,8)=.3 [8,10)=.4
    #   second                    [4,6)=.1 [6,8)=.5 [8,10)=.2 [10,12)=.8 [12,14)=0
    # so the mean is .1 .2 .5 .4 .3 .8 0 for the seven spans of 2 s.
    frames = np.stack([column(0.1, 0.2, 0.9, 0.3, 0.4), column(0.1, 0.5, 0.2, 0.8, 0.0)])
    windows = [0.0, 4.0, 8.0, 10.0]
    found = windows_from_contexts(frames, [0, 4], 10.0, windows, 4.0)
    np.testing.assert_allclose(found[:, 0], [0.2, 0.5, 0.8, 0.8], atol=1e-7)
    found = windows_from_contexts(frames, [0, 4], 10.0, windows, 4.0, "mean")
    np.testing.assert_allclose(found[:, 0], [0.15, 0.45, 0.55, 0.4], atol=1e-7)


def test_a_window_across_frames_reads_them_at_points_no_further_apart_than_they_are() -> None:
    # Frames of 2 s; the window [3, 6) is read at 3.75 and 5.25 s: frames [2,4) and [4,6).
    frames = column(0.1, 0.7, 0.4, 0.9, 0.2)[None]
    assert windows_from_contexts(frames, [0], 10.0, [3.0], 3.0)[0, 0] == np.float32(0.7)
    # A frame longer than the window: the one that holds the window's middle.
    assert windows_from_contexts(frames, [0], 10.0, [6.5], 1.0)[0, 0] == np.float32(0.9)


def test_padding_is_not_read_and_a_window_nobody_heard_is_nan() -> None:
    frames = column(0.1, 0.2, 0.9)[None]
    found = windows_from_contexts(frames, [0], 3.0, [0.0, 1.0, 5.0], 2.0, end_s=2.0)
    np.testing.assert_array_equal(found[:, 0], np.array([0.2, 0.2, np.nan], np.float32))


def test_a_last_window_of_little_audio_has_a_score() -> None:
    # 55.1 s: the window at 55 s is read at 55.25 s and later, all of it padding.
    for context_s, hop_s in ((10.0, None), (5.0, 2.5), (5.0, None)):
        plan = plan_contexts(55_100, 1000, context_s, [50.0, 55.0], 5.0, hop_s)
        frames = np.full((len(plan), round(2 * context_s), 1), 0.3, np.float32)
        np.testing.assert_allclose(window_scores(MemberScores(None, frames), plan)[:, 0], 0.3)


def test_averages_of_ones_stay_at_one() -> None:
    frames = np.ones((7, 10, 2), np.float32)
    found = windows_from_contexts(frames, np.arange(7) * 0.3, 2.0, [0.0, 1.0], 1.0)
    assert (found == 1).all()


def test_clips_are_weighted_by_their_overlap() -> None:
    # Window [0, 5) holds 3 s of [0, 3) and 2 s of [3, 6); window [5, 10): 1, 3 and 1 s.
    clips = column(0.2, 0.7, 0.4, 1.0)
    found = windows_from_clips(clips, [0, 3, 6, 9], 3.0, [0.0, 5.0], 5.0)
    expected = [(3 * 0.2 + 2 * 0.7) / 5, (1 * 0.7 + 3 * 0.4 + 1 * 1.0) / 5]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_five_second_contexts_every_half_give_a_quarter_a_half_and_a_quarter() -> None:
    clips = column(0.1, 0.8, 0.3)
    found = windows_from_clips(clips, [0, 2.5, 5], 5.0, [2.5], 5.0)
    np.testing.assert_allclose(found[0, 0], 0.25 * 0.1 + 0.5 * 0.8 + 0.25 * 0.3, rtol=1e-6)


def test_shifts_weigh_the_moved_windows_and_the_edges_share_out_what_is_missing() -> None:
    plan = plan_contexts(150, 10, 5.0, [0, 5, 10], 5.0, shifts=SHIFTS)
    # Contexts at 0, 2.5, 5, 7.5 and 10 s.
    scores = MemberScores(column(0.1, 0.2, 0.3, 0.4, 0.9), None)
    expected = [
        (0.5 * 0.1 + 0.25 * 0.2) / 0.75,
        0.25 * 0.2 + 0.5 * 0.3 + 0.25 * 0.4,
        (0.25 * 0.4 + 0.5 * 0.9) / 0.75,
    ]
    np.testing.assert_allclose(window_scores(scores, plan)[:, 0], expected, rtol=1e-6)


def test_clip_frames_and_both_are_what_they_say() -> None:
    plan = plan_contexts(100, 10, 5.0, [0, 5], 5.0)
    frames = np.stack([column(0.2, 0.6), column(0.5, 0.1)])
    scores = MemberScores(column(0.4, 0.3), frames)
    found = {use: window_scores(scores, plan, "max", use)[:, 0] for use in ("clip", "frames")}
    np.testing.assert_allclose(found["clip"], [0.4, 0.3])
    np.testing.assert_allclose(found["frames"], [0.6, 0.5])
    np.testing.assert_allclose(window_scores(scores, plan)[:, 0], found["frames"])
    np.testing.assert_allclose(window_scores(scores, plan, "max", "both")[:, 0], [0.5, 0.4])
    np.testing.assert_allclose(window_scores(scores, plan, "mean")[:, 0], [0.4, 0.3])


def test_scores_that_are_not_there() -> None:
    plan = plan_contexts(100, 10, 5.0, [0, 5], 5.0)
    with pytest.raises(UserError, match="only those of clips"):
        window_scores(MemberScores(column(0.4, 0.3), None), plan, "max", "both")
    with pytest.raises(UserError, match="only those of frames"):
        window_scores(MemberScores(None, column(0.4, 0.3)[..., None]), plan, "max", "clip")
    with pytest.raises(ValueError, match="1 scores for 2 contexts"):
        window_scores(MemberScores(column(0.4), None), plan)


def test_a_partial_last_window_leaves_out_the_frames_of_its_padding() -> None:
    # 8 s: the second window [5, 10) holds 3 s of audio, its frames of 1 s are heard up to 8 s.
    plan = plan_contexts(80, 10, 5.0, [0, 5, 10], 5.0)
    frames = np.stack([column(0, 0, 0, 0, 0.1), column(0.1, 0.2, 0.3, 0.8, 0.9)])
    found = window_scores(MemberScores(None, frames), plan)[:, 0]
    np.testing.assert_array_equal(found, np.array([0.1, 0.3, np.nan], np.float32))


def test_a_score_does_not_depend_on_the_windows_asked_for_with_it() -> None:
    rng = np.random.default_rng(0)
    starts = np.arange(0, 60, 2.5)
    whole = plan_contexts(600, 10, 20.0, starts, 5.0, hop_s=5.0, shifts=SHIFTS)
    frames = rng.uniform(size=(len(whole), 13, 4)).astype(np.float32)
    found = window_scores(MemberScores(None, frames), whole)
    one = plan_contexts(600, 10, 20.0, starts[7:8], 5.0, hop_s=5.0, shifts=SHIFTS)
    rows = np.searchsorted(whole.starts, one.starts)
    assert (whole.starts[rows] == one.starts).all()
    alone = window_scores(MemberScores(None, frames[rows]), one)
    np.testing.assert_array_equal(alone, found[7:8])
