"""Plans by hand: who is thinned, who is dropped, who comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.soundscape.run.budget import (
    DROPPED,
    LAST_THINNINGS,
    THINNINGS,
    Load,
    Work,
    by_importance,
    make_plan,
    projected,
)

BASE = Load("base", 1, 1.0)
MIDDLE = Load("middle", 2, 2.0)
HEAVY = Load("heavy", 3, 4.0)


def _work(seconds, windows=100.0, workers=1, **more):
    return Work(windows, seconds, workers, more.pop("shared", {}), **more)


@pytest.mark.parametrize(
    ("seconds", "plan"),
    [
        # 100 windows: base 100 s, middle 200 s, heavy 400 s; 700 s in full.
        (700.0, {"base": 1, "middle": 1, "heavy": 1}),
        (699.0, {"base": 1, "middle": 1, "heavy": 2}),
        (450.0, {"base": 1, "middle": 1, "heavy": 4}),
        (399.0, {"base": 1, "middle": 1, "heavy": DROPPED}),
        # Middle gives way by half only after heavy is gone; heavy at a quarter would be 300 s.
        (299.0, {"base": 1, "middle": 2, "heavy": DROPPED}),
        (150.0, {"base": 1, "middle": 4, "heavy": DROPPED}),
        (120.0, {"base": 1, "middle": DROPPED, "heavy": DROPPED}),
        (60.0, {"base": 2, "middle": DROPPED, "heavy": DROPPED}),
        # Base is kept even if the time is too short for it.
        (1.0, {"base": 16, "middle": DROPPED, "heavy": DROPPED}),
    ],
)
def test_members_give_way_by_priority(seconds, plan):
    loads = [HEAVY, BASE, MIDDLE]
    found = make_plan(loads, _work(seconds))
    assert dict(found.thinning) == plan
    assert found.fits == (seconds > 1.0)
    assert found.seconds == pytest.approx(projected(plan, loads, _work(seconds)))


def test_workers_share_the_work():
    assert projected({"base": 1}, [BASE], _work(None, workers=4)) == 25.0


def test_other_programs_make_it_take_longer():
    assert projected({"base": 1}, [BASE], _work(None, overhead=1.5)) == 150.0
    assert make_plan([BASE, MIDDLE], _work(300.0, overhead=1.5)).thinning["middle"] == 2
    assert make_plan([BASE, MIDDLE], _work(300.0)).thinning["middle"] == 1


def test_front_ends_are_paid_once_for_a_group_by_who_hears_most():
    one, two = Load("one", 1, 1.0, "mel"), Load("two", 2, 1.0, "mel")
    three = Load("three", 2, 1.0, "other")
    work = _work(None, shared={"mel": 0.5, "other": 0.25}, fixed=0.125)
    thinning = {"one": 2, "two": 4, "three": 1}
    # 0.125 read + 0.5 + 0.25 + 1 scored + 0.5 / 2 mel + 0.25 other, for each of 100 windows.
    assert projected(thinning, [one, two, three], work) == pytest.approx(237.5)
    assert projected(dict.fromkeys(thinning, DROPPED), [one, two, three], work) == 0.0


def test_what_was_given_up_comes_back_with_room_to_spare():
    loads = [BASE, MIDDLE, HEAVY]
    now = {"base": 1, "middle": DROPPED, "heavy": DROPPED}
    # Base and middle take 300 s: nine tenths of 320 s are not enough, of 340 s they are.
    assert dict(make_plan(loads, _work(320.0), now).thinning)["middle"] == 2
    assert dict(make_plan(loads, _work(340.0), now).thinning)["middle"] == 1
    assert dict(make_plan(loads, _work(10_000.0), now).thinning) == {
        "base": 1,
        "middle": 1,
        "heavy": 1,
    }


def test_a_plan_that_fits_stays_as_it_is():
    loads = [BASE, MIDDLE, HEAVY]
    now = {"base": 1, "middle": 1, "heavy": 4}
    # 400 s by this plan, 500 s by the next better one.
    for seconds in (400.0, 450.0, 540.0):
        assert dict(make_plan(loads, _work(seconds), now).thinning) == now


def test_cheap_members_come_back_when_an_expensive_one_is_gone():
    cheap = Load("cheap", 3, 0.1)
    dear = Load("dear", 2, 10.0)
    found = make_plan([BASE, dear, cheap], _work(130.0))
    assert dict(found.thinning) == {"base": 1, "dear": DROPPED, "cheap": 1}


def test_of_equal_priority_the_later_one_gives_way():
    first, second = Load("first", 1, 1.0), Load("second", 1, 1.0)
    assert [load.name for load in by_importance([first, second])] == ["first", "second"]
    assert dict(make_plan([first, second], _work(150.0)).thinning) == {"first": 1, "second": 2}


def test_without_a_deadline_everything_is_done():
    now = {"base": 4, "middle": DROPPED}
    assert dict(make_plan([BASE, MIDDLE], _work(None), now).thinning) == {"base": 1, "middle": 1}


def test_unmeasured_members_are_kept():
    unknown = Load("unknown", 9, None)
    assert make_plan([BASE, unknown], _work(200.0)).thinning["unknown"] == 1


def test_no_members_no_plan():
    assert dict(make_plan([], _work(10.0)).thinning) == {}


@given(
    st.lists(st.tuples(st.integers(1, 4), st.floats(0.001, 50)), min_size=1, max_size=6),
    st.floats(0, 1e4),
    st.data(),
)
def test_plans_hold_what_they_promise(members, seconds, data):
    loads = [Load(str(i), p, s, "g") for i, (p, s) in enumerate(members)]
    last = by_importance(loads)[0].name
    now = {
        load.name: data.draw(
            st.sampled_from(LAST_THINNINGS if load.name == last else (*THINNINGS, DROPPED))
        )
        for load in loads
    }
    work = _work(seconds, shared={"g": 0.5})
    plan = make_plan(loads, work, now)
    assert plan.thinning[last] != DROPPED
    if not plan.fits:
        # Then nothing more could be left out.
        assert [name for name, k in plan.thinning.items() if k != DROPPED] == [last]
        assert plan.thinning[last] == LAST_THINNINGS[-1]
    assert projected(plan.thinning, loads, work) == pytest.approx(plan.seconds)
    if projected(now, loads, work) <= seconds:
        # Nobody is asked for less than before when the plan in force fits.
        assert all(
            k != DROPPED and k <= now[name] if now[name] != DROPPED else True
            for name, k in plan.thinning.items()
        )
