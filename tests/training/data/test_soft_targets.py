"""Targets of crops and frames, worked by hand, and their way into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.errors import FormatError, UserError
from antiphon.training.config import load_run_config
from antiphon.training.data.config import HoldoutConfig
from antiphon.training.data.crops import Crops, Raw, frame_union, union
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.shard_source import write_shards
from antiphon.training.data.soft_targets import (
    SoftTargets,
    mean_over,
    rolled,
    soft_frames,
    soft_labels,
)
from antiphon.training.data.sources import read_sources
from antiphon.training.data.splitting import split
from antiphon.training.data.stream import ClipStream
from antiphon.training.data.targets import presence_shares
from antiphon.training.pseudo.store import write_labels
from tests.training.data.making import NOTHING, RATE, config, folder_of_tones
from tests.training.pseudo.test_store import labels


def soft(frames: bool = True) -> SoftTargets:
    """Two windows of 4 s with frames of 1 s: wren (1) in both, frog (0) in the second alone."""
    return SoftTargets(
        base=5,
        first=np.array([0, 2]),
        start_s=np.array([0.0, 4.0]),
        end_s=np.array([4.0, 8.0]),
        class_first=np.array([0, 1, 3]),
        class_of=np.array([1, 0, 1], np.int32),
        target=np.array([0.8, 0.6, 0.4], np.float32),
        frames=np.array([[0, 0, 0.2, 0.8], [0.6, 0.3, 0, 0], [0, 0, 0, 0.5]], np.float32)
        if frames
        else None,
        step_s=1.0 if frames else 0.0,
        unknown_first=np.array([0, 1, 1]),
        unknown_of=np.array([2], np.int32),
        known=np.array([True, True, True, False]),
    )


def test_a_crop_that_is_a_window_has_its_targets() -> None:
    target, known = soft_labels(soft(), 5, 4.0, 8.0, 0.5)
    assert target == pytest.approx([0.6, 0.4, 0.0, 0.0])
    # Class 3 is none that the teachers know.
    assert known.tolist() == [1, 1, 1, 0]


def test_a_target_that_a_cap_took_is_unknown_and_not_absent() -> None:
    assert soft_labels(soft(), 5, 0.0, 4.0, 0.5)[1].tolist() == [1, 1, 0, 0]


def test_a_crop_takes_as_much_as_the_strongest_frame_it_holds() -> None:
    # 1 to 5 s: the wren's loudest frame of the first window (3 to 4 s) and the frog's (4 to 5 s).
    target, _ = soft_labels(soft(), 5, 1.0, 5.0, 0.5)
    assert target == pytest.approx([0.6, 0.8, 0, 0])
    # 5 to 7 s: the frog's second frame, half as strong as its first, and no frame of the wren.
    target, known = soft_labels(soft(), 5, 5.0, 7.0, 0.5)
    assert target == pytest.approx([0.3, 0.0, 0, 0])
    assert known.tolist() == [1, 1, 1, 0]
    # 0 to 3 s: of the wren a quarter of its peak.
    assert soft_labels(soft(), 5, 0.0, 3.0, 0.5)[0][1] == pytest.approx(0.2)


def test_without_frames_a_window_counts_if_the_crop_shares_enough() -> None:
    target, known = soft_labels(soft(frames=False), 5, 1.0, 5.0, 0.5)
    # 3 s of the first window; of the second 1 s, too little to know whether the frog is in it.
    assert target == pytest.approx([0.0, 0.8, 0, 0])
    assert known.tolist() == [0, 1, 0, 0]


def test_what_no_window_covers_is_unknown() -> None:
    target, known = soft_labels(soft(), 5, 6.0, 10.0, 0.5)
    assert target.tolist() == [0, 0, 0, 0]
    assert known.tolist() == [0, 0, 0, 0]


def test_the_frames_of_a_crop_are_those_of_its_time() -> None:
    frames, known = soft_frames(soft(), 5, [(0.0, 2.0, 6.0)], 4.0, 4)
    assert frames[:, 1] == pytest.approx([0.2, 0.8, 0, 0])
    assert frames[:, 0] == pytest.approx([0, 0, 0.6, 0.3])
    # Class 2 is unknown in the first window, class 3 everywhere.
    assert known.tolist() == [1, 1, 0, 0]
    assert soft_frames(soft(), 5, [(0.0, 4.0, 8.0)], 4.0, 4)[1].tolist() == [1, 1, 1, 0]


def test_frames_between_two_are_their_mean() -> None:
    # From 2.5 s on: half of 0.2 and half of 0.8; then half of 0.8 and half of 0 of the wren, and
    # of the frog half of 0 and half of 0.6.
    frames, known = soft_frames(soft(), 5, [(0.0, 2.5, 4.5)], 2.0, 2)
    assert frames[:, 1] == pytest.approx([0.5, 0.4])
    assert frames[:, 0] == pytest.approx([0.0, 0.3])
    assert known.tolist() == [1, 1, 0, 0]


def test_padding_has_no_frames_and_a_loop_repeats_them() -> None:
    frames, known = soft_frames(soft(), 5, [(0.0, 6.0, 8.0)], 4.0, 4)
    assert frames[:, 1] == pytest.approx([0, 0.5, 0, 0])
    assert known.tolist() == [1, 1, 1, 0]
    looped, known = soft_frames(soft(), 5, [(0.0, 6.0, 8.0), (2.0, 6.0, 8.0)], 4.0, 4)
    assert looped[:, 1] == pytest.approx([0, 0.5, 0, 0.5])
    assert known.tolist() == [1, 1, 1, 0]
    # Two seconds of the crop lie after the last window.
    assert not soft_frames(soft(), 5, [(0.0, 6.0, 10.0)], 4.0, 4)[1].any()


def test_a_shift_moves_frames_around_the_end_of_the_audio() -> None:
    frames = np.array([[0.0], [0.2], [0.8], [0.0]], np.float32)
    # 3 s of audio in 4 s: one second to later brings the last of the three to the front.
    assert rolled(frames, 1.0, 3.0, 4.0)[:, 0] == pytest.approx([0.8, 0.0, 0.2, 0.0])
    assert rolled(frames, -0.5, 3.0, 4.0)[:, 0] == pytest.approx([0.1, 0.5, 0.4, 0.0])


def test_means_are_those_of_a_fine_grid() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((12, 3))
    found = mean_over(values, 0.25, [(0.0, 0.37, 2.83)], 3.0, 5)
    time = (np.arange(300_000) + 0.5) * 1e-5
    inside = time < 2.83 - 0.37
    fine = values[((time[inside] + 0.37) / 0.25).astype(int)]
    frame = (time[inside] / 0.6).astype(int)
    wanted = np.stack([fine[frame == t].mean(axis=0) for t in range(5)])
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def raw(labels: list[float], known: list[float], frames: object = None, told: object = None) -> Raw:
    def row(values: object) -> np.ndarray:
        return np.asarray(values, np.float32)

    n = len(labels)
    frames = np.zeros((2, n)) if frames is None else frames
    told = np.zeros(n) if told is None else told
    return Raw(np.zeros(4, np.float32), row(labels), row(known), 0, 0.0, (), row(frames), row(told))


def test_two_crops_together_have_the_larger_target_if_both_are_known() -> None:
    one, other = raw([0.3, 0.8, 0.0], [1, 1, 1]), raw([0.6, 0.0, 0.0], [1, 0, 1])
    target, known = union(one, other)
    assert target == pytest.approx([0.6, 0.8, 0.0])
    assert known.tolist() == [1, 1, 1]
    # 0.3 in one and unknown in the other may be anything above 0.3.
    target, known = union(raw([0.3], [1]), raw([0.0], [0]))
    assert (target.tolist(), known.tolist()) == ([0], [0])


def test_frames_of_two_crops_together_are_known_where_both_are() -> None:
    timed = raw([0.5, 0.5], [1, 1], [[0.5, 0.1], [0.2, 0.5]], [1, 1])
    # A focal clip: the first class is present somewhere, the second is absent throughout.
    focal = raw([1.0, 0.0], [1, 1])
    frames, known = frame_union(timed, focal)
    assert known.tolist() == [0, 1]
    assert frames == pytest.approx(np.array([[0, 0.1], [0, 0.5]]))
    assert not frame_union(focal, focal)[1].any()


def source(tmp_path: Path, **changes: object) -> dict[str, object]:
    folder_of_tones(tmp_path / "audio", ["a", "b", "c"], seconds=2.4)
    write_labels(labels(), tmp_path / "labels.parquet")
    pseudo = str(tmp_path / "labels.parquet")
    return {"kind": "folder", "path": str(tmp_path / "audio"), "pseudo": pseudo, **changes}


def test_a_folder_with_pseudo_labels_is_cut_into_clips_with_targets(tmp_path: Path) -> None:
    table, notes = read_sources(config(source(tmp_path), clip_s=1.0))
    assert table.classes.names == ("frog", "wren")
    assert any("1 recordings" in note and "left out" in note for note in notes)
    assert [table.name(int(r))[-5:] for r in table.recording] == ["a.wav"] * 3 + ["b.wav"]
    # From 0.5 on a class is one of the clip's.
    assert [table.classes_of(i).tolist() for i in range(4)] == [[1], [0, 1], [], []]
    crops = Crops(table, config(source(tmp_path), clip_s=1.0))
    assert crops.frames == 2
    crop = crops.take(1, start_s=1.0)
    assert crop.labels == pytest.approx([0.75, 1.0])
    assert crop.frames == pytest.approx(np.array([[0.75, 0.0], [0.7, 1.0]]))
    # The third window is background but for the wren, which a cap took out.
    crop = crops.take(2, start_s=2.0)
    assert (crop.labels.tolist(), crop.known.tolist()) == ([0, 0], [1, 0])


def test_batches_hold_frames_for_every_source(tmp_path: Path) -> None:
    focal = folder_of_tones(tmp_path / "focal/wren", ["x"], seconds=2.0).parent
    data = config(
        source(tmp_path, name="soundscapes"),
        {"kind": "folder", "path": str(focal), "label_folders": True},
        clip_s=1.0,
    )
    table, _ = read_sources(data)
    stream = ClipStream(table, data, AugmentConfig.model_validate({"shift": {"p": 1.0}}), seed=3)
    told = set()
    for index in range(12):
        row = stream[index]
        assert row["frame_labels"].shape == (2, 2)
        assert row["frame_known"].shape == (2,)
        told.add((int(row["folder"]), bool(row["frame_known"].any())))
    assert told == {(0, True), (1, False)}


def test_frames_follow_the_audio_when_it_is_moved(tmp_path: Path) -> None:
    data = config(source(tmp_path), clip_s=1.0)
    table, _ = read_sources(data)
    shifted = AugmentConfig.model_validate({"shift": {"p": 1.0, "share": 0.5}})
    moved, still = (ClipStream(table, data, a, seed=1) for a in (shifted, NOTHING))
    for index in range(6):
        one, other = moved[index], still[index]
        n = int(one["valid"])
        product = np.fft.ifft(
            np.fft.fft(one["waveform"][:n]) * np.fft.fft(other["waveform"][:n]).conj()
        )
        # A tone matches itself after every period, so the shift is known up to periods only.
        matches = np.flatnonzero(product.real > product.real.max() * (1 - 1e-3))
        wanted = [rolled(other["frame_labels"], m / RATE, n / RATE, 1.0) for m in matches]
        assert min(np.abs(one["frame_labels"] - w).max() for w in wanted) < 1e-3


def test_nothing_is_validated_on_pseudo_labels(tmp_path: Path) -> None:
    data = config(source(tmp_path), clip_s=1.0, holdout={"share": 0.5, "salt": "y"})
    table, _ = read_sources(data)
    sides = split(table, data.holdout)
    assert len(sides.validation) == 0
    assert 0 < len(sides.training) < len(table)
    assert sides.dropped == len(table) - len(sides.training)
    assert f"{sides.dropped} pseudo-labelled clips" in sides.report()


def test_other_targets_are_other_data(tmp_path: Path) -> None:
    data = config(source(tmp_path), clip_s=1.0)
    before = read_sources(data)[0].fingerprint()
    assert read_sources(data)[0].fingerprint() == before
    changed = labels()
    changed.targets.target[0] = 0.51
    write_labels(changed, tmp_path / "labels.parquet")
    assert read_sources(data)[0].fingerprint() != before


def test_names_can_be_changed_and_left_out(tmp_path: Path) -> None:
    renamed = source(tmp_path, rename={"frog": None, "wren": "Troglodytes"})
    table, _ = read_sources(config(renamed, clip_s=1.0))
    assert table.classes.names == ("Troglodytes",)
    assert Crops(table, config(renamed)).take(1, start_s=1.0).labels == pytest.approx([1.0])


def test_recordings_that_are_gone_are_an_error_or_reported(tmp_path: Path) -> None:
    given = source(tmp_path)
    (tmp_path / "audio/b.wav").unlink()
    with pytest.raises(FormatError, match=r"names 1 recordings that are not in .*'b\.wav'"):
        read_sources(config(given, clip_s=1.0))
    table, notes = read_sources(config({**given, "missing": "report"}, clip_s=1.0))
    assert len(table) == 3
    assert any("b.wav" in note for note in notes)


def test_pseudo_labels_stand_in_place_of_labels(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in place of labels"):
        config(source(tmp_path, label_folders=True))


def test_shares_of_presence_are_sums_of_targets(tmp_path: Path) -> None:
    table, _ = read_sources(config(source(tmp_path), clip_s=1.0))
    # Frog: unknown in the first of four windows, 0.75 in the second and 0.25 in the last; wren:
    # 0.5 and 1 in the first two, unknown in the third.
    assert presence_shares(table, 0.5) == pytest.approx([1.0 / 3, 1.5 / 3])


def test_shards_refuse_what_they_cannot_hold(tmp_path: Path) -> None:
    table, _ = read_sources(config(source(tmp_path), clip_s=1.0))
    with pytest.raises(UserError, match="Keep that source as a folder"):
        write_shards(table, tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


def test_the_file_lies_beside_the_settings_and_not_in_the_folder(tmp_path: Path) -> None:
    source(tmp_path)
    file = tmp_path / "student.yaml"
    text = "data: {sources: [{kind: folder, path: audio, pseudo: labels.parquet}], clip_s: 1.0}"
    file.write_text(f"preset: supervised-tiny\n{text}\n")
    data = load_run_config(file).data
    assert len(read_sources(data)[0]) == 4


def test_a_held_out_recording_is_not_learned_from_by_its_pseudo_labels(tmp_path: Path) -> None:
    pseudo = source(tmp_path, group="source", name="pseudo")
    focal = folder_of_tones(tmp_path / "focal/wren", ["a", "x", "y"], seconds=2.0).parent
    labelled = {"kind": "folder", "path": str(focal), "label_folders": True}
    table, _ = read_sources(config(labelled, pseudo, clip_s=1.0))
    for fold in range(3):
        sides = split(table, HoldoutConfig(), FoldsConfig(count=3, fold=fold))
        held = {table.name(int(r)).rpartition("/")[2] for r in sides.validation.recording}
        left = {
            table.name(int(r)).rpartition("/")[2]
            for r in sides.training.recording[sides.training.pseudo_clips]
        }
        assert left == {"a.wav", "b.wav"} - held
        assert sides.dropped == (3 if "a.wav" in held else 0)
