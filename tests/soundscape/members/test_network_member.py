from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import FormatError, ModelError
from antiphon.soundscape.members.member import MemberScores
from antiphon.soundscape.members.network_member import NetworkMember, open_network_member
from tests.soundscape.members.making import (
    CLASSES,
    conv_file,
    levels,
    levels_file,
    loud_and_quiet,
)

SAMPLES = 2560


def member(folder: Path, runtime: str = "onnxruntime", **changes: object) -> NetworkMember:
    path = conv_file(folder, **changes)  # type: ignore[arg-type]
    return open_network_member("m", path, runtime)  # type: ignore[arg-type]


def scores(one: NetworkMember, audio: np.ndarray) -> MemberScores:
    valid = np.full(len(audio), audio.shape[1], np.int64)
    return one.score(one.prepare(audio, valid))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_window_alone_scores_what_it_scores_in_a_batch(tmp_path: Path, runtime: str) -> None:
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    one = member(tmp_path, runtime)
    # With a maximum over the batch, top_db 80 would lift all but the loudest of these.
    audio = loud_and_quiet(SAMPLES)
    together = scores(one, audio)
    assert together.clip is not None
    assert together.frames is not None
    assert len(np.unique(together.clip[:, 0])) > 3
    for row in range(len(audio)):
        alone = scores(one, audio[row : row + 1])
        np.testing.assert_array_equal(alone.clip[0], together.clip[row])
        np.testing.assert_array_equal(alone.frames[0], together.frames[row])
    backwards = scores(one, audio[::-1])
    np.testing.assert_array_equal(backwards.frames[::-1], together.frames)


def test_the_floor_of_top_db_is_that_of_the_window(tmp_path: Path) -> None:
    one = member(
        tmp_path,
        front_end={
            "kind": "log_mel", "n_fft": 256, "hop": 128, "n_mels": 16, "log": "db", "top_db": 80.0,
        },
    )  # fmt: skip
    audio = loud_and_quiet(SAMPLES)
    # The same sound 60 dB down is the same picture 60 dB down: no floor of a louder one cuts it.
    audio[1] = audio[0] * np.float32(1e-3)
    tensor = one.prepare(audio, np.full(len(audio), SAMPLES)).features.tensor
    np.testing.assert_allclose(tensor[1], tensor[0] - 60, atol=1e-2)


def test_several_threads_score_as_one_does(tmp_path: Path) -> None:
    one = member(tmp_path)
    batches = [loud_and_quiet(SAMPLES, seed=seed) for seed in range(8)]
    expected = [scores(one, audio).frames for audio in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda audio: scores(one, audio).frames, batches))
    np.testing.assert_array_equal(found, expected)


def test_scores_are_sigmoids_of_what_the_file_gives(tmp_path: Path) -> None:
    import onnxruntime

    one = member(tmp_path)
    audio = loud_and_quiet(SAMPLES, 2)
    prepared = one.prepare(audio, np.full(2, SAMPLES))
    found = one.score(prepared)
    session = onnxruntime.InferenceSession(tmp_path / "conv.onnx")
    frames, clip = session.run(["frames", "clip"], {"x": prepared.features.tensor})
    np.testing.assert_allclose(found.clip, 1 / (1 + np.exp(-clip)), atol=1e-6)
    np.testing.assert_allclose(found.frames, 1 / (1 + np.exp(-frames)), atol=1e-6)
    assert (one.classes, one.context_s, one.sample_rate) == (CLASSES, 0.32, 8000)


def test_waveforms_work_and_frames_may_come_with_classes_first(tmp_path: Path) -> None:
    one = open_network_member("m", levels_file(tmp_path), "onnxruntime")
    found = scores(one, levels(0.1, 0.2, 0.3, 0.8)[None])
    np.testing.assert_allclose(found.frames[0, :, 0], [0.1, 0.2, 0.3, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found.clip, [[0.35]], rtol=1e-6)
    turned = levels_file(
        tmp_path, frames={"tensor": "frames", "layout": "NCT"}, labels=[*"abcd"], scores=None
    )
    found = scores(open_network_member("m", turned, "onnxruntime"), levels(0, 0, 0.5, 1)[None])
    assert found.clip is None
    assert found.frames.shape == (1, 1, 4)


def test_members_share_a_front_end_when_their_input_is_the_same(tmp_path: Path) -> None:
    first = member(tmp_path, name="first", scores=None)
    second = member(tmp_path, name="second", frames=None)
    other = member(tmp_path, name="other", sample_rate=16_000, window_s=0.16)
    assert first.front_end_key == second.front_end_key != other.front_end_key
    audio = loud_and_quiet(SAMPLES, 2)
    prepared = first.prepare(audio, np.full(2, SAMPLES))
    np.testing.assert_array_equal(second.score(prepared).clip, scores(second, audio).clip)
    assert second.gives_clips
    assert not second.gives_frames
    assert first.gives_frames
    assert not first.gives_clips


def test_no_contexts_give_no_scores(tmp_path: Path) -> None:
    found = scores(member(tmp_path), np.zeros((0, SAMPLES), np.float32))
    assert found.clip.shape == (0, 3)
    assert found.frames.shape == (0, 11, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ["a", "b"]}, "gives 3 scores, but there are 2 labels"),
        ({"scores": {"tensor": "clip"}}, r"which are no probabilities.*sigmoid"),
        ({"scores": {"tensor": "logits"}}, "no output 'logits'"),
        (
            {"frames": {"tensor": "clip"}},
            r"'clip' has the shape \(3,\) per window, not one of time and",
        ),
        ({"training": True}, "training mode"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"model": "none.onnx"}, "is not there"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        member(tmp_path, **changes)


def test_a_manifest_without_scores_or_names_is_refused(tmp_path: Path) -> None:
    embedding = {"output": {"embedding": "embedding"}, "labels": None, "frames": None}
    with pytest.raises(FormatError, match="neither scores nor frames"):
        member(tmp_path, scores=None, **embedding)
    with pytest.raises(FormatError, match="scores without names"):
        member(tmp_path, **embedding)


def test_scores_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    one = open_network_member("m", levels_file(tmp_path), "onnxruntime")
    audio = np.full((1, 40), np.nan, np.float32)
    with pytest.raises(ModelError, match="not finite"):
        scores(one, audio)


def test_labels_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("x\ny\nz\n")
    assert member(tmp_path, labels="labels.txt").classes == ("x", "y", "z")
