import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.soundscape.members.contexts import cut_contexts, plan_contexts

RATE = 10


def starts_s(plan) -> list[float]:
    return (plan.starts / RATE).tolist()


def test_contexts_as_long_as_windows_are_the_windows() -> None:
    plan = plan_contexts(600, RATE, 5.0, [0, 2.5, 5, 55], 5.0)
    assert starts_s(plan) == [0, 2.5, 5, 55]
    (group,) = plan.groups
    assert group.own is not None
    assert group.own.tolist() == [0, 1, 2, 3]


def test_longer_contexts_begin_every_half_context_and_end_with_the_recording() -> None:
    # 53 s: 0, 10, 20, 30 fit; the one at 40 would reach 60 and is moved to 33.
    plan = plan_contexts(530, RATE, 20.0, np.arange(0, 50, 5.0), 5.0)
    assert starts_s(plan) == [0, 10, 20, 30, 33]


def test_a_hop_is_kept_and_shorter_contexts_are_padded_at_the_end() -> None:
    plan = plan_contexts(105, RATE, 3.0, [0, 5], 5.0, hop_s=2.5)
    assert starts_s(plan) == [0, 2.5, 5, 7.5]
    assert starts_s(plan_contexts(105, RATE, 3.0, [0, 5, 10], 5.0)) == [0, 3, 6, 9]


def test_only_contexts_that_overlap_a_window_are_heard_and_they_stay_where_they_are() -> None:
    whole = plan_contexts(600, RATE, 20.0, np.arange(0, 60, 5.0), 5.0, hop_s=10)
    part = plan_contexts(600, RATE, 20.0, [25.0], 5.0, hop_s=10)
    assert starts_s(whole) == [0, 10, 20, 30, 40]
    assert starts_s(part) == [10, 20]


def test_shifts_share_contexts_and_leave_out_what_reaches_outside() -> None:
    shifts = {-2.5: 0.25, 0.0: 0.5, 2.5: 0.25}
    plan = plan_contexts(150, RATE, 5.0, [0, 5, 10], 5.0, shifts=shifts)
    # Shifted by 2.5 s to either side the windows fall on the same places.
    assert starts_s(plan) == [0, 2.5, 5, 7.5, 10]
    before, own, after = plan.groups
    assert before.usable.tolist() == [False, True, True]
    assert own.usable.all()
    assert after.usable.tolist() == [True, True, False]
    assert plan_contexts(150, RATE, 5.0, [0], 5.0, shifts=list(shifts.items())).groups[0].weight


def test_a_long_context_that_is_shifted_stays_inside_the_recording() -> None:
    plan = plan_contexts(300, RATE, 20.0, [0, 25], 5.0, shifts={0.0: 1.0, -2.5: 1.0})
    moved = plan.groups[1]
    assert starts_s(plan) == [0, 7.5, 10]
    assert (plan.starts[moved.rows] / RATE).tolist() == [7.5]
    assert moved.usable.tolist() == [False, True]


@pytest.mark.parametrize("context_s", [5.0, 20.0])
def test_a_recording_shorter_than_a_context_is_one_padded_context(context_s: float) -> None:
    plan = plan_contexts(31, RATE, context_s, [0.0], 5.0)
    assert starts_s(plan) == [0]
    audio, valid = cut_contexts(np.ones(31, np.float32), plan.starts, plan.context_samples)
    assert audio.shape == (1, context_s * RATE)
    assert valid.tolist() == [31]
    assert audio.sum() == 31
    assert audio[0, :31].all()


def test_a_window_after_the_end_has_no_context() -> None:
    plan = plan_contexts(70, RATE, 5.0, [0, 5, 10], 5.0)
    assert starts_s(plan) == [0, 5]
    assert plan.groups[0].usable.tolist() == [True, True, False]
    assert len(plan_contexts(70, RATE, 20.0, [10.0], 5.0)) == 0


def test_cut_contexts_copies_samples_and_pads_the_last() -> None:
    audio, valid = cut_contexts(np.arange(1, 8, dtype=np.float32), np.array([0, 2, 5]), 4)
    assert audio.tolist() == [[1, 2, 3, 4], [3, 4, 5, 6], [6, 7, 0, 0]]
    assert valid.tolist() == [4, 4, 2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hop_s": 6.0}, "leave out audio"),
        ({"hop_s": 0.0}, "hop above 0"),
        ({"n_samples": 0}, "at least one sample"),
        ({"shifts": {2.5: 1.0}}, "one must be 0 s"),
        ({"shifts": {0.0: 0.0}}, "above 0"),
    ],
)
def test_settings_that_make_no_sense(changes: dict, words: str) -> None:
    given = {"n_samples": 100, "hop_s": None, "shifts": {0.0: 1.0}} | changes
    with pytest.raises(UserError, match=words):
        plan_contexts(given["n_samples"], RATE, 5.0, [0.0], 5.0, given["hop_s"], given["shifts"])
