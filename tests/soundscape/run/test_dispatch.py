"""Which piece is next under a simulated clock: slow members, slower machines, time to spare."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from antiphon.soundscape.run.dispatch import Dispatcher
from antiphon.soundscape.run.job import Job, MemberSpec
from antiphon.soundscape.run.preparing import Loaded
from antiphon.soundscape.run.recordings import Recording
from antiphon.soundscape.run.rows import Piece
from antiphon.soundscape.run.timings import Timings
from tests.soundscape.run.fakes import Fake


class World:
    """One worker that scores 12 windows a piece, each member at its own pace."""

    def __init__(self, paces, *, pieces=100, deadline=None, priorities=None, done=None, alone=()):
        recordings = [Recording(Path(f"/x/{i}.ogg"), str(i), 60.0) for i in range(pieces)]
        made = tuple(Piece(r, np.arange(12), np.arange(12) * 5.0) for r in recordings)
        path = Path("/none")
        job = Job("m:f", path, path, path, made, 5.0, 1, deadline, alone)
        self.paces, self.now, self.timings, self.changes = paces, 0.0, Timings(), []
        self.scored = []
        members = []
        for i in range(len(paces)):
            fake = Fake(f"m{i}", ("a",), front_end_key=str(i))
            priority = (priorities or range(1, 9))[i]
            spec = MemberSpec(fake.name, fake.name, Fake, priority)
            # The scoring process times each member on one context before it begins.
            self.timings.add(("score", i), 1, paces[i])
            members.append(Loaded(i, spec, fake))
        self.dispatcher = Dispatcher(
            job,
            members,
            self.timings,
            dict.fromkeys(range(len(paces)), 1.0),
            done or {},
            (),
            lambda before, now, work, seconds: self.changes.append((self.now, dict(now))),
            clock=lambda: self.now,
        )

    def run(self, at=None, most=10_000):
        """Do tasks until there are none; ``at`` changes paces when a time has come."""
        at = dict(at or {})
        for _ in range(most):
            for when in [w for w in at if w <= self.now]:
                self.paces = at.pop(when)
            task = self.dispatcher.next()
            if task is None:
                return self
            for member, thinning in task.thinning.items():
                if not self.dispatcher.still_wanted(member):
                    continue
                seconds = self.paces[member] * 12 / thinning
                self.now += seconds
                self.timings.add(("score", member), 12 / thinning, seconds)
                self.dispatcher.scored(task.piece, member, thinning)
                self.scored.append((task.piece, member, thinning))
            self.dispatcher.finished(task.piece)
        raise AssertionError("it does not end")

    def by(self, member):
        return [(piece, thinning) for piece, m, thinning in self.scored if m == member]


def test_without_a_deadline_everything_is_scored_once():
    world = World([0.1, 0.3]).run()
    assert sorted(world.scored) == [(p, m, 1) for p in range(100) for m in range(2)]
    assert world.changes == []


def test_pieces_come_in_order_with_the_member_kept_longest_first():
    world = World([0.1, 0.1, 0.1], pieces=2, priorities=[3, 1, 2]).run()
    assert [m for _, m, _ in world.scored] == [1, 2, 0, 1, 2, 0]


def test_a_slow_member_is_dropped_and_the_others_end_in_time():
    # m0: 100 * 12 * 0.05 = 60 s; m1 in full 1200 s, at a quarter 300 s.
    world = World([0.05, 1.0], deadline=200.0).run()
    assert {piece for piece, _ in world.by(0)} == set(range(100))
    assert all(thinning == 1 for _, thinning in world.by(0))
    assert world.now <= 200.0
    assert world.changes[0][1] == {"m0": 1, "m1": 0}
    # What is left of the time is used for the slow member in full, on some of the pieces.
    assert world.now > 170.0
    assert len({piece for piece, _ in world.by(1)}) > 5


def test_a_member_is_thinned_before_it_is_dropped():
    world = World([0.05, 0.2], deadline=180.0).run()
    assert {piece for piece, _ in world.by(0)} == set(range(100))
    assert {piece for piece, _ in world.by(1)} == set(range(100))
    assert {thinning for _, thinning in world.by(1)} >= {2}
    assert world.now <= 180.0


def test_a_machine_that_slows_down_changes_the_plan():
    calm = World([0.05, 0.1], deadline=200.0).run()
    assert calm.changes == []
    # From 60 s on everything takes three times as long.
    world = World([0.05, 0.1], deadline=200.0).run(at={60.0: [0.15, 0.3]})
    assert world.now <= 200.0
    assert {piece for piece, _ in world.by(0)} == set(range(100))
    assert world.changes
    assert world.changes[0][0] > 60.0


def test_what_was_dropped_comes_back_when_the_machine_recovers():
    world = World([0.5, 0.5], deadline=900.0).run(at={200.0: [0.05, 0.05]})
    assert world.changes[0][1]["m1"] != 1
    assert world.changes[-1][1]["m1"] == 1
    # In the end nothing is left out: the first pieces were scored again, in full.
    best = {}
    for piece, thinning in world.by(1):
        best[piece] = min(thinning, best.get(piece, 99))
    assert best == dict.fromkeys(range(100), 1)
    assert world.now <= 900.0


def test_the_last_member_is_thinned_and_goes_as_far_as_it_can():
    world = World([10.0], deadline=300.0).run()
    assert world.changes[0][1] == {"m0": 16}
    assert world.scored[0] == (0, 0, 16)
    # A task that began in time may end after it.
    assert world.now < 300.0 + 120.0


def test_nothing_is_handed_out_after_the_deadline():
    world = World([0.1], deadline=0.0)
    assert world.dispatcher.next() is None
    assert world.dispatcher.alone(0) is None
    assert not world.dispatcher.still_wanted(0)


def test_what_is_done_is_not_done_again():
    done = {p: {0: 1, 1: 1} for p in range(50)} | {50: {0: 1}, 51: {1: 4}}
    world = World([0.1, 0.1], done=done).run()
    assert not {(p, m) for p, m, _ in world.scored} & {(p, m) for p in range(50) for m in (0, 1)}
    assert world.by(1)[0] == (50, 1)
    # What an earlier call thinned is scored in full at the end.
    assert world.scored[-1] == (51, 1, 1)


def test_a_member_that_cannot_score_a_piece_is_not_asked_again():
    world = World([0.1, 0.1], pieces=3)
    world.dispatcher.refuse(1, 0)
    world.run()
    assert [piece for piece, _ in world.by(0)] == [0, 2]
    assert [piece for piece, _ in world.by(1)] == [0, 1, 2]


def test_a_member_that_is_given_up_is_not_asked_again():
    world = World([0.1, 0.1], pieces=3)
    assert dict(world.dispatcher.next().thinning) == {0: 1, 1: 1}
    world.dispatcher.drop(0)
    assert not world.dispatcher.still_wanted(0)
    assert dict(world.dispatcher.next().thinning) == {1: 1}


def test_what_is_under_way_is_not_handed_out_twice():
    world = World([0.1, 0.1], pieces=1)
    task = world.dispatcher.next()
    found = []
    thread = threading.Thread(target=lambda: found.append(world.dispatcher.next()))
    thread.start()
    # It waits, because the piece may come back with something left out; here nothing is.
    for member in (0, 1):
        world.dispatcher.scored(task.piece, member, 1)
    assert not found
    world.dispatcher.finished(task.piece)
    thread.join()
    assert found == [None]


def test_who_waits_is_let_go_when_the_rest_is_called_off():
    world = World([0.1], pieces=1)
    world.dispatcher.next()
    found = []
    thread = threading.Thread(target=lambda: found.append(world.dispatcher.next()))
    thread.start()
    world.dispatcher.close()
    thread.join()
    assert found == [None]


def test_pieces_to_be_done_alone_are_not_handed_out():
    world = World([0.1], pieces=3, alone=(1,)).run()
    assert [piece for piece, _ in world.by(0)] == [0, 2]
    assert world.dispatcher.alone(1).thinning == {0: 1}


@pytest.mark.parametrize("slow", [0.02, 0.2, 2.0, 20.0])
@pytest.mark.parametrize("budget", [50.0, 500.0])
def test_whatever_the_pace_the_first_member_is_served(slow, budget):
    world = World([0.02, slow], deadline=budget).run()
    assert {piece for piece, _ in world.by(0)} == set(range(100))
