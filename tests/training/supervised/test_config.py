import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from antiphon.encoders.checking import Strict
from antiphon.training.supervised.config import (
    DistillConfig,
    EncoderTeacher,
    FinetuneConfig,
    LoraSettings,
    SupervisedConfig,
)
from antiphon.training.supervised.loss_config import AsymmetricConfig, LossConfig


def test_reading_settings_imports_no_torch() -> None:
    code = (
        "import sys, antiphon.training.supervised.config;"
        "sys.exit(any(m in sys.modules for m in ('torch', 'peft', 'timm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_published_numbers_are_the_defaults() -> None:
    # 1e-4 after 5e-4.
    assert SupervisedConfig().unfrozen_rate == pytest.approx(1e-4 / 5e-4)
    lora = LoraSettings()
    assert (lora.rank, lora.alpha, lora.dropout) == (32, 32.0, 0.1)


@pytest.mark.parametrize(
    "config",
    [
        SupervisedConfig(),
        SupervisedConfig(frozen_steps=3),
        FinetuneConfig(method="probe"),
        FinetuneConfig(lora=LoraSettings(rank=4)),
        DistillConfig.model_validate({"teacher": {"kind": "model", "path": "a/b"}}),
    ],
)
def test_what_a_run_writes_down_is_read_again(config: Strict) -> None:
    assert type(config).model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("model", "values", "match"),
    [
        (SupervisedConfig, {"frozen_shar": 0.1}, "frozen_shar"),
        (SupervisedConfig, {"frozen_share": 0.1, "frozen_steps": 3}, "not both"),
        (SupervisedConfig, {"layer_decay": 0.0}, "layer_decay"),
        (SupervisedConfig, {"averaging": {"kind": "ema", "start_share": 0.5}}, "start_share"),
        (FinetuneConfig, {"method": "probe", "lora": {"rank": 4}}, "no meaning"),
        (FinetuneConfig, {"method": "lora", "layer_decay": 0.8}, "no meaning"),
        (DistillConfig, {}, "teacher"),
        (DistillConfig, {"teacher": {"kind": "batch", "dim": 4}}, "'model', 'encoder'"),
        (
            DistillConfig,
            {"teacher": {"kind": "model", "path": "m"}, "cosine": 0, "mse": 0, "relational": 0},
            "must be above 0",
        ),
    ],
)
def test_mistakes_are_errors(model: type, values: dict, match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        model.model_validate(values)


def test_steep_focus_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        AsymmetricConfig(kind="asymmetric", gamma_negative=0.5)


def test_kinds_are_told_apart() -> None:
    loss = TypeAdapter(LossConfig).validate_python({"kind": "asymmetric"})
    assert isinstance(loss, AsymmetricConfig)
    assert (loss.gamma_positive, loss.gamma_negative, loss.margin) == (0.0, 4.0, 0.05)
    config = DistillConfig.model_validate({"teacher": {"kind": "encoder", "name": "spectral"}})
    assert isinstance(config.teacher, EncoderTeacher)
