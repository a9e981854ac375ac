# ruff: noqa: E402
from __future__ import annotations

import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.encoders.manifest import KaldiFrontEnd
from antiphon.errors import FormatError, ModelError
from antiphon.training.backbones.config import ConvConfig, HeadConfig, ViTConfig
from antiphon.training.checkpoints import load_model, save_model
from antiphon.training.checkpoints.models import model_config, read_model_config
from antiphon.training.model import EncoderModel

FBANK = KaldiFrontEnd(kind="kaldi_fbank", n_mels=32)


@pytest.fixture
def model() -> EncoderModel:
    torch.manual_seed(0)
    return EncoderModel(
        FBANK,
        8000,
        1.0,
        ConvConfig(width=4, dim=8, depths=(1, 1)),
        ["Turdus merula", "Parus major"],
        HeadConfig(hidden=6, dropout=0.1),
        pooling="attention",
    )


def test_a_model_comes_back_as_it_was_and_in_evaluation_mode(
    model: EncoderModel, tmp_path: Path
) -> None:
    model.train()
    audio = torch.randn(3, 8000)
    model(audio)
    folder = save_model(model, tmp_path / "new" / "model", name="mini", licence="CC0")
    assert model.training
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "model.yaml"]
    again = load_model(folder)
    assert not any(module.training for module in again.modules())
    model.eval()
    assert torch.equal(again(audio).logits, model(audio).logits)
    assert again.classes == model.classes
    assert model_config(again) == model_config(model)
    assert read_model_config(folder).name == "mini"
    # Sixty calls, one output.
    outputs = [again(audio).embedding for _ in range(60)]
    assert all(torch.equal(output, outputs[0]) for output in outputs)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_what_others_may_read_is_what_the_umask_says(model: EncoderModel, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        folder = save_model(model, tmp_path / "model")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o640}


def test_a_folder_is_replaced(model: EncoderModel, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    other = EncoderModel(FBANK, 8000, 1.0, ViTConfig(dim=8, depth=1, heads=1))
    save_model(other, tmp_path)
    assert load_model(tmp_path).backbone_config == other.backbone_config
    assert len(list(tmp_path.iterdir())) == 2


def test_weights_of_another_save_are_refused(model: EncoderModel, tmp_path: Path) -> None:
    first, second = save_model(model, tmp_path / "a"), tmp_path / "b"
    with torch.no_grad():
        model.head[0].bias.add_(1)
    save_model(model, second)
    (first / "model.safetensors").write_bytes((second / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=r"not the file that model\.yaml was written for"):
        load_model(first)


def test_settings_are_strict_and_needed(model: EncoderModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path)
    settings = folder / "model.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "poolling: mean\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"unknown key 'poolling' \(Did you mean 'pooling'"):
        load_model(folder)
    settings.unlink()
    with pytest.raises(FormatError, match="cannot be read"):
        load_model(folder)


def test_broken_or_missing_weights_are_named(model: EncoderModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path)
    settings = folder / "model.yaml"
    lines = settings.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "sha256" not in line]
    settings.write_text("\n".join(kept), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="the weights are missing"):
        load_model(folder)
