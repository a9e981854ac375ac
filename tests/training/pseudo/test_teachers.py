"""Scores of recordings by members, contexts averaged frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.training.pseudo.teachers import WindowScores, check_classes, mean_scores
from tests.training.pseudo.fakes import ToneMember, soundscape, teacher


def test_frames_say_when_each_of_two_species_sings(tmp_path: Path) -> None:
    path = soundscape(tmp_path / "a.wav", 6.0, [("frog", 1.0, 3.5), ("wren", 2.0, 5.0)])
    found = teacher(ToneMember()).score(path, np.array([0.0, 2.0, 4.0]), 2.0, 0.25)
    heard = found.frames > 0.4
    time = (np.arange(24) + 0.5) * 0.25
    assert (heard[:, 0] == ((time > 1.0) & (time < 3.5))).all()
    assert (heard[:, 1] == ((time > 2.0) & (time < 5.0))).all()
    # The tone of amplitude 0.3 is 0.9 on the member's scale; both sing from 2 to 3.5 s.
    assert found.windows == pytest.approx(np.array([[0.9, 0], [0.9, 0.9], [0, 0.9]]), abs=0.05)


@pytest.mark.parametrize("hop_s", [None, 0.5, 1.0])
def test_contexts_that_overlap_agree_with_those_that_do_not(
    tmp_path: Path, hop_s: float | None
) -> None:
    path = soundscape(tmp_path / "a.wav", 5.25, [("frog", 1.0, 3.5)])
    starts = np.array([0.0, 2.0, 4.0])
    member = ToneMember()
    one = teacher(member, hop_s).score(path, starts, 2.0, 0.25)
    other = teacher(ToneMember()).score(path, starts, 2.0, 0.25)
    # This member judges each quarter of a second by itself, so the mean over contexts is the same.
    assert one.frames == pytest.approx(other.frames, abs=1e-5)
    assert len(one.frames) == 21
    assert member.heard == {None: 3, 0.5: 8, 1.0: 5}[hop_s]


def test_a_long_recording_is_scored_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = soundscape(tmp_path / "a.wav", 13.0, [("frog", 1.0, 3.5), ("wren", 7.0, 12.5)])
    starts = np.arange(7) * 2.0
    whole = teacher(ToneMember(), 1.0).score(path, starts, 2.0, 0.25)
    monkeypatch.setattr("antiphon.training.pseudo.teachers._BLOCK_S", 4.0)
    pieces = teacher(ToneMember(), 1.0).score(path, starts, 2.0, 0.25)
    assert pieces.windows == pytest.approx(whole.windows, abs=1e-6)
    assert pieces.frames == pytest.approx(whole.frames, abs=1e-6)


def test_a_member_of_clips_gives_windows_alone(tmp_path: Path) -> None:
    path = soundscape(tmp_path / "a.wav", 4.0, [("frog", 0.0, 1.0)])
    clips = teacher(ToneMember("clips", frames=False))
    found = clips.score(path, np.array([0.0, 2.0]), 2.0, None)
    assert found.frames is None
    assert found.windows[:, 0] == pytest.approx([0.9, 0.0], abs=0.05)
    with pytest.raises(UserError, match=r"'clips' has no scores of frames.*frame_s: null"):
        clips.score(path, np.array([0.0, 2.0]), 2.0, 0.25)


def test_several_teachers_are_averaged_class_by_class() -> None:
    one = WindowScores(np.array([[0.2, 0.8]], np.float32), np.array([[0.0, 1.0]], np.float32))
    other = WindowScores(np.array([[0.6, 0.4]], np.float32), np.array([[0.5, 0.5]], np.float32))
    # The second has the classes the other way round.
    found = mean_scores([one, other], [np.array([0, 1]), np.array([1, 0])])
    assert found.windows == pytest.approx(np.array([[0.3, 0.7]]))
    assert found.frames == pytest.approx(np.array([[0.25, 0.75]]))


def test_teachers_of_other_classes_are_named() -> None:
    one, other = ToneMember("one"), ToneMember("other", classes=("frog",), deaf=(0.0,))
    with pytest.raises(UserError, match="'one' and 'other' know different classes: 'wren'"):
        check_classes([teacher(one), teacher(other)])
