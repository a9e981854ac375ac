"""Embeddings of items: any length, masked padding, failures by name."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from antiphon.encoders.base import Encoded, EncoderSpec
from antiphon.encoders.registry import create_encoder
from antiphon.evaluation.benchmarks.embedding.cache import AudioHashes, FeatureCache
from antiphon.evaluation.benchmarks.embedding.features import extract, pooled
from antiphon.evaluation.benchmarks.embedding.windowing import WindowRule
from antiphon.evaluation.benchmarks.sets.items import Item
from tests.evaluation.benchmarks.sounds import RATE, SMALL, tone, write


class MeanEncoder:
    """Gives mean, mean square and valid share of each window: what it is told, it must get."""

    def __init__(self, window_s=0.5):
        self.spec = EncoderSpec("mean", RATE, window_s, window_s, 3)
        self.windows = 0

    def prepare(self, audio, valid):
        out = np.empty((len(audio), 3), np.float32)
        for row, (samples, count) in enumerate(zip(audio, valid, strict=True)):
            held = samples[: int(count)]
            assert not samples[int(count) :].any()
            out[row] = held.mean(), (held**2).mean(), count / len(samples)
        return out

    def encode(self, features):
        self.windows += len(features)
        return Encoded(features)


def run(items, encoder, rule, folder, **options):
    return extract(
        items,
        encoder,
        rule,
        FeatureCache(folder / "cache"),
        AudioHashes(folder / "hashes"),
        **options,
    )


def test_a_long_clip_is_the_mean_weighted_by_valid_audio(tmp_path):
    audio = tone(300.0, 1.3)
    soundfile.write(tmp_path / "a.wav", audio, RATE, subtype="FLOAT")
    found = run([Item(tmp_path / "a.wav")], MeanEncoder(), WindowRule(), tmp_path)
    assert found.vectors.shape == (1, 3)
    assert len(found.frames) == 3
    np.testing.assert_allclose(found.vectors[0, 0], audio.mean(), atol=1e-6)
    # Windows of 0.5, 0.5 and 0.3 s: the mean of squares is that of the clip, not of the padding.
    np.testing.assert_allclose(found.vectors[0, 1], (audio**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(found.frames[:, 2], [1.0, 1.0, 0.6], atol=1e-6)


def test_recordings_longer_than_a_stretch_are_read_piece_by_piece(tmp_path):
    audio = tone(300.0, 130.0)
    soundfile.write(tmp_path / "long.wav", audio, RATE, subtype="FLOAT")
    found = run([Item(tmp_path / "long.wav")], MeanEncoder(), WindowRule(), tmp_path)
    assert len(found.frames) == 260
    np.testing.assert_allclose(found.vectors[0, 1], (audio**2).mean(), rtol=1e-5)
    windows = run([Item(tmp_path / "long.wav")], MeanEncoder(), WindowRule(2.0, 1.0), tmp_path)
    assert len(windows.vectors) == 129
    part = audio[100 * RATE : 102 * RATE]
    np.testing.assert_allclose(windows.vectors[100, 1], (part**2).mean(), rtol=1e-5)


def test_spans_windows_and_the_first_seconds(tmp_path):
    audio = tone(300.0, 4.0)
    soundfile.write(tmp_path / "a.wav", audio, RATE, subtype="FLOAT")
    item = Item(tmp_path / "a.wav", start_s=0.5, end_s=3.5)
    found = run([item], MeanEncoder(), WindowRule(1.0, 0.5), tmp_path)
    np.testing.assert_allclose(found.start_s, [0.0, 0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(found.end_s - found.start_s, 1.0)
    part = audio[RATE : 2 * RATE]
    np.testing.assert_allclose(found.vectors[1, 1], (part**2).mean(), rtol=1e-5)
    first = run([item], MeanEncoder(), WindowRule(max_s=1.0), tmp_path)
    part = audio[RATE // 2 : 3 * RATE // 2]
    np.testing.assert_allclose(first.vectors[0, 1], (part**2).mean(), rtol=1e-5)


def test_a_rerun_embeds_nothing_and_gives_the_same(tmp_path):
    items = [Item(write(tmp_path / f"{n}.wav", 200.0 + n, seed=n)) for n in range(5)]
    encoder = MeanEncoder()
    first = run(items, encoder, WindowRule(), tmp_path)
    assert (first.embedded, first.kept) == (5, 0)
    count = encoder.windows
    again = run(items, encoder, WindowRule(), tmp_path)
    assert encoder.windows == count
    assert (again.embedded, again.kept) == (0, 5)
    np.testing.assert_array_equal(first.vectors, again.vectors)


def test_content_is_the_key_not_the_name(tmp_path):
    path = write(tmp_path / "a.wav")
    encoder = MeanEncoder()
    run([Item(path)], encoder, WindowRule(), tmp_path)
    moved = tmp_path / "elsewhere" / "b.wav"
    moved.parent.mkdir()
    path.rename(moved)
    assert run([Item(moved)], encoder, WindowRule(), tmp_path).kept == 1
    # Another encoder, another rule, another sound: made anew.
    assert run([Item(moved)], MeanEncoder(0.25), WindowRule(), tmp_path).embedded == 1
    assert run([Item(moved)], encoder, WindowRule(max_s=0.3), tmp_path).embedded == 1
    write(moved, 900.0)
    assert run([Item(moved)], encoder, WindowRule(), tmp_path).embedded == 1


def test_failures_are_named_and_give_no_row(tmp_path):
    good = Item(write(tmp_path / "good.wav"))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF____WAVE no audio")
    missing = Item(tmp_path / "missing.wav")
    short = Item(write(tmp_path / "short.wav", seconds=0.6), start_s=2.0, end_s=3.0)
    found = run([Item(broken), good, missing, short], MeanEncoder(), WindowRule(), tmp_path)
    assert found.item.tolist() == [1]
    assert [f.item for f in found.failed] == [
        "missing.wav",
        "broken.wav",
        "short.wav [2.000, 3.000) s",
    ]
    assert all(f.reason for f in found.failed)


def test_silence_that_gives_zeros_is_a_failure_and_not_a_row_of_zeros(tmp_path):
    class Zero(MeanEncoder):
        def encode(self, features):
            return Encoded(np.where(features[:, 1:2] > 0, features, 0.0).astype("f4"))

    audio = np.concatenate([tone(300.0, 2.0), np.zeros(2 * RATE, "f4")])
    soundfile.write(tmp_path / "half.wav", audio, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE, "f4"), RATE)
    items = [Item(tmp_path / "silent.wav"), Item(tmp_path / "half.wav")]
    clips = run(items, Zero(), WindowRule(), tmp_path)
    assert clips.item.tolist() == [1]
    assert "nothing but zeros" in clips.failed[0].reason
    windows = run(items[1:], Zero(), WindowRule(1.0, 1.0), tmp_path)
    assert windows.start_s.tolist() == [0.0, 1.0]
    assert [f.item for f in windows.failed] == [
        "half.wav [2.00, 3.00) s",
        "half.wav [3.00, 4.00) s",
    ]
    np.testing.assert_array_equal(np.unique(windows.frame_row), [0, 1])


def test_an_encoder_that_gives_nan_fails_by_name(tmp_path):
    class Broken(MeanEncoder):
        def encode(self, features):
            return Encoded(np.full((len(features), 3), np.nan, np.float32))

    found = run([Item(write(tmp_path / "a.wav"))], Broken(), WindowRule(), tmp_path)
    assert "NaN" in found.failed[0].reason
    assert len(found.vectors) == 0


def test_padding_does_not_change_an_embedding_of_the_built_in_encoder(tmp_path):
    encoder = create_encoder("spectral", **SMALL)
    audio = tone(700.0, 0.3)
    soundfile.write(tmp_path / "short.wav", audio, RATE, subtype="FLOAT")
    found = run([Item(tmp_path / "short.wav")], encoder, WindowRule(), tmp_path)
    # The same clip in a window whose rest is loud, which a mean over all frames would let in.
    window = tone(3000.0, 0.5)[None]
    window[0, : len(audio)] = audio
    direct = encoder.encode(encoder.prepare(window, np.array([len(audio)]))).embeddings
    np.testing.assert_allclose(found.vectors, direct, atol=1e-5)


def test_ctrl_c_keeps_what_was_embedded(tmp_path):
    class Stopped(MeanEncoder):
        def encode(self, features):
            if self.windows >= 3:
                raise KeyboardInterrupt
            return super().encode(features)

    items = [Item(write(tmp_path / f"{n}.wav", 200.0 + n, 0.4, seed=n)) for n in range(6)]
    found = run(items, Stopped(), WindowRule(), tmp_path)
    assert found.interrupted
    assert len(found.vectors) == 3
    again = run(items, MeanEncoder(), WindowRule(), tmp_path)
    assert (again.kept, again.embedded) == (3, 3)


def test_pooled_against_a_hand_worked_mean():
    frames = np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]], "f4")
    found = pooled(frames, np.array([0, 0, 1]), np.array([1.0, 3.0, 0.2]), 2)
    np.testing.assert_allclose(found, [[2.5, 1.5], [5.0, 5.0]])


@pytest.mark.parametrize(("length", "count"), [(60.0, 59), (10.0, 9), (2.0, 1), (1.5, 1), (0.9, 0)])
def test_windows_are_counted_as_beans_counts_them(length, count):
    # int((length - 2) / 1) + 1, which a length of 0.9 s makes 0 by truncation towards zero.
    assert len(WindowRule(2.0, 1.0).spans(length)) == count
