from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from antiphon.encoders.network import open_manifest
from antiphon.encoders.onnx import OnnxNetwork
from antiphon.errors import FormatError, ModelError, UserError
from tests.encoders.make import (
    SAMPLES,
    WEIGHT,
    manifest_file,
    onnx_file,
    onnx_frames,
    onnx_valid,
    tflite_file,
    windows,
)


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_MODELS", raising=False)


def open_tiny(folder: Path, parameters: dict[str, Any] | None = None, **changes: Any) -> Any:
    onnx_file(folder / "tiny.onnx")
    return open_manifest(manifest_file(folder, **changes), parameters or {})


def test_embeddings_and_scores(tmp_path: Path) -> None:
    encoder = open_tiny(
        tmp_path,
        hop_s=0.004,
        scores={"tensor": "y", "activation": "sigmoid"},
        labels=["a", "b", "c"],
    )
    audio, valid = windows(5)
    encoded = encoder.encode(encoder.prepare(audio, valid))
    np.testing.assert_allclose(encoded.embeddings, audio @ WEIGHT, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(encoded.scores, 1 / (1 + np.exp(-(audio @ WEIGHT))), rtol=1e-5)
    assert encoded.embeddings.dtype == encoded.scores.dtype == np.float32
    spec = encoder.spec
    assert (spec.dim, spec.labels, spec.window_samples) == (3, ("a", "b", "c"), SAMPLES)
    assert spec.hop_s == 0.004
    assert (
        spec.parameters["model_sha256"]
        == hashlib.sha256((tmp_path / "tiny.onnx").read_bytes()).hexdigest()
    )
    empty = encoder.encode(encoder.prepare(audio[:0], valid[:0]))
    assert empty.embeddings.shape == empty.scores.shape == (0, 3)


def test_softmax_sums_to_one(tmp_path: Path) -> None:
    scores = {"tensor": "z", "activation": "softmax"}
    encoder = open_tiny(tmp_path, scores=scores, labels=["a", "b", "c"])
    audio, valid = windows(4)
    found = encoder.encode(encoder.prepare(audio * 100, valid)).scores
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_scores_without_labels_are_not_given(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path, scores={"tensor": "y"})
    audio, valid = windows(1)
    assert encoder.encode(encoder.prepare(audio, valid)).scores is None
    assert encoder.spec.labels == ()
    (tmp_path / "mine.txt").write_text("a\nb\nc\n")
    named = open_tiny(tmp_path, {"labels": str(tmp_path / "mine.txt")}, scores={"tensor": "y"})
    assert named.spec.labels == ("a", "b", "c")


def test_fingerprint_follows_model_and_settings(tmp_path: Path) -> None:
    first = open_tiny(tmp_path).spec.fingerprint
    assert open_tiny(tmp_path, hop_s=0.004).spec.fingerprint == first
    assert open_tiny(tmp_path, {"threads": 1}).spec.fingerprint == first
    peak = open_tiny(tmp_path, front_end={"kind": "waveform", "peak": 0.5})
    assert peak.spec.fingerprint != first
    onnx_file(tmp_path / "tiny.onnx", output="z")
    changed = open_manifest(manifest_file(tmp_path, output={"embedding": "z"}), {})
    assert changed.spec.fingerprint != first


def test_model_beside_the_manifest_in_the_folder_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "models"
    elsewhere.mkdir()
    onnx_file(elsewhere / "tiny.onnx")
    path = manifest_file(tmp_path, source="Ask the author for it.", sha256="ab" * 32)
    with pytest.raises(ModelError) as caught:
        open_manifest(path, {})
    message = str(caught.value)
    for words in ("tiny.onnx", "ANTIPHON_MODELS", "Ask the author for it.", "ab" * 32):
        assert words in message
    path = manifest_file(tmp_path)
    with pytest.raises(ModelError, match=r"nowhere\.onnx"):
        open_manifest(path, {"model": str(tmp_path / "nowhere.onnx")})
    named = open_manifest(path, {"model": str(elsewhere / "tiny.onnx")})
    monkeypatch.setenv("ANTIPHON_MODELS", str(elsewhere))
    assert open_manifest(path, {}).spec == named.spec


def test_another_file_than_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny.onnx: has the SHA-256 .* expects abab"):
        open_tiny(tmp_path, sha256="ab" * 32)


def test_unknown_parameter_lists_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown key 'thread'.*'threads'.*labels, model, threads"):
        open_tiny(tmp_path, {"thread": 2})
    with pytest.raises(UserError, match="'threads'"):
        open_tiny(tmp_path, {"threads": 0})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window_s": 0.016}, r"takes an input of shape 8, the front end gives 16"),
        ({"input": {"layout": "NCS"}}, r"shape 8, the front end gives 1 x 8"),
        ({"input": {"layout": "NS", "dtype": "int8"}}, "takes float32, the manifest says int8"),
        ({"output": {"embedding": "x"}}, "has no output 'x'"),
        ({"output": {"embedding": "y", "pool": "mean"}}, "2 axes, output.layout 'NTD' names 3"),
        ({"scores": {"tensor": "y"}, "labels": ["a", "b"]}, "gives 3 scores, .* 2 labels"),
        ({"runtime": "tflite"}, "is not a TFLite model"),
    ],
)
def test_model_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        open_tiny(tmp_path, **changes)


