from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.soundscape.members.network_member import NetworkMember, open_network_member
from antiphon.soundscape.members.scoring import score_recording
from tests.soundscape.members.making import RATE, levels, levels_file


def member(folder: Path, context_s: int = 4, **changes: object) -> NetworkMember:
    path = levels_file(folder, context_s, **changes)
    return open_network_member("m", path, "onnxruntime")


def test_windows_as_long_as_a_context(tmp_path: Path) -> None:
    audio = levels(0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 0.7, 0.8)
    one = member(tmp_path)
    found = score_recording(one, audio, [0.0, 2.0, 4.0], 4.0)
    np.testing.assert_allclose(found[:, 0], [0.4, 0.9, 0.9], rtol=1e-6)
    found = score_recording(one, audio, [0.0, 2.0, 4.0], 4.0, use="clip")
    np.testing.assert_allclose(found[:, 0], [0.25, 0.525, 0.725], rtol=1e-6)


@pytest.mark.parametrize(("context_s", "hop_s"), [(10, 5.0), (20, 5.0), (20, None), (10, 2.0)])
def test_longer_contexts_give_the_levels_of_each_window(
    tmp_path: Path, context_s: int, hop_s: float | None
) -> None:
    # Every context says the same of a second, so the mean over contexts is that, and a window
    # of 5 s takes the largest of its five seconds.
    rng = np.random.default_rng(0)
    seconds = rng.uniform(size=47)
    found = score_recording(
        member(tmp_path, context_s), levels(*seconds), np.arange(0, 43, 2.0), 5.0, hop_s=hop_s
    )
    expected = [seconds[start : start + 5].max() for start in range(0, 43, 2)]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_a_recording_shorter_than_a_window(tmp_path: Path) -> None:
    for context_s in (4, 10):
        found = score_recording(member(tmp_path, context_s), levels(0.3, 0.2), [0.0], 4.0)
        np.testing.assert_allclose(found, [[0.3]], rtol=1e-6)


def test_the_last_partial_window_hears_what_there_is(tmp_path: Path) -> None:
    audio = levels(0.9, 0, 0, 0, 0.2, 0.4)
    one = member(tmp_path)
    found = score_recording(one, audio, [0.0, 4.0], 4.0)
    np.testing.assert_allclose(found[:, 0], [0.9, 0.4], rtol=1e-6)
    # The padding is not in the mean of frames, but the network's own clip has it.
    found = score_recording(one, audio, [4.0], 4.0, reduce="mean")
    np.testing.assert_allclose(found, [[0.3]], rtol=1e-6)
    found = score_recording(one, audio, [4.0], 4.0, use="clip")
    np.testing.assert_allclose(found, [[0.15]], rtol=1e-6)


def test_a_window_after_the_end_is_nan(tmp_path: Path) -> None:
    found = score_recording(member(tmp_path), levels(0.1, 0.2), [0.0, 4.0], 4.0)
    assert np.isnan(found[:, 0]).tolist() == [False, True]
    with pytest.raises(UserError, match="None of the windows"):
        score_recording(member(tmp_path), levels(0.1, 0.2), [8.0], 4.0)


def test_shifts_by_two_seconds(tmp_path: Path) -> None:
    seconds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    shifts = {-2.0: 0.25, 0.0: 0.5, 2.0: 0.25}
    found = score_recording(member(tmp_path), levels(*seconds), [0.0, 2.0, 4.0], 4.0, shifts=shifts)
    # Of the windows at 0, 2 and 4 s the largest second is .4, .6 and .8.
    expected = [(0.5 * 0.4 + 0.25 * 0.6) / 0.75, 0.6, (0.5 * 0.8 + 0.25 * 0.6) / 0.75]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_the_batch_changes_nothing(tmp_path: Path, batch: int) -> None:
    audio = np.random.default_rng(1).uniform(size=33 * RATE).astype(np.float32)
    one, starts = member(tmp_path, 10), np.arange(0, 30, 3.0)
    expected = score_recording(one, audio, starts, 5.0, hop_s=2.5)
    found = score_recording(one, audio, starts, 5.0, hop_s=2.5, batch=batch)
    np.testing.assert_array_equal(found, expected)
    # Nor do the windows asked for together.
    alone = score_recording(one, audio, starts[4:5], 5.0, hop_s=2.5, batch=batch)
    np.testing.assert_array_equal(alone[0], expected[4])


def test_a_batch_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least 1"):
        score_recording(member(tmp_path), levels(0.1), [0.0], 4.0, batch=0)
