"""With a stand-in for ``perch_hoplite`` 1.0's download of the ONNX file."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from antiphon.encoders import perch
from antiphon.encoders.registry import create_encoder
from antiphon.errors import ModelError, UserError

SAMPLES = 160_000


@pytest.fixture(autouse=True)
def _nothing_else_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_MODELS", raising=False)
    monkeypatch.setitem(sys.modules, "perch_hoplite", None)
    monkeypatch.delitem(sys.modules, "perch_hoplite.zoo.hf_hub", raising=False)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network with Perch's names, whose embedding is each window's first four samples."""
    starts = helper.make_node("Constant", [], ["s"], value_ints=[0])
    ends = helper.make_node("Constant", [], ["e"], value_ints=[4])
    axes = helper.make_node("Constant", [], ["a"], value_ints=[1])
    cut = helper.make_node("Slice", ["inputs", "s", "e", "a"], ["embedding"])
    label = helper.make_node("Identity", ["embedding"], ["label"])
    graph = helper.make_graph(
        [starts, ends, axes, cut, label],
        "perch",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["batch", SAMPLES])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4])
            for name in ("embedding", "label")
        ],
    )
    path = tmp_path / "hub" / "perch_v2.onnx"
    path.parent.mkdir()
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    content = yaml.safe_load(perch.MANIFEST.read_text())
    content["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = tmp_path / "perch_v2.yaml"
    manifest.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(perch, "MANIFEST", manifest)
    return path


def hub(monkeypatch: pytest.MonkeyPatch, download: Any) -> None:
    for name in ("perch_hoplite", "perch_hoplite.zoo", "perch_hoplite.zoo.hf_hub"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["perch_hoplite.zoo.hf_hub"].download = download  # type: ignore[attr-defined]


def test_file_from_the_models_folder(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_MODELS", str(model.parent))
    encoder = create_encoder("perch_v2")
    assert (encoder.spec.sample_rate, encoder.spec.window_samples) == (32_000, SAMPLES)
    audio = np.random.default_rng(0).normal(0.2, 0.1, (2, SAMPLES)).astype(np.float32)
    found = encoder.encode(encoder.prepare(audio, np.full(2, SAMPLES))).embeddings
    centred = audio - audio.mean(axis=1, keepdims=True)
    wanted = centred / np.abs(centred).max(axis=1, keepdims=True) * 0.25
    np.testing.assert_allclose(found, wanted[:, :4], atol=1e-6)


def test_file_through_perch_hoplite(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(repo_id: str, filename: str, local_dir: str | None = None) -> str:
        asked.append((repo_id, filename))
        return str(model)

    hub(monkeypatch, download)
    assert create_encoder("perch_v2").spec.dim == 4
    assert asked == [("justinchuby/Perch-onnx", "perch_v2.onnx")]


def test_no_network_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(repo_id: str, filename: str) -> str:
        raise OSError("offline")

    hub(monkeypatch, download)
    with pytest.raises(UserError, match=r"could not be downloaded \(offline\).*ANTIPHON_MODELS"):
        create_encoder("perch_v2")


def test_neither_file_nor_package() -> None:
    with pytest.raises(ModelError, match=r"perch_v2\.onnx.*Hugging Face.*SHA-256 is bf0c8467"):
        create_encoder("perch_v2")
