"""Sources as plain values, and what they load."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.sources import (
    ConfigSource,
    FolderSource,
    PresetSource,
    SetFacts,
    source_from_json,
)
from antiphon.active.learner.config import LoopConfig
from antiphon.errors import FileError, UserError
from tests.active.baseal.folders import write_subset
from tests.active.benchmark.made import sampling_file, small_set


@pytest.mark.parametrize(
    "source",
    [FolderSource("/a", "m", True, True), ConfigSource("/c.yml", 2), PresetSource("hsn", 3, 1)],
)
def test_sources_travel_as_plain_values(source):
    assert source_from_json(source.to_json()) == source


def test_an_unknown_kind_is_named():
    with pytest.raises(UserError, match="'moon'"):
        source_from_json({"kind": "moon"})


def test_a_folder_gives_the_set_in_it(tmp_path):
    source = FolderSource(str(small_set(tmp_path / "Pond_BASEAL")))
    (data,) = source.load(None)
    facts = SetFacts.of(data, source.vectors())
    assert (facts.name, facts.n_pool, facts.n_judges, facts.n_labels) == ("Pond", 60, 30, 2)
    assert facts.model == "perch_v2"
    assert SetFacts.from_json(facts.to_json()) == facts
    assert source.facts() is None


def test_deployments_become_sets(tmp_path):
    rows = [
        (f"{place}__{i:02d}.wav", "ab"[i % 2], str(i % 3 == 0))
        for place in ("casey2014", "kerguelen2014")
        for i in range(12)
    ]
    folder = write_subset(tmp_path / "ATBFL_BASEAL", rows)
    found = FolderSource(str(folder), split=True).load(None)
    assert [data.name for data in found] == ["casey2014", "kerguelen2014"]
    assert len({data.key for data in found}) == 2


def test_a_preset_knows_its_facts_without_being_made():
    source = PresetSource.parse("greenwich2015:1:5")
    (facts,) = source.facts()
    (data,) = source.load(None)
    assert replace(facts, notes=data.notes) == SetFacts.of(data, source.vectors())
    assert facts.name == "greenwich2015.1-s5"


def test_presets_differ_in_key_by_variant_and_seed():
    keys = {PresetSource("hsn", v, s).key() for v in (0, 1) for s in (0, 1)}
    assert len(keys) == 4


@pytest.mark.parametrize("text", ["hsn:x", "hsn:1:2:3", "hsn:-1", "moon", "hsn:99"])
def test_presets_that_are_not_there(text):
    with pytest.raises(UserError):
        PresetSource.parse(text)


def test_a_config_file_names_its_set(tmp_path):
    small_set(tmp_path / "Pond_BASEAL")
    config = tmp_path / "config.yml"
    config.write_text(
        "embeddings_dir: Pond_BASEAL/embeddings/perch_v2\n"
        "annotations_path: Pond_BASEAL/labels.csv\nmodel_name: perch_v2\n"
    )
    source = ConfigSource(str(config))
    (data,) = source.load(None)
    (same,) = FolderSource(str(tmp_path / "Pond_BASEAL")).load(None)
    np.testing.assert_array_equal(data.embeddings, same.embeddings)
    assert source.vectors() == "perch_v2"
    with pytest.raises(FileError, match="experiment 2"):
        ConfigSource(str(config), 1).load(None)


def test_a_participants_file_is_known_by_its_content(tmp_path):
    path = sampling_file(tmp_path / "team")
    source = StrategySource.file(path)
    assert source.name == "team"
    assert StrategySource.file(path, "first").name == "first"
    before = source.identity()
    path.write_text(path.read_text() + "# changed\n")
    assert source.identity() != before
    assert source.load(LoopConfig()).name == "sampling"
    with pytest.raises(FileError, match="no such file"):
        StrategySource.file(tmp_path / "none.py")


def test_strategies_must_be_known():
    assert StrategySource.named("coreset").load(LoopConfig()) == "coreset"
    with pytest.raises(UserError, match="Did you mean 'coreset'"):
        StrategySource.named("coresett")
