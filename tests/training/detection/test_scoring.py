# ruff: noqa: E402
"""Scores of whole recordings in windows."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.audio.reader import read_span
from antiphon.errors import ModelError
from antiphon.training.data.sources import read_sources
from antiphon.training.detection import scoring
from antiphon.training.detection.head import joint_logit, within
from antiphon.training.detection.scoring import recording_stems, score_recordings, window_length
from tests.training.detection.tiny import CLASSES, config, detector, write_folder
from tests.training.supervised.tiny import RATE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("audio"), per_class=2, seconds=2.2)


def scored(folder, clip_s=0.5, **folds):
    data = config(folder, data={"clip_s": clip_s, "folds": {"fold": 0, **folds}}).data
    table, _ = read_sources(data)
    model = detector(seconds=clip_s).eval()
    return model, table, data, score_recordings(model, table, data)


def test_windows_lie_side_by_side_and_are_named_by_their_ends(folder):
    _, _, data, found = scored(folder)
    assert window_length(data) == 0.5
    assert found.classes == CLASSES
    # 2.2 s hold four windows, and what is left makes a fifth.
    each = {stem: found.stems.count(stem) for stem in found.stems}
    assert set(each.values()) == {5}
    stem = found.stems[0]
    assert found.rows[:3] == (f"{stem}_0.5", f"{stem}_1", f"{stem}_1.5")
    assert found.scores.shape == found.labels.shape == (30, 3)
    assert ((found.scores > 0) & (found.scores < 1)).all()
    for row, stem in enumerate(found.stems):
        assert CLASSES[int(found.labels[row].argmax())] == stem.split("-")[0]


def test_a_window_as_long_as_a_clip_has_the_score_of_the_network_alone(folder):
    model, table, _, found = scored(folder)
    recording = next(n for n, stem in recording_stems(table).items() if stem == found.stems[0])
    for row, start in enumerate((0.0, 0.5)):
        audio = read_span(table.name(recording), start, start + 0.5, sample_rate=RATE)
        with torch.no_grad():
            alone = model(torch.from_numpy(audio)).logits.sigmoid().numpy()[0]
        np.testing.assert_allclose(found.scores[row], alone, atol=1e-6)


def test_a_shorter_window_is_heard_in_the_middle_of_a_clip(folder):
    model, table, _, found = scored(folder, clip_s=1.5, window_s=0.5)
    recording = next(n for n, stem in recording_stems(table).items() if stem == found.stems[0])
    audio = read_span(table.name(recording), 0.0, 2.2, sample_rate=RATE)[0]
    # The first windows have what the recording has around them; the third lies in the middle.
    for row, low in ((0, 0.0), (1, 0.0), (2, 0.5), (3, 0.7)):
        clip = audio[round(low * RATE) : round((low + 1.5) * RATE)]
        share = torch.tensor([(0.5 * row - low) / 1.5])
        with torch.no_grad():
            out = model(torch.from_numpy(clip)[None]).sed
            part = within(out, share, share + 0.5 / 1.5)
            wanted = joint_logit(part.clip, part.peak, 0.5).sigmoid().numpy()[0]
        np.testing.assert_allclose(found.scores[row], wanted, atol=1e-6)


def test_stretches_give_what_one_piece_gives(folder, monkeypatch):
    whole = scored(folder)[3]
    monkeypatch.setattr(scoring, "_STRETCH_S", 0.7)
    np.testing.assert_allclose(scored(folder)[3].scores, whole.scores, atol=1e-6)


def test_short_recordings_are_padded_or_repeated_as_in_training(folder):
    data = config(folder, data={"clip_s": 3.0}).data
    table, _ = read_sources(data)
    model = detector(seconds=3.0).eval()
    name = table.name(0)
    stem = recording_stems(table)[0]
    audio = read_span(name, 0.0, 2.2, sample_rate=RATE)[0]
    for short in ("pad", "loop"):
        found = score_recordings(model, table, data.model_copy(update={"short": short}))
        wave = np.resize(audio, 3 * RATE) if short == "loop" else np.pad(audio, (0, 6400))
        valid = torch.tensor([3 * RATE if short == "loop" else len(audio)])
        with torch.no_grad():
            alone = model(torch.from_numpy(wave)[None], valid).logits.sigmoid().numpy()[0]
        np.testing.assert_allclose(found.scores[found.stems.index(stem)], alone, atol=1e-6)


def test_no_more_windows_than_asked_for(folder):
    assert len(scored(folder, most_windows=2)[3].stems) == 12


def test_what_is_not_known_is_not_judged(folder):
    settings = config(folder).data
    source = settings.sources[0].model_copy(
        update={"metadata": "train.csv", "secondary_column": "secondary_labels"}
    )
    data = settings.model_copy(update={"sources": (source,), "secondary": 0.01})
    table, _ = read_sources(data)
    found = score_recordings(detector().eval(), table, data)
    for stem, row in zip(found.stems, found.labels, strict=True):
        kind, number = stem.split("_")[0].split("-")
        # Recordings of odd numbers have another class in the background.
        assert np.isnan(row).sum() == int(number) % 2
        assert row[CLASSES.index(kind)] == 1


def test_recordings_that_share_a_name_are_told_apart_by_their_folders(tmp_path):
    root = write_folder(tmp_path, per_class=1)
    for kind in CLASSES:
        next((root / kind).glob("*.wav")).rename(root / kind / "1.wav")
    (root / "train.csv").unlink()
    data = config(root).data
    source = data.sources[0].model_copy(
        update={"labels": None, "label_column": None, "label_folders": True, "name": "focal"}
    )
    table, _ = read_sources(data.model_copy(update={"sources": (source,)}))
    assert sorted(recording_stems(table).values()) == [f"focal-{kind}-1" for kind in CLASSES]


def test_a_model_of_other_classes_is_refused(folder):
    data = config(folder).data
    table, _ = read_sources(data)
    with pytest.raises(ModelError, match="no detector of the classes"):
        score_recordings(detector(("a", "b", "c")), table, data)


def test_a_recording_that_cannot_be_read_is_told(tmp_path):
    root = write_folder(tmp_path, per_class=1)
    data = config(root).data
    table, _ = read_sources(data)
    broken = next((root / "low").glob("*.wav"))
    broken.write_bytes(b"no audio")
    told = []
    found = score_recordings(detector().eval(), table, data, note=told.append)
    assert len(set(found.stems)) == 2
    assert len(told) == 1
    assert broken.name in told[0]
