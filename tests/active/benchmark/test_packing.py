"""Packages from a benchmark's runs."""

from __future__ import annotations

import zipfile

import pytest
import yaml

from antiphon.active.benchmark.packing import write_packages
from antiphon.errors import UserError
from tests.active.benchmark.made import made_facts, made_result

SETS = [made_facts("HSN", domain="BirdSet"), made_facts("POW", domain="BirdSet")]


@pytest.fixture
def results():
    return [
        made_result(name, facts, seed, [0.1 * k] * 10)
        for k, name in enumerate(("random", "coreset"), start=1)
        for facts in SETS
        for seed in range(5)
    ]


def test_each_system_gets_a_package(results, tmp_path):
    first, second = write_packages(results, tmp_path, lastname="Lindqvist", institute="UU")
    assert first.path.name == "Lindqvist_UU_task4_1.zip"
    assert second.path.name == "Lindqvist_UU_task4_2.zip"
    with zipfile.ZipFile(first.path) as archive:
        names = archive.namelist()
        fields = yaml.safe_load(archive.read("coreset_HSN_Lindqvist.yaml"))
    assert "coreset_POW_Lindqvist.yaml" in names
    assert "sampling.py" in names
    assert fields["config"]["n_outer_repeats"] == 5
    assert fields["model"] == "perch_v2"
    assert fields["learning_curve"][-1]["n_labeled"] == 500
    assert fields["learning_curve"][-1]["mAP_mean"] == pytest.approx(0.2)
    assert any("no results of UHH, ATBFL" in warning for warning in first.warnings)


def test_only_what_was_asked_for(results, tmp_path):
    (one,) = write_packages(
        results,
        tmp_path,
        lastname="Lindqvist",
        institute="UU",
        model="birdnet",
        strategies=["random"],
    )
    with zipfile.ZipFile(one.path) as archive:
        assert yaml.safe_load(archive.read("random_POW_Lindqvist.yaml"))["model"] == "birdnet"
    with pytest.raises(UserError, match="no results of dpp"):
        write_packages(results, tmp_path, lastname="L", institute="U", strategies=["dpp"])
