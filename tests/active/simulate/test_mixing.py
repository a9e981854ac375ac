"""Real and synthetic sounds mixed into labelled soundscapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.active.simulate import mixing
from antiphon.active.simulate.dividing import divide
from antiphon.active.simulate.mixing import Mixture, mix
from antiphon.active.simulate.recipe import Recipe
from antiphon.active.simulate.sources import Call, Sources, find_sources
from antiphon.encoders.base import Encoded, EncoderSpec, Float32, Int64
from antiphon.encoders.registry import create_encoder
from antiphon.errors import FileError, UserError
from tests.real import real_data

RATE = 8000
RECIPE = Recipe(
    name="mixed",
    n_pool=40,
    n_validation=20,
    n_classes=3,
    labels_per_sample=0.8,
    empty_share=0.4,
    segments_per_recording=10.0,
    clutter_share=0.0,
    missed=0.0,
    spurious=0.0,
)
QUICK = Mixture(segment_s=1.0, call_s=0.3, snr_db=20.0, snr_spread_db=0.0)
TONES = {"low": 500.0, "middle": 1100.0, "high": 2300.0}


class Bands:
    """An encoder that gives the power around each tone, and counts the windows it saw."""

    def __init__(self, window_s: float = 0.5) -> None:
        self.spec = EncoderSpec("bands", RATE, window_s, window_s, len(TONES))
        self.windows = 0

    def prepare(self, audio: Float32, valid: Int64) -> Float32:
        assert audio.shape == (len(valid), self.spec.window_samples)
        assert np.abs(audio).max() <= 1.0
        return audio

    def encode(self, features: Float32) -> Encoded:
        self.windows += len(features)
        power = np.square(np.abs(np.fft.rfft(features)))
        hz = np.fft.rfftfreq(features.shape[1], 1 / RATE)
        bands = [power[:, np.abs(hz - tone) < 60].sum(axis=1) for tone in TONES.values()]
        ratio = np.stack(bands, axis=1) / power.sum(axis=1, keepdims=True)
        return Encoded(ratio.astype(np.float32))


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    rng = np.random.default_rng(0)
    calls, backgrounds = [], []
    for label, hz in TONES.items():
        for take in range(3):
            path = tmp_path / f"{label}{take}.wav"
            tone = 0.3 * np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE)
            soundfile.write(path, tone, RATE)
            calls.append(Call(path, label, path.stem))
    for number in range(4):
        path = tmp_path / f"background{number}.wav"
        soundfile.write(path, 0.05 * rng.standard_normal(3 * RATE), RATE)
        backgrounds.append(path)
    return Sources(tuple(calls), tuple(backgrounds))


def test_a_labelled_call_is_in_the_sound_and_no_other(sources: Sources) -> None:
    data = mix(sources, Bands(), RECIPE, 0, mixture=QUICK)
    assert data.labels == ("high", "low", "middle")
    assert data.embeddings.shape == (60, 3)
    assert data.targets.sum() == round(0.8 * 60)
    column = [list(TONES).index(label) for label in data.labels]
    there = data.embeddings[:, column]
    present, absent = there[data.targets == 1], there[data.targets == 0]
    assert present.min() > absent.max()


def test_the_same_seed_gives_the_same_set(sources: Sources) -> None:
    first, again = (mix(sources, Bands(), RECIPE, 1, mixture=QUICK) for _ in range(2))
    other = mix(sources, Bands(), RECIPE, 2, mixture=QUICK)
    assert np.array_equal(first.embeddings, again.embeddings)
    assert first.key == again.key
    assert other.key != first.key


def test_no_source_and_no_background_is_heard_on_both_sides(sources: Sources) -> None:
    for seed in range(5):
        sides = divide(sources, RECIPE, np.random.default_rng(seed))
        heard = [
            {call.source for calls in sides.calls[side].values() for call in calls}
            for side in (False, True)
        ]
        assert heard[0].isdisjoint(heard[1])
        assert heard[0] | heard[1] == {call.source for call in sources.calls}
        assert set(sides.calls[False]) == set(sides.calls[True]) == set(TONES)
        assert set(sides.backgrounds[False]).isdisjoint(sides.backgrounds[True])
        assert len(sides.backgrounds[False]) + len(sides.backgrounds[True]) == 4


def test_what_is_read_for_validation_is_never_read_for_the_pool(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[set[str]] = [set(), set()]
    real = mixing.read_span
    side = [0]

    def spy(path: Path, *args: float | None, **named: int) -> Float32:
        if path in sources.backgrounds:
            side[0] = int(path in judging)
        read[side[0]].add(path.stem)
        return real(path, *args, **named)

    monkeypatch.setattr(mixing, "read_span", spy)
    streams = np.random.SeedSequence(3).spawn(4)
    judging = divide(sources, RECIPE, np.random.default_rng(streams[0])).backgrounds[True]
    mix(sources, Bands(), RECIPE, 3, mixture=QUICK)
    assert read[0]
    assert read[1]
    assert read[0].isdisjoint(read[1])


def test_embeddings_are_kept_by_the_content_of_the_files(sources: Sources, tmp_path: Path) -> None:
    cache, encoder = tmp_path / "cache", Bands()
    first = mix(sources, encoder, RECIPE, 0, mixture=QUICK, cache=cache)
    seen = encoder.windows
    assert seen == 120
    again = mix(sources, encoder, RECIPE, 0, mixture=QUICK, cache=cache)
    assert encoder.windows == seen
    assert np.array_equal(first.embeddings, again.embeddings)
    (kept,) = cache.iterdir()
    kept.write_bytes(b"not an array")
    with pytest.raises(FileError, match=kept.name):
        mix(sources, encoder, RECIPE, 0, mixture=QUICK, cache=cache)
    soundfile.write(sources.calls[0].path, np.zeros(RATE // 2), RATE)
    mix(sources, encoder, RECIPE, 0, mixture=QUICK, cache=cache)
    assert encoder.windows == 2 * seen


def test_a_window_longer_than_the_segment_is_padded(sources: Sources) -> None:
    data = mix(sources, Bands(window_s=1.5), RECIPE, 0, mixture=QUICK)
    assert np.isfinite(data.embeddings).all()


def test_a_class_with_one_source_is_refused(sources: Sources) -> None:
    one = tuple(c for c in sources.calls if c.label != "low" or c.source == "low0")
    with pytest.raises(UserError, match="low"):
        mix(Sources(one, sources.backgrounds), Bands(), RECIPE, 0, mixture=QUICK)


def test_sources_that_cannot_be_divided_are_named(sources: Sources) -> None:
    """Three sources of which every pair has a class: no division gives each class both sides."""
    path = sources.calls[0].path
    calls = tuple(
        Call(path, label, source)
        for label, pair in {"x": "ab", "y": "bc", "z": "ac"}.items()
        for source in pair
    )
    with pytest.raises(UserError, match="cannot be divided"):
        divide(Sources(calls, sources.backgrounds), RECIPE, np.random.default_rng(0))


def test_one_background_is_refused(sources: Sources) -> None:
    with pytest.raises(UserError, match="two backgrounds"):
        mix(Sources(sources.calls, sources.backgrounds[:1]), Bands(), RECIPE, 0, mixture=QUICK)


def test_a_folder_without_backgrounds_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="tropical_day"):
        find_sources(tmp_path)


@pytest.mark.real
def test_open_recordings_become_a_set() -> None:
    root = real_data("tropical_day").parent
    sources = find_sources(root)
    assert {"dog_bark", "reef fish", "OVEN", "finch Bird0 0"} <= set(sources.labels())
    assert len(sources.backgrounds) == 24
    some = {"dog_bark", "rooster", "reef fish", "OVEN", "BTNW"}
    chosen = replace(sources, calls=tuple(c for c in sources.calls if c.label in some))
    data = mix(chosen, create_encoder("spectral"), RECIPE, 0, mixture=Mixture(segment_s=3.0))
    assert data.labels == tuple(sorted(some))
    assert data.embeddings.shape[0] == 60
    assert np.isfinite(data.embeddings).all()
    assert data.embeddings.std(axis=0).min() > 0
