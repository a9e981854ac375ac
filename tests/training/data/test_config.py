from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.encoders.checking import Strict, check_file
from antiphon.errors import FormatError
from antiphon.training.data.config import DataConfig


class Run(Strict):
    data: DataConfig
    augment: AugmentConfig = AugmentConfig()


def check(**values: object) -> Run:
    return check_file(Run, values, Path("run.yaml"))


def test_a_wrong_key_is_named_with_the_right_one():
    source = {"kind": "folder", "path": "x"}
    with pytest.raises(FormatError, match=r"unknown key 'augment\.nois' \(Did you mean 'noise'"):
        check(data={"sources": [source]}, augment={"nois": {}})
    with pytest.raises(FormatError, match=r"'augment\.noise\.snr' \(Did you mean 'snr_db'"):
        check(data={"sources": [source]}, augment={"noise": {"snr": 3}})
    with pytest.raises(FormatError, match=r"label_folder' \(Did you mean 'label_folders'"):
        check(data={"sources": [{**source, "label_folder": True}]})
    with pytest.raises(FormatError, match=r"unknown key 'data\.batches' \(Did you mean 'batch'"):
        check(data={"sources": [source], "batches": 3})


def test_numbers_out_of_range_are_refused():
    source = {"kind": "folder", "path": "x"}
    for wrong in (
        {"batch": 0},
        {"long_tail": 1.5},
        {"clip_s": 0},
        {"mix": {"bio": 0}},
        {"sources": []},
    ):
        with pytest.raises(pydantic.ValidationError):
            DataConfig.model_validate({"sources": [source], **wrong})


def test_defaults_are_those_of_the_paper():
    augment = AugmentConfig.model_validate({"noise": {}, "mixup": {}})
    assert augment.noise is not None
    assert (augment.noise.p, augment.noise.snr_db) == (0.5, (-10.0, 20.0))
    assert augment.mixup is not None
    assert augment.mixup.p == 0.5
    assert AugmentConfig.model_validate(augment.model_dump()) == augment


def test_a_step_of_augmentation_is_off_unless_it_is_named():
    assert set(AugmentConfig().model_dump().values()) == {None, 0.0}
    named = check(
        data={"sources": [{"kind": "folder", "path": "x"}]},
        augment={"gain": {}, "mixup": None, "polarity": None},
    ).augment
    on = {step for step, value in named.model_dump().items() if value}
    assert on == {"gain"}


def test_samples_of_an_example():
    source = {"kind": "folder", "path": "x"}
    data = DataConfig.model_validate({"sources": [source], "sample_rate": 22_050, "clip_s": 3.001})
    assert data.samples == 66_172
