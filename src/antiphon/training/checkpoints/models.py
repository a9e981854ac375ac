"""Models in folders: ``model.safetensors`` with the weights, ``model.yaml`` with the rest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml
from safetensors.torch import save

from antiphon.encoders.checking import check_file, read_yaml
from antiphon.errors import ModelError
from antiphon.replacing import replacing
from antiphon.training.backbones.config import TimmConfig
from antiphon.training.checkpoints.config import ModelConfig
from antiphon.training.checkpoints.loading import load_state, read_state
from antiphon.training.front_end.spectra import Transform
from antiphon.training.model import EncoderModel

WEIGHTS = "model.safetensors"
SETTINGS = "model.yaml"


def save_model(
    model: EncoderModel,
    folder: Path,
    *,
    name: str = "",
    description: str = "",
    licence: str = "",
    source: str = "",
) -> Path:
    """Write a model; a folder that holds one already is replaced by it.

    The settings, written last, hold the checksum of the weights, so that an interrupted save is
    noticed and not loaded.

    Parameters
    ----------
    model
        The model, on any device.
    folder
        Made where it does not exist.
    name, description, licence, source
        For people.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    weights = save(state, metadata={"format": "pt"})
    settings = model_config(model).model_copy(
        update={
            "name": name,
            "description": description,
            "licence": licence,
            "source": source,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
        }
    )
    text = yaml.safe_dump(
        settings.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True
    )
    _replace(folder / WEIGHTS, weights)
    _replace(folder / SETTINGS, text.encode())
    return folder


def load_model(folder: Path, *, transform: Transform = "fft", quiet: bool = True) -> EncoderModel:
    """Read a model that :func:`save_model` wrote, in evaluation mode.

    Parameters
    ----------
    folder
        Its folder.
    transform
        How its spectra are computed.
    quiet
        Print the report of the tensors only where something did not fit.

    Raises
    ------
    FormatError
        The settings cannot be read or hold an unknown key.
    ModelError
        The weights are missing, corrupt, of another model, or do not fit.
    """
    settings_path, weights_path = folder / SETTINGS, folder / WEIGHTS
    settings = read_model_config(folder)
    if not weights_path.is_file():
        raise ModelError(weights_path, "the weights are missing")
    found = hashlib.sha256(weights_path.read_bytes()).hexdigest()
    if settings.weights_sha256 not in (None, found):
        raise ModelError(
            weights_path,
            f"is not the file that {settings_path.name} was written for",
            "Copy both again, or train the model to its end",
        )
    model = build_model(settings, transform=transform)
    load_state(model, read_state(weights_path), source=weights_path, quiet=quiet)
    model.eval()
    return model


def read_model_config(folder: Path) -> ModelConfig:
    """Read the settings of a model's folder.

    Raises
    ------
    FormatError
        They cannot be read or hold an unknown key or a wrong value.
    """
    path = folder / SETTINGS
    return check_file(ModelConfig, read_yaml(path), path)


def build_model(settings: ModelConfig, *, transform: Transform = "fft") -> EncoderModel:
    """Build a model with fresh weights; nothing is downloaded."""
    backbone = settings.backbone
    if isinstance(backbone, TimmConfig):
        backbone = backbone.model_copy(update={"pretrained": False})
    return EncoderModel(
        settings.front_end,
        settings.sample_rate,
        settings.window_s,
        backbone,
        settings.classes,
        settings.head,
        pooling=settings.pooling,
        transform=transform,
    )


def model_config(model: EncoderModel) -> ModelConfig:
    """Return the settings of a model."""
    return ModelConfig(
        sample_rate=model.sample_rate,
        window_s=model.window_s,
        front_end=model.front_end_config,
        backbone=model.backbone_config,
        pooling=model.pooling_kind,
        classes=model.classes,
        head=model.head_config,
    )


def _replace(path: Path, content: bytes) -> None:
    with replacing(path, sync=True) as part:
        part.write_bytes(content)
