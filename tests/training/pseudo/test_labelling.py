"""One round of labels, from recordings to the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.training.pseudo.config import PlacesConfig, PseudoConfig
from antiphon.training.pseudo.labelling import LabelReport, label_recordings
from antiphon.training.pseudo.out_of_fold import TrainedOn, list_soundscapes
from antiphon.training.pseudo.store import read_labels
from tests.training.pseudo.fakes import ToneMember, soundscape, teacher

NOBODY = TrainedOn()


def settings(tmp_path: Path, **changes: object) -> PseudoConfig:
    value: dict[str, object] = {
        "name": "x",
        "audio": {"path": str(tmp_path / "audio")},
        "teachers": [{"name": "t", "model": "t.yaml", "trained_on": None}],
        "targets": {"window_s": 2.0, "frame_s": 0.25, "floor": 0.3},
        **changes,
    }
    return PseudoConfig.model_validate(value)


def label(
    tmp_path: Path,
    config: PseudoConfig,
    *members: ToneMember,
    trained_on: tuple[TrainedOn, ...] | None = None,
    gamma: float = 1.0,
    **options: object,
) -> LabelReport:
    return label_recordings(
        list_soundscapes(tmp_path / "audio", PlacesConfig()),
        [teacher(one) for one in members],
        trained_on or (NOBODY,) * len(members),
        config,
        tmp_path / "labels.parquet",
        tmp_path / "scores",
        gamma=gamma,
        round_number=2,
        **options,
    )


def test_species_that_overlap_are_both_kept_with_their_times(tmp_path: Path) -> None:
    soundscape(tmp_path / "audio/a.wav", 4.0, [("frog", 0.0, 1.5), ("wren", 0.5, 4.0)])
    soundscape(tmp_path / "audio/b.wav", 5.0, [])
    report = label(tmp_path, settings(tmp_path), ToneMember(), gamma=2.0)
    found = read_labels(report.file)
    assert found.recording == ("a.wav",) * 2 + ("b.wav",) * 3
    assert found.end_s.tolist() == [2.0, 4.0, 2.0, 4.0, 5.0]
    assert found.targets.window.tolist() == [0, 0, 1]
    assert found.targets.label.tolist() == [0, 1, 1]
    # 0.9 squared.
    assert found.targets.target == pytest.approx([0.81] * 3, abs=0.03)
    frames = found.targets.frames
    assert frames[0] == pytest.approx([0.81] * 6 + [0] * 2, abs=0.03)
    assert frames[1] == pytest.approx([0] * 2 + [0.81] * 6, abs=0.03)
    counts = report.provenance.counts
    assert counts["background_recordings"] == 1
    assert counts["background_windows"] == 3
    assert counts["windows_of_several_classes"] == 1
    assert report.provenance.gamma == 2.0
    assert report.provenance.round == 2
    assert report.provenance.teachers[0].name == "tones"


def test_a_cap_leaves_the_weaker_windows_unknown(tmp_path: Path) -> None:
    soundscape(tmp_path / "audio/a.wav", 6.0, [("frog", 0.0, 6.0)])
    config = settings(tmp_path, targets={"window_s": 2, "frame_s": None, "class_windows": 2})
    report = label(tmp_path, config, ToneMember())
    found = read_labels(report.file)
    assert len(found.targets) == 2
    assert len(found.unknown) == 1
    lost = set(range(3)) - set(found.targets.window.tolist())
    assert found.unknown.tolist() == [[lost.pop(), 0]]
    assert report.windows_of == {"frog": (3, 2), "wren": (0, 0)}
    assert report.provenance.counts["background_windows"] == 0


def test_the_mass_stays_below_the_focal_one(tmp_path: Path) -> None:
    soundscape(tmp_path / "audio/a.wav", 8.0, [("frog", 0.0, 8.0), ("wren", 0.0, 2.0)])
    config = settings(tmp_path, mass={"focal": "none.yaml", "share": 0.5, "class_share": 0.75})
    focal = {"frog": 3.0, "wren": 1.0}
    report = label(
        tmp_path, config, ToneMember(), focal=lambda names: np.array([focal[n] for n in names])
    )
    mass = report.mass
    assert mass is not None
    # 5 targets of 0.9 are 4.5; half of 4 focal clips is 2.
    assert mass.weight == pytest.approx(2.0 / 4.5, rel=0.05)
    assert mass.pseudo.sum() <= 2.0 + 1e-9
    assert (mass.pseudo <= 0.75 * mass.focal + 1e-9).all()
    assert report.provenance.weight == mass.weight
    assert report.provenance.mass["classes"]["frog"]["focal"] == 3.0


def test_each_recording_is_scored_by_the_teachers_that_did_not_see_it(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        soundscape(tmp_path / f"audio/{name}.wav", 2.0, [("frog", 0.0, 2.0)])
    # The second teacher is deaf to the frog: what it scored alone has no target.
    members = (ToneMember("keen"), ToneMember("deaf", deaf=(1.0, 1.0)))
    seen = (TrainedOn(frozenset("b")), TrainedOn(frozenset("a")))
    report = label(tmp_path, settings(tmp_path), *members, trained_on=seen)
    found = read_labels(report.file)
    assert found.teachers == ("keen", "deaf", "keen+deaf")
    assert found.targets.window.tolist() == [0, 2]
    assert found.targets.target == pytest.approx([0.9, 0.45], abs=0.05)
    assert report.refused == {"keen": 1, "deaf": 1}


def test_a_recording_without_a_teacher_is_named_or_left_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        soundscape(tmp_path / f"audio/{name}.wav", 2.0, [])
    seen = (TrainedOn(frozenset("b")),)
    with pytest.raises(UserError, match=r"b\.wav: tones saw the file"):
        label(tmp_path, settings(tmp_path), ToneMember(), trained_on=seen)
    config = settings(tmp_path, scoring={"without_teacher": "leave_out"})
    report = label(tmp_path, config, ToneMember(), trained_on=seen)
    assert report.left_out == ("b.wav",)
    assert read_labels(report.file).recording == ("a.wav",)


def test_unreadable_recordings_are_counted_and_told(tmp_path: Path) -> None:
    soundscape(tmp_path / "audio/a.wav", 2.0, [])
    (tmp_path / "audio/broken.wav").write_bytes(b"RIFF nothing")
    told: list[str] = []
    report = label(tmp_path, settings(tmp_path), ToneMember(), note=told.append)
    assert list(report.unreadable) == ["broken.wav"]
    assert "broken.wav" in told[0]
    assert report.provenance.counts["unreadable"] == 1


def test_what_is_scored_is_not_scored_again(tmp_path: Path) -> None:
    soundscape(tmp_path / "audio/a.wav", 4.0, [("frog", 0.0, 2.0)])
    first, second, third = (ToneMember() for _ in range(3))
    one = label(tmp_path, settings(tmp_path), first)
    before = read_labels(one.file).targets.target
    # Another power is another target of the same scores.
    after = read_labels(label(tmp_path, settings(tmp_path), second, gamma=1.5).file).targets.target
    assert (first.heard, second.heard) == (2, 0)
    assert after == pytest.approx(before**1.5)
    # A file that was cut short is made again.
    kept = next((tmp_path / "scores").glob("*.npz"))
    kept.write_bytes(kept.read_bytes()[:40])
    label(tmp_path, settings(tmp_path), third)
    assert third.heard == 2


def test_several_workers_give_the_same_labels(tmp_path: Path) -> None:
    for i in range(5):
        soundscape(tmp_path / f"audio/{i}.wav", 3.0, [("frog", 0.5, 0.5 + i / 2)] if i else [])
    one = read_labels(label(tmp_path, settings(tmp_path), ToneMember()).file)
    for file in (tmp_path / "scores").glob("*.npz"):
        file.unlink()
    config = settings(tmp_path, scoring={"workers": 3})
    other = read_labels(label(tmp_path, config, ToneMember()).file)
    assert other.recording == one.recording
    np.testing.assert_array_equal(other.targets.target, one.targets.target)
    np.testing.assert_array_equal(other.targets.frames, one.targets.frames)
