"""Settings of detectors: presets, and what does not go together."""

from __future__ import annotations

import pytest
import yaml

from antiphon.errors import FormatError
from antiphon.training.config import dump_config, list_presets, load_run_config
from antiphon.training.detection.config import DetectorConfig

SIZES = ("b0", "b3", "efficientnetv2-s", "convnext-s")
PRESETS = tuple(f"detector-{size}" for size in ("tiny", *SIZES))


def write(path, **values):
    path.write_text(yaml.safe_dump({"preset": "detector-tiny", **values}))
    return path


def test_there_is_a_preset_for_each_network():
    assert set(PRESETS) <= set(list_presets())


@pytest.mark.parametrize("size", SIZES)
def test_presets_hold_the_published_numbers(size, tmp_path):
    config = load_run_config(f"detector-{size}", folders=[tmp_path])
    assert config.stage == "detector"
    optimiser = config.optimiser
    assert (optimiser.lr, optimiser.weight_decay, optimiser.schedule) == (5e-4, 1e-4, "cosine")
    assert config.batch == 64
    averaging = config.settings.averaging
    assert (averaging.kind, averaging.decay) == ("ema", 0.999)
    front_end = config.front_end
    assert (config.data.sample_rate, config.data.clip_s) == (32_000, 5.0)
    assert (front_end.n_fft, front_end.hop, front_end.n_mels) == (2048, 512, 128)
    assert (front_end.fmin, front_end.fmax, front_end.top_db) == (20, 16_000, 80)
    assert (front_end.scale, front_end.norm, front_end.power) == ("htk", "slaney", 2)
    spec = config.augment.spec
    # 20 of 313 frames and 10 of 128 bands.
    assert round(spec.time_share * 313) == 20
    assert int(spec.mel_share * 128) == 10
    assert (spec.time_masks, spec.mel_masks, spec.band_p) == (1, 1, 0)
    assert config.augment.mixup.p == 0.5
    assert config.backbone.drop_path == 0.15
    assert (config.data.long_tail, config.data.clips_per_class) == (0.5, (100, 500))
    assert config.head.gem_p == 3


@pytest.mark.parametrize("name", PRESETS)
def test_presets_read_back(name, tmp_path):
    config = load_run_config(name, folders=[tmp_path])
    path = tmp_path / "again.yaml"
    path.write_text(dump_config(config))
    assert load_run_config(path) == config


def test_a_backbone_does_not_rest_by_default():
    assert DetectorConfig().frozen_by_default == 0.0
    assert DetectorConfig().unfrozen_rate == 1.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"detector": {"losses": {}}}, r"'detector\.losses'.*'loss'"),
        ({"detector": {"loss": {"kind": "focal", "gama": 2}}}, "'gamma'"),
        ({"detector": {"loss": {"kind": "focal", "gamma": 0.5}}}, "at least 1"),
        ({"head": {"kind": "sed", "gem": 3}}, "'gem_p'"),
        ({"head": {"kind": "sed", "gem_p": 0.5}}, "greater than or equal to 1"),
        ({"pooling": "attention"}, "that no detector trains"),
        ({"stage": "supervised", "detector": None}, "kind sed goes with the stage detector"),
        ({"data": {"folds": {"number": 5}}}, r"'data\.folds\.number'"),
        ({"data": {"folds": {"fold": 0}}}, r"take out holdout\.share"),
        ({"data": {"clips_per_class": [9, 3]}}, "9 to 3 runs backwards"),
        ({"data": {"secondary": 2}}, r"'data\.secondary'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, values, said):
    with pytest.raises(FormatError, match=said):
        load_run_config(write(tmp_path / "run.yaml", **values))


def test_another_head_is_no_detector(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"preset": "detector-b0", "head": {"kind": None, "hidden": 3}}))
    with pytest.raises(FormatError, match="head"):
        load_run_config(path, folders=[tmp_path])
