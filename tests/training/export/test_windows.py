from __future__ import annotations

import numpy as np
import pytest
import soundfile

from antiphon.errors import FileError, UserError
from antiphon.training.export.windows import gather_windows

RATE, SAMPLES = 8000, 4000


def ramps(folder, seconds):
    """Recordings in which every sample says when it is: amplitude is time over 100 s."""
    for name, length in seconds.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(round(length * RATE)) / RATE
        soundfile.write(path, (time / 100).astype(np.float32), RATE, subtype="FLOAT")
    return folder


def test_windows_are_spread_over_recordings_and_time(tmp_path):
    folder = ramps(tmp_path / "audio", {"a.wav": 20.0, "sub/b.wav": 10.0})
    found = gather_windows(folder, RATE, SAMPLES, parity=6, calibration=4)
    assert len(found.parity) == 6
    assert len(found.calibration) == 4
    assert found.described == "6 windows of the recordings in audio"
    assert not found.notes
    everything = [*found.parity.names, *found.calibration.names]
    assert len({name.split(",")[0] for name in everything}) == 10
    for recording, length in (("a.wav", 20.0), ("sub/b.wav", 10.0)):
        starts = sorted(
            float(name.split()[1].split("-")[0]) for name in everything if recording in name
        )
        assert len(starts) == 5
        # The first and the last window of the recording, and evenly between.
        assert starts[0] == 0.0
        assert starts[-1] == pytest.approx(length - 0.5)
        assert np.ptp(np.diff(starts)) <= 1.0


def test_the_audio_is_that_of_the_name(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 20.0})
    windows = gather_windows(folder, RATE, SAMPLES, parity=8, calibration=4).parity
    for row, name in enumerate(windows.names):
        start = float(name.split()[1].split("-")[0])
        assert windows.audio[row, 0] == pytest.approx(start / 100, abs=1e-6)


def test_every_fourth_window_is_cut_and_the_rest_is_zero(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 40.0})
    windows = gather_windows(folder, RATE, SAMPLES, parity=12, calibration=4).parity
    assert windows.padded.tolist() == [False, False, False, True] * 3
    for row, held in enumerate(windows.valid):
        assert not windows.audio[row, held:].any()
        assert windows.audio[row, held - 1] != 0
    assert windows.valid[[3, 7, 11]].tolist() == [3000, 2000, 1200]
    assert "its first 75 %" in windows.names[3]


def test_the_choice_follows_from_the_files_alone(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 20.0, "b.wav": 7.3})
    one, two = (gather_windows(folder, RATE, SAMPLES, parity=8, calibration=4) for _ in range(2))
    assert one.parity.names == two.parity.names
    np.testing.assert_array_equal(one.parity.audio, two.parity.audio)


def test_a_short_recording_is_padded_and_shared(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 0.3})
    found = gather_windows(folder, RATE, SAMPLES, parity=8, calibration=4)
    assert found.parity.valid.tolist() == [2400]
    assert found.calibration.names == found.parity.names
    assert "use the same ones" in found.notes[-1]


@pytest.mark.parametrize(("parity", "calibration"), [(4, 12), (12, 4), (8, 8)])
def test_each_part_gets_what_it_asked_for(tmp_path, parity, calibration):
    folder = ramps(tmp_path, {"a.wav": 20.0})
    found = gather_windows(folder, RATE, SAMPLES, parity=parity, calibration=calibration)
    assert (len(found.parity), len(found.calibration)) == (parity, calibration)


def test_with_less_audio_both_get_their_share(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 5.0})
    found = gather_windows(folder, RATE, SAMPLES, parity=60, calibration=20)
    # Ten windows of half a second.
    assert (len(found.parity), len(found.calibration)) == (8, 2)


def test_audio_is_resampled(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 8.0})
    found = gather_windows(folder, 2 * RATE, 2 * SAMPLES, parity=8, calibration=4)
    assert found.parity.audio.shape[1] == 2 * SAMPLES
    starts = [float(name.split()[1].split("-")[0]) for name in found.parity.names]
    middle = found.parity.audio[0, SAMPLES]
    assert middle == pytest.approx((starts[0] + 0.25) / 100, abs=1e-4)


def test_a_damaged_recording_is_told_of(tmp_path):
    folder = ramps(tmp_path, {"a.wav": 8.0})
    (folder / "b.wav").write_bytes(b"RIFF but no more")
    found = gather_windows(folder, RATE, SAMPLES, parity=8, calibration=4)
    assert len(found.parity) == 8
    assert len(found.notes) == 1
    assert "b.wav" in found.notes[0]


def test_no_audio_is_an_error(tmp_path):
    with pytest.raises(UserError, match="holds no audio"):
        gather_windows(tmp_path, RATE, SAMPLES, parity=8, calibration=4)
    (tmp_path / "b.wav").write_bytes(b"RIFF but no more")
    with pytest.raises(UserError, match=r"b\.wav"):
        gather_windows(tmp_path, RATE, SAMPLES, parity=8, calibration=4)
    with pytest.raises(FileError, match="no such folder"):
        gather_windows(tmp_path / "nowhere", RATE, SAMPLES, parity=8, calibration=4)


@pytest.mark.parametrize("rate", [1000, 16_000])
def test_without_a_folder_soundscapes_are_synthesised(rate):
    found = gather_windows(None, rate, rate, parity=10, calibration=6)
    assert len(found.parity) == 10
    assert len(found.calibration) == 6
    assert "synthesised" in found.described
    assert found.parity.audio.shape == (10, rate)
    assert (np.abs(found.parity.audio).max(axis=1) > 1e-5).all()
    assert np.abs(found.parity.audio).max() <= 1
