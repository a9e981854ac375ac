from __future__ import annotations

import subprocess
import sys

import pydantic
import pytest

from antiphon.training.pretraining.config import BEATsConfig, EATConfig


def test_defaults_are_the_papers_numbers():
    eat = EATConfig()
    assert (eat.mask_ratio, eat.mask_block, eat.mask_adjust, eat.clones) == (0.8, 5, 0.07, 16)
    assert (eat.ema_start, eat.ema_end, eat.ema_steps) == (0.9998, 0.99999, 100_000)
    assert (eat.decoder_layers, eat.decoder_kernel, eat.decoder_groups) == (6, 3, 16)
    assert eat.utterance_weight == 1.0
    beats = BEATsConfig()
    assert (beats.mask_ratio, beats.codes, beats.code_dim) == (0.75, 1024, 256)
    assert (beats.predictor_layers, beats.estimator_layers) == (3, 3)


@pytest.mark.parametrize(
    ("model", "wrong", "word"),
    [
        (EATConfig, {"mask_ration": 0.8}, "mask_ration"),
        (EATConfig, {"mask_ratio": 1.0}, "mask_ratio"),
        (EATConfig, {"decoder_kernel": 4}, "odd"),
        (EATConfig, {"decoder_dim": 100, "decoder_groups": 16}, "multiple"),
        (EATConfig, {"ema_start": 0.9, "ema_end": 0.8}, "ema_end"),
        (BEATsConfig, {"codes": 1}, "codes"),
        (BEATsConfig, {"teacher": "somewhere"}, "go together"),
        (BEATsConfig, {"tokenizer_steps": 10}, "go together"),
    ],
)
def test_wrong_settings_are_errors(model, wrong, word):
    with pytest.raises(pydantic.ValidationError, match=word):
        model.model_validate(wrong)


def test_tiny_settings_are_valid():
    assert EATConfig.tiny().clones == 2
    assert BEATsConfig.tiny(teacher="first", tokenizer_steps=5).tokenizer_steps == 5


def test_settings_are_read_without_torch():
    code = "import sys, antiphon.training.pretraining.config; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