def test_a_network_without_an_embedding_cannot_embed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"names no embedding.*member of an ensemble.*output\.emb"):
        open_tiny(tmp_path, output=None, scores={"tensor": "y"}, labels=["a", "b", "c"])


def test_labels_of_frames_alone_are_no_scores_of_the_encoder(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path, frames={"tensor": "z"}, labels=["a", "b", "c"])
    audio, valid = windows(2)
    assert encoder.spec.labels == ()
    assert encoder.encode(encoder.prepare(audio, valid)).scores is None


def test_the_same_network_in_another_program_embeds_the_same(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path, scores={"tensor": "y"}, labels=["a", "b", "c"])
    other = encoder.embedding_with(OnnxNetwork(encoder.path, None, ["y"], threads=1))
    prepared = encoder.prepare(*windows(3))
    np.testing.assert_array_equal(
        other.encode(prepared).embeddings, encoder.encode(prepared).embeddings
    )
    assert other.encode(prepared).scores is None
    assert encoder.encode(prepared).scores is not None
    assert encoder.manifest.name == "tiny"


def test_label_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"label file 'names.txt' is not there"):
        open_tiny(tmp_path, scores={"tensor": "y"}, labels="names.txt")


def test_mean_over_time_leaves_padding_out(tmp_path: Path) -> None:
    # The network hands its input (N, 1, T, F) through, so the pool can be worked by hand.
    node = helper.make_node("Identity", ["x"], ["y"])
    onnx_frames(tmp_path / "tiny.onnx", ["n", 1, 7, 5], [node], ["n", 1, 7, 5])
    path = manifest_file(
        tmp_path,
        window_s=0.008,
        front_end={"kind": "stft_magnitude", "n_fft": 8, "hop": 1, "frames": 7},
        input={"layout": "NCTF"},
        output={"embedding": "y", "pool": "mean", "layout": "NCTD"},
    )
    encoder = open_manifest(path, {})
    audio, valid = windows(3)
    valid[:] = [8, 4, 1]
    features = encoder.prepare(audio, valid)
    found = encoder.encode(features).embeddings
    for row, steps in enumerate([7, round(3.5), 1]):
        wanted = features.tensor[row, 0, :steps].mean(axis=0)
        np.testing.assert_allclose(found[row], wanted, rtol=1e-5)


def test_class_token_is_no_time_step(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    onnx_frames(tmp_path / "tiny.onnx", ["n", 9, 5], [node], ["n", 9, 5])
    path = manifest_file(
        tmp_path,
        front_end={"kind": "stft_magnitude", "n_fft": 8, "hop": 1},
        input={"layout": "NTF"},
        output={"embedding": "y", "pool": "mean", "skip": 1},
    )
    encoder = open_manifest(path, {})
    features = encoder.prepare(*windows(1))
    found = encoder.encode(features).embeddings
    np.testing.assert_allclose(found[0], features.tensor[0, 1:].mean(axis=0), rtol=1e-5)


def test_a_grid_is_no_vector(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    onnx_frames(tmp_path / "tiny.onnx", ["n", 9, 5], [node], ["n", 9, 5])
    path = manifest_file(
        tmp_path,
        front_end={"kind": "stft_magnitude", "n_fft": 8, "hop": 1},
        input={"layout": "NTF"},
    )
    with pytest.raises(ModelError, match=r"shape 9 x 5 per window.*pool: mean"):
        open_manifest(path, {})


def test_tflite_by_manifest(tmp_path: Path) -> None:
    tflite_file(tmp_path / "tiny.tflite")
    path = manifest_file(tmp_path, model="tiny.tflite", runtime="tflite", output={"embedding": 1})
    encoder = open_manifest(path, {"threads": "2"})
    audio, valid = windows(4)
    found = encoder.encode(encoder.prepare(audio, valid)).embeddings
    np.testing.assert_array_equal(found, np.maximum(audio, 0))


def test_valid_samples_go_to_the_network(tmp_path: Path) -> None:
    onnx_valid(tmp_path / "tiny.onnx")
    entry = {"tensor": "x", "layout": "NS", "valid": "valid"}
    encoder = open_manifest(manifest_file(tmp_path, input=entry), {})
    audio, _ = windows(3)
    valid = np.array([8, 5, 1])
    audio[np.arange(8) >= valid[:, None]] = 0
    encoded = encoder.encode(encoder.prepare(audio, valid))
    np.testing.assert_array_equal(encoded.embeddings, audio * valid[:, None].astype(np.float32))
