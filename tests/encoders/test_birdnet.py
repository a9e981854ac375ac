"""With a stand-in for the package ``birdnet`` 1.3: ``load`` and what it returns."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from antiphon.encoders import birdnet
from antiphon.encoders.registry import create_encoder
from antiphon.errors import MissingExtraError, ModelError, UserError
from tests.encoders.make import tflite_file

SAMPLES = 8


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A package whose network is the test file, with its tensors in BirdNET's places."""
    module: Any = ModuleType("birdnet")
    module.calls = []

    def load(kind: str, version: str, backend: str, /, **options: str) -> SimpleNamespace:
        module.calls.append((kind, version, backend, options))
        names = [f"Avis numerus_{n}" for n in range(SAMPLES)]
        return SimpleNamespace(model_path=module.path, species_list=names)

    module.path = tflite_file(tmp_path / "audio-model.tflite")
    module.load = load
    monkeypatch.setitem(sys.modules, "birdnet", module)
    monkeypatch.setattr(birdnet, "_EMBEDDING", 1)
    monkeypatch.setattr(birdnet, "_LOGITS", 2)
    return module


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's network of 8 samples stand for 144,000."""
    real = birdnet._manifest
    monkeypatch.setattr(
        birdnet,
        "_manifest",
        lambda path: real(path).model_copy(update={"window_s": SAMPLES / 48e3}),
    )


def test_runs_the_package_s_network(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
    encoder = create_encoder("birdnet", lang="de")
    assert package.calls == [("acoustic", "2.4", "tf", {"library": "litert", "lang": "de"})]
    assert (encoder.spec.sample_rate, encoder.spec.dim) == (48_000, SAMPLES)
    assert encoder.spec.labels[1] == "Avis numerus_1"
    audio = np.random.default_rng(0).uniform(-1, 1, (3, SAMPLES)).astype(np.float32)
    encoded = encoder.encode(encoder.prepare(audio, np.full(3, SAMPLES)))
    np.testing.assert_array_equal(encoded.embeddings, np.maximum(audio, 0))
    assert encoded.scores is not None
    np.testing.assert_allclose(encoded.scores, 1 / (1 + np.exp(-np.maximum(audio, 0))), rtol=1e-6)


@pytest.mark.usefixtures("package")
def test_a_network_that_is_not_birdnet() -> None:
    with pytest.raises(ModelError, match="takes an input of shape 8, the front end gives 144000"):
        create_encoder("birdnet")


def test_no_network_connection(package: Any) -> None:
    def load(*_: str, **__: str) -> None:
        raise ConnectionError("name resolution failed")

    package.load = load
    with pytest.raises(UserError, match=r"name resolution failed.*connect to the network"):
        create_encoder("birdnet")


def test_package_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "birdnet", None)
    with pytest.raises(MissingExtraError, match=r"antiphon\[birdnet\]"):
        create_encoder("birdnet")


def test_unknown_parameter() -> None:
    with pytest.raises(UserError, match=r"'language'.*'lang'"):
        create_encoder("birdnet", language="de")
