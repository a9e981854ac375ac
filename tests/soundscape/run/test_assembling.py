"""The file, put together from what a journal holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.soundscape.ensemble.config import read_ensemble
from antiphon.soundscape.run.assembling import NO_MEMBER, NOT_REACHED, Assembler
from antiphon.soundscape.run.journal import JournalWriter, piece_key
from antiphon.soundscape.run.recordings import Recording
from antiphon.soundscape.run.results import Results
from antiphon.soundscape.run.rows import pieces_of, rows_from_recordings
from antiphon.soundscape.run.submission import Sample
from tests.soundscape.run.fakes import specs, write_ensemble

CLASSES = ("a", "b", "c")


class Case:
    """Three recordings of two windows, the last one broken, and two members."""

    def __init__(self, folder: Path, **more):
        found = {s: Recording(Path(f"/x/{s}.ogg"), s, 10.0) for s in "xy"}
        found["z"] = Recording(Path("/x/z.ogg"), "z", 0.0, "/x/z.ogg: is broken.")
        self.rows = rows_from_recordings(found, 5.0, 5.0)
        self.pieces = pieces_of(self.rows)
        given = {"unreached": "prior", "prior": 0.25} | more
        self.ensemble = write_ensemble(folder / "e", {"m": {}, "n": {}}, CLASSES, **given)
        self.specs = specs(self.ensemble)
        self.folder, self.out = folder / "run", folder / "out.csv"
        self.results = Results(self.folder, self.pieces, self.specs, 5.0)

    def assembler(self, sample=None):
        return Assembler(read_ensemble(self.ensemble), self.rows, self.out, sample)

    def journal(self, *blocks, classes=CLASSES, notes=()):
        """Write blocks ``(piece, member, scores, thinning)`` and read them."""
        with JournalWriter(self.folder) as journal:
            for spec in self.specs:
                journal.note("loaded", member=spec.key, classes=list(classes))
            for piece, member, scores, thinning in blocks:
                journal.add(
                    piece_key(self.pieces[piece], 5.0),
                    self.specs[member].key,
                    np.array(scores, np.float32),
                    thinning=thinning,
                    seconds=0.1,
                )
            for kind, piece, member in notes:
                facts = {} if piece is None else {"piece": piece_key(self.pieces[piece], 5.0)}
                facts |= {} if member is None else {"member": self.specs[member].key}
                journal.note(kind, reason=f"{kind} it", **facts)
        self.results.update()
        return self


ONE = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
TWO = [[0.3, 0.4, 0.5], [0.8, 0.7, 0.6]]


def test_before_anything_is_scored_there_are_priors(tmp_path):
    case = Case(tmp_path)
    case.assembler().write_priors()
    found = read_scores(case.out)
    assert found.rows == ("x_5", "x_10", "y_5", "y_10", "z_5", "z_10")
    assert (found.score == 0.25).all()


def test_members_are_blended_as_far_as_they_spoke(tmp_path):
    case = Case(tmp_path).journal((0, 0, ONE, 1), (0, 1, TWO, 1), (1, 0, TWO, 4))
    got = case.assembler().write(case.results)
    expected = np.full((6, 3), 0.25)
    expected[:2] = [[0.2, 0.3, 0.4], [0.6, 0.6, 0.6]]
    expected[2:4] = TWO
    assert read_scores(case.out).score == pytest.approx(expected, abs=1e-6)
    assert got.heard.tolist() == [True] * 4 + [False] * 2
    assert got.full.tolist() == [True] * 2 + [False] * 4
    assert got.reasons == {"/x/z.ogg: is broken.": 2}


def test_classes_come_in_the_order_of_the_sample(tmp_path):
    case = Case(tmp_path).journal((0, 0, ONE, 1))
    sample = Sample(Path("s.csv"), (), ("c", "a", "b"))
    case.assembler(sample).write(case.results)
    found = read_scores(case.out)
    assert found.classes == ("c", "a", "b")
    assert found.score[0] == pytest.approx([0.3, 0.1, 0.2], abs=1e-6)


def test_a_sample_of_other_classes_is_refused(tmp_path):
    with pytest.raises(UserError, match="1 class of the sample that the ensemble lacks: d"):
        Case(tmp_path).assembler(Sample(Path("s.csv"), (), ("c", "a", "d")))


def test_the_later_and_fuller_block_counts(tmp_path):
    case = Case(tmp_path).journal((0, 0, ONE, 4), (0, 0, TWO, 1), (0, 0, ONE, 2))
    got = case.assembler().assemble(case.results)
    assert got.score[:2] == pytest.approx(np.array(TWO), abs=1e-6)


def test_a_window_that_one_member_could_not_hear_is_not_in_full(tmp_path):
    gap = [ONE[0], [np.nan] * 3]
    case = Case(tmp_path).journal((0, 0, ONE, 1), (0, 1, gap, 1))
    got = case.assembler().assemble(case.results)
    assert got.heard[:2].tolist() == [True, True]
    assert got.full[:2].tolist() == [True, False]


def test_why_rows_have_no_score(tmp_path):
    case = Case(tmp_path).journal(notes=[("unread", 0, None)])
    assert case.assembler().assemble(case.results).reasons == {
        "unread it": 2,
        NOT_REACHED: 2,
        "/x/z.ogg: is broken.": 2,
    }
    case.journal(notes=[("failed", 1, 0)])
    assert case.assembler().assemble(case.results).reasons[NO_MEMBER] == 2


def test_when_all_members_are_given_up_none_could_score(tmp_path):
    case = Case(tmp_path).journal(notes=[("dropped", None, 0), ("dropped", None, 1)])
    reasons = case.assembler().assemble(case.results).reasons
    assert reasons == {NO_MEMBER: 4, "/x/z.ogg: is broken.": 2}


def test_a_member_of_foreign_classes_is_told_of_and_left_out(tmp_path):
    case = Case(tmp_path).journal((0, 0, ONE, 1), classes=("p", "q", "r"))
    assembler = case.assembler()
    got = assembler.assemble(case.results)
    assert not got.heard.any()
    assert (got.score == 0.25).all()
    assert "None of the 3 classes" in assembler.unusable["m"]


def test_score_files_of_members_hold_what_they_scored(tmp_path):
    case = Case(tmp_path).journal(
        (0, 0, [[0.1, 0.2], [0.3, 0.4]], 1), (1, 1, [[0.5, 0.6], [0.7, 0.8]], 1), classes=("b", "p")
    )
    sample = Sample(Path("s.csv"), (), ("c", "a", "b"))
    paths = case.assembler(sample).write_member_scores(case.results, tmp_path / "members")
    assert [path.name for path in paths] == ["m.csv", "n.csv"]
    first, second = map(read_scores, paths)
    assert (first.rows, first.classes) == (("x_5", "x_10"), ("b",))
    assert first.score[:, 0] == pytest.approx([0.1, 0.3])
    assert second.rows == ("y_5", "y_10")


def test_of_an_earlier_call_scores_count_but_not_its_faults(tmp_path):
    case = Case(tmp_path).journal((0, 0, ONE, 1), notes=[("unread", 1, None), ("dropped", None, 1)])
    with JournalWriter(case.folder) as journal:
        journal.note("dropped", member=case.specs[0].key, reason="crash", fatal=True)
    later = Results(case.folder, case.pieces, case.specs, 5.0)
    later.update(earlier=True)
    assert later.members["m"].thinning(0) == 1
    assert later.members["m"].seconds == 0
    assert later.members["m"].classes == CLASSES
    assert later.unread == {}
    assert later.members["n"].dropped == ""
    # What killed the process is not tried again.
    assert later.members["m"].dropped == "crash"
