import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from antiphon.encoders.base import Encoder
from antiphon.encoders.registry import create_encoder
from antiphon.errors import ModelError, UserError
from antiphon.heads.base import Head
from antiphon.heads.calibration import Calibration
from antiphon.heads.detector import Detector
from antiphon.heads.linear import LinearHead
from antiphon.heads.mlp import MLPHead
from antiphon.heads.thresholds import Threshold
from antiphon.soundscape.members.branch import BranchMember, open_branch
from antiphon.soundscape.members.network_member import open_network_member
from tests.soundscape.members.making import conv_file, loud_and_quiet

SAMPLES = 2560
EMBEDDING = {"output": {"embedding": "embedding"}}


def linear(dim: int, labels: int = 2, seed: int = 0) -> LinearHead:
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((labels, dim)).astype(np.float32)
    bias = rng.standard_normal(labels).astype(np.float32)
    return LinearHead(weight, bias, np.zeros(dim, np.float32), np.full(dim, 2, np.float32))


def mlp(dim: int, labels: int = 2) -> MLPHead:
    rng = np.random.default_rng(1)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in
              ((5, dim), (5,), (labels, 5), (labels,))]  # fmt: skip
    return MLPHead(*arrays, np.zeros(dim, np.float32), np.ones(dim, np.float32))


def saved_detector(path: Path, encoder: Encoder, head: Head) -> Detector:
    slope, intercept = np.array([0.5, 2], np.float32), np.array([1, -1], np.float32)
    limit = np.full(2, 1e6, np.float32)
    calibration = Calibration(slope, intercept, -limit, limit, "platt")
    half = Threshold(0.5, *[float("nan")] * 6, 0, 0, None, False, "")
    detector = Detector(
        head, calibration, ("x", "y"), (half, half), encoder.spec.to_json(),
        encoder.spec.fingerprint,
    )  # fmt: skip
    detector.save(path)
    return detector


def saved_head(path: Path, head: Head, labels: object = ("x", "y")) -> Path:
    save_file(head.to_tensors(), path, {"labels": json.dumps(labels)})
    return path


def clip(member: BranchMember, audio: np.ndarray) -> np.ndarray:
    found = member.score(member.prepare(audio, np.full(len(audio), audio.shape[1])))
    assert found.frames is None
    assert found.clip is not None
    return found.clip


def test_a_detector_on_a_built_in_encoder(tmp_path: Path) -> None:
    encoder = create_encoder("spectral", sample_rate=8000, window_s=0.5, dim=32, n_mels=32)
    detector = saved_detector(tmp_path / "d.safetensors", encoder, linear(32))
    # The parameters are those of the detector's encoder; nobody has to repeat them.
    member = open_branch("probe", "spectral", tmp_path / "d.safetensors")
    audio = loud_and_quiet(4000)
    embeddings = encoder.encode(encoder.prepare(audio, np.full(6, 4000))).embeddings
    np.testing.assert_allclose(clip(member, audio), detector.probabilities(embeddings), atol=1e-6)
    assert (member.classes, member.sample_rate, member.context_s) == (("x", "y"), 8000, 0.5)
    assert member.report is None


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_detector_on_a_network_runs_in_the_runtime_asked_for(
    tmp_path: Path, runtime: str
) -> None:
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    path = str(conv_file(tmp_path, **EMBEDDING))
    encoder = create_encoder(path)
    detector = saved_detector(tmp_path / "d.safetensors", encoder, linear(8))
    member = open_branch("probe", path, tmp_path / "d.safetensors", runtime)  # type: ignore[arg-type]
    assert member.report is not None
    assert member.report.facts.runtime == runtime
    audio = loud_and_quiet(SAMPLES)
    embeddings = encoder.encode(encoder.prepare(audio, np.full(6, SAMPLES))).embeddings
    expected = detector.probabilities(embeddings)
    together = clip(member, audio)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    for row in range(6):
        np.testing.assert_array_equal(clip(member, audio[row : row + 1])[0], together[row])
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: clip(member, audio), range(6)))
    np.testing.assert_array_equal(found, [together] * 6)


def test_a_branch_shares_its_front_end_with_a_network(tmp_path: Path) -> None:
    path = conv_file(tmp_path, **EMBEDDING)
    saved_head(tmp_path / "h.safetensors", linear(8))
    branch = open_branch("probe", str(path), tmp_path / "h.safetensors", "onnxruntime")
    network = open_network_member("cnn", path, "onnxruntime")
    assert branch.front_end_key == network.front_end_key
    audio = loud_and_quiet(SAMPLES)
    prepared = network.prepare(audio, np.full(6, SAMPLES))
    np.testing.assert_array_equal(branch.score(prepared).clip, clip(branch, audio))


@pytest.mark.parametrize("kind", [linear, mlp])
def test_a_bare_head_is_logistic(tmp_path: Path, kind: type) -> None:
    path, head = conv_file(tmp_path, **EMBEDDING), kind(8)
    file = saved_head(tmp_path / "h.safetensors", head)
    encoder = create_encoder(str(path))
    audio = loud_and_quiet(SAMPLES)
    embeddings = encoder.encode(encoder.prepare(audio, np.full(6, SAMPLES))).embeddings
    logits = head.logits(embeddings).astype(np.float64)
    found = clip(open_branch("probe", str(path), file, "onnxruntime"), audio)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-5)
    assert clip(open_branch("p", str(path), file), audio[:0]).shape == (0, 2)


def test_a_detector_of_another_encoder_is_refused(tmp_path: Path) -> None:
    path = str(conv_file(tmp_path, **EMBEDDING))
    saved_detector(tmp_path / "d.safetensors", create_encoder(path), linear(8))
    other = str(conv_file(tmp_path, "other", **EMBEDDING))
    with pytest.raises(UserError, match=r"trained on embeddings of the encoder 'conv'.*'other'"):
        open_branch("probe", other, tmp_path / "d.safetensors", "onnxruntime")
    file = saved_head(tmp_path / "h.safetensors", linear(9))
    with pytest.raises(UserError, match="embeddings of length 9, but the encoder 'conv' gives 8"):
        open_branch("probe", path, file, "onnxruntime")


@pytest.mark.parametrize(
    ("labels", "words"),
    [(None, "does not name the 2 labels"), (["x", "x"], "different names"), (["x"], "2 labels")],
)
def test_a_head_without_good_labels_is_refused(tmp_path: Path, labels: object, words: str) -> None:
    file = saved_head(tmp_path / "h.safetensors", linear(8), labels)
    with pytest.raises(ModelError, match=words):
        open_branch("probe", "spectral", file)


def test_files_that_hold_no_head(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_branch("probe", "spectral", tmp_path / "none")
    (tmp_path / "text").write_text("text")
    with pytest.raises(ModelError, match="corrupt or no file of a head"):
        open_branch("probe", "spectral", tmp_path / "text")
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "a")
    with pytest.raises(ModelError, match="holds no head: the tensor 'weight' is missing"):
        open_branch("probe", "spectral", tmp_path / "a")
