from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import soundfile

from antiphon.audio.augmentation.noise import (
    NoiseFolder,
    NoiseSource,
    coloured_noise,
    synthesise_noise,
)
from antiphon.errors import AudioError, FileError

RATE = 8000


@pytest.mark.parametrize("slope", [0.0, -3.0, -6.0, -9.0])
def test_coloured_noise_has_its_slope(slope):
    x = coloured_noise(60 * RATE, RATE, np.random.default_rng(0), slope_db=slope)
    frequency, density = scipy.signal.welch(x, RATE, nperseg=1024)
    band = (frequency > 200) & (frequency < 3000)
    fitted = np.polyfit(np.log2(frequency[band]), 10 * np.log10(density[band]), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.2)


def test_synthesised_noise_follows_from_its_generator_and_varies():
    made = [synthesise_noise(RATE, RATE, np.random.default_rng(seed)) for seed in range(12)]
    for seed, x in enumerate(made):
        assert x.shape == (RATE,)
        assert x.dtype == np.float32
        assert np.isfinite(x).all()
        assert np.std(x) > 0
        np.testing.assert_array_equal(x, synthesise_noise(RATE, RATE, np.random.default_rng(seed)))

    def centroid(x):
        energy = np.abs(np.fft.rfft(x)) ** 2
        return np.sum(np.arange(len(energy)) * energy) / np.sum(energy)

    assert np.ptp([centroid(x) for x in made]) > 500


@pytest.fixture
def folder(tmp_path):
    ramp = np.arange(3 * RATE, dtype=np.float32) / (4 * RATE)
    soundfile.write(tmp_path / "long.wav", ramp, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "short.wav", -ramp[:100], RATE, subtype="FLOAT")
    return tmp_path


def test_crops_of_a_folder(folder):
    noise = NoiseFolder(folder)
    assert len(noise) == 2
    rng = np.random.default_rng(0)
    starts = set()
    for _ in range(20):
        crop = noise.crop(RATE, RATE, rng, [])
        assert crop.shape == (RATE,)
        if crop[50] > 0:
            np.testing.assert_allclose(np.diff(crop), 1 / (4 * RATE), atol=1e-6)
            starts.add(round(float(crop[0]) * 4 * RATE))
        else:
            # The short one repeats.
            np.testing.assert_array_equal(crop[:100], crop[100:200])
    assert len(starts) > 5
    assert 0 <= min(starts) <= max(starts) <= 2 * RATE


def test_an_unreadable_noise_is_named_and_replaced(folder):
    (folder / "bad.wav").write_bytes(b"RIFF nonsense")
    faults: list[AudioError] = []
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert NoiseFolder(folder).crop(RATE, RATE, rng, faults).shape == (RATE,)
    assert faults
    assert {error.path.name for error in faults} == {"bad.wav"}


def test_a_folder_of_unreadable_noise_is_an_error(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(AudioError, match="10 noise recordings in a row"):
        NoiseFolder(tmp_path).crop(10, RATE, np.random.default_rng(0), [])


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(FileError, match="holds no recording"):
        NoiseFolder(tmp_path)


def test_share_of_synthesised_noise(folder):
    source = NoiseSource(folder, synthesised=0.3)
    rng = np.random.default_rng(0)
    drawn = [source.draw(200, RATE, rng, []) for _ in range(600)]
    recorded = [np.allclose(np.diff(x[:100]), np.diff(x[:100])[0], atol=1e-6) for x in drawn]
    assert np.mean(recorded) == pytest.approx(0.7, abs=0.06)


def test_noise_that_is_not_finite_is_named_and_not_added(tmp_path):
    audio = np.full(4000, 0.1, np.float32)
    audio[10] = np.nan
    soundfile.write(tmp_path / "a.wav", audio, 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav: holds samples that are not finite"):
        NoiseFolder(tmp_path).crop(4000, 8000, np.random.default_rng(0), [])
