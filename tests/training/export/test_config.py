from __future__ import annotations

import pydantic
import pytest

from antiphon.errors import UserError
from antiphon.training.export.config import Bounds, ExportConfig, file_name, parse_bounds


def test_default_bounds():
    config = ExportConfig(precision="int8")
    assert config.bounds_of("int8") == Bounds(mean=0.01, max=0.05, score=0.1)
    assert str(config.bounds_of("int8")) == "mean 0.01 and max 0.05 and score 0.1"
    assert config.bounds_of("fp32") == Bounds(max=1e-5)
    assert ExportConfig(precision="fp16").bounds_of("fp16") == Bounds(max=1e-3)


def test_given_bounds_replace_those_of_the_precision_asked_for():
    config = ExportConfig(precision="int8", bounds=Bounds(max=0.2))
    assert config.bounds_of("int8") == Bounds(mean=0.01, max=0.2, score=0.1)
    assert config.bounds_of("fp32") == Bounds(max=1e-5)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], Bounds()),
        (["0.02"], Bounds(max=0.02)),
        (["max=0.02", "mean=1e-3"], Bounds(max=0.02, mean=1e-3)),
        (["score=0.5"], Bounds(score=0.5)),
    ],
)
def test_bounds_as_given_on_the_command_line(given, expected):
    assert parse_bounds(given) == expected


@pytest.mark.parametrize(
    "given", [["most=1"], ["max=a"], ["0"], ["-1"], ["nan"], ["3"], ["1", "1"], ["score=1.5"]]
)
def test_wrong_bounds_are_named(given):
    with pytest.raises(UserError, match="--allow"):
        parse_bounds(given)


def test_a_quantisation_that_would_not_be_used():
    with pytest.raises(pydantic.ValidationError, match="goes with precision int8"):
        ExportConfig(quantisation="static")
    assert ExportConfig(quantisation="static", compare=True).quantisation == "static"


def test_names_of_files():
    assert file_name("Wrens of Skye, 2nd try") == "Wrens-of-Skye-2nd-try"
    assert file_name("../..") == "encoder"
    assert file_name("a_b.c+d") == "a_b.c+d"
