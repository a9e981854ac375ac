from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.encoders.manifest import SHIPPED, Output, load_manifest
from antiphon.encoders.network import open_manifest
from antiphon.errors import ModelError, UserError
from antiphon.evaluation.protocols.layers import LayerReader, layer_sweep
from antiphon.evaluation.protocols.probe import linear_probe
from tests.encoders.make import WEIGHT, manifest_file, onnx_file, tflite_file, windows
from tests.evaluation.protocols.sets import classes
from tests.real import real_model


def test_one_pass_gives_all_layers_of_an_onnx_file(tmp_path: Path) -> None:
    onnx_file(tmp_path / "tiny.onnx")
    layers = {"linear": Output(embedding="y"), "relu": Output(embedding="z")}
    reader = LayerReader(manifest_file(tmp_path), layers, threads=1)
    audio, valid = windows(6)
    found = reader(audio, valid)
    assert reader.names == ("linear", "relu")
    np.testing.assert_allclose(found["linear"], audio @ WEIGHT, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["relu"], np.maximum(found["linear"], 0))


def test_inner_tensors_of_a_tflite_file_are_pooled_without_padding(tmp_path: Path) -> None:
    tflite_file(tmp_path / "tiny.tflite")
    path = manifest_file(
        tmp_path, model="tiny.tflite", runtime="tflite", output={"embedding": "inner"}
    )
    layers = {"inner": Output(embedding="inner"), "out": Output(embedding="out")}
    audio, valid = windows(3)
    found = LayerReader(path, layers, threads=1)(10 * audio, valid)
    np.testing.assert_allclose(found["inner"], np.maximum(10 * audio, 0), rtol=1e-6)
    np.testing.assert_allclose(found["out"], np.clip(10 * audio, 0, 6), rtol=1e-6)


def test_the_manifest_may_be_given_with_its_model(tmp_path: Path) -> None:
    model = onnx_file(tmp_path / "tiny.onnx")
    manifest = load_manifest(manifest_file(tmp_path))
    audio, valid = windows(2)
    found = LayerReader(manifest, {"y": Output(embedding="y")}, model=model, threads=1)
    assert found(audio, valid)["y"].shape == (2, 3)
    with pytest.raises(UserError, match="Give the model file"):
        LayerReader(manifest, {"y": Output(embedding="y")})


def test_frames_are_averaged_over_valid_steps_and_other_axes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx_file(tmp_path / "tiny.onnx")
    layer = Output(embedding="y", pool="mean", layout="NDFT", skip=1)
    reader = LayerReader(manifest_file(tmp_path), {"y": layer}, threads=1)
    values = np.random.default_rng(0).standard_normal((2, 5, 3, 9)).astype(np.float32)
    monkeypatch.setattr(reader._network, "run", lambda tensor: [values])
    audio, _ = windows(2)
    found = reader(audio, np.array([8, 4]))["y"]
    np.testing.assert_allclose(found[0], values[0, :, :, 1:].mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(found[1], values[1, :, :, 1:5].mean(axis=(1, 2)), atol=1e-6)


def test_layers_that_do_not_fit_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_file(tmp_path / "tiny.onnx")
    path = manifest_file(tmp_path)
    with pytest.raises(ModelError, match="no output 'inner'"):
        LayerReader(path, {"a": Output(embedding="inner")}, threads=1)
    with pytest.raises(UserError, match="at least one layer"):
        LayerReader(path, {})
    audio, valid = windows(2)
    timed = Output(embedding="y", pool="mean", layout="NTD")
    with pytest.raises(ModelError, match="layer 'a' has 2 axes"):
        LayerReader(path, {"a": timed}, threads=1)(audio, valid)
    reader = LayerReader(path, {"a": Output(embedding="y")}, threads=1)
    monkeypatch.setattr(reader._network, "run", lambda tensor: [np.zeros((2, 3, 4))])
    with pytest.raises(ModelError, match="no single vector"):
        reader(audio, valid)


@pytest.mark.real
def test_layers_of_yamnet_come_with_its_embedding_in_one_pass() -> None:
    model, path = real_model("yamnet_int8.tflite"), SHIPPED / "yamnet.yaml"
    encoder = open_manifest(path, {"model": str(model), "threads": 1})
    audio, valid = windows(3, encoder.spec.window_samples)
    layers = {
        "embedding": load_manifest(path).output,
        "early": Output(embedding=67, pool="mean", layout="NTFD"),
    }
    found = LayerReader(path, layers, model=model, threads=1)(audio, valid)
    want = encoder.encode(encoder.prepare(audio, valid)).embeddings
    np.testing.assert_allclose(found["embedding"], want, rtol=1e-6)
    assert found["early"].shape == (3, 128)
    assert np.isfinite(found["early"]).all()


def sides(noisy: float):
    found = []
    for seed, n in enumerate((200, 100, 150)):
        x, y = classes(n, 12, 4, seed=seed, spread=2.0)
        rng = np.random.default_rng(50 + seed)
        worse = x + noisy * rng.standard_normal(x.shape).astype(np.float32)
        found.append(({"early": worse[:, :8], "late": x}, y))
    return found


def test_the_layer_is_chosen_on_validation_and_every_layer_is_reported() -> None:
    (train, y), validation, (test, ty) = sides(4.0)
    found = layer_sweep(train, y, test, ty, validation=validation)
    assert found.details["chosen"] == "late"
    single = linear_probe(
        train["late"], y, test["late"], ty, validation=(validation[0]["late"], validation[1])
    )
    assert found["accuracy"].value == single["accuracy"].value
    assert found["accuracy[late]"].value == single["accuracy"].value
    assert found["accuracy[early]"].value < found["accuracy[late]"].value


def test_the_test_side_does_not_choose() -> None:
    (train, y), validation, (test, ty) = sides(4.0)
    swapped = {"early": test["late"][:, :8], "late": np.zeros_like(test["late"])}
    assert layer_sweep(train, y, swapped, ty, validation=validation).details["chosen"] == "late"


def test_sides_with_other_layers_are_an_error() -> None:
    (train, y), _, (test, ty) = sides(1.0)
    with pytest.raises(UserError, match="test side late"):
        layer_sweep(train, y, {"late": test["late"]}, ty)
    with pytest.raises(UserError, match="fixed L2"):
        layer_sweep(train, y, test, ty, l2=1.0)
