"""Plans: what is the same run, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from antiphon.active.baseal.config import STRATEGIES
from antiphon.active.benchmark.asking import Asked, groups_of
from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.plan import Group, System, batches_text, plan
from antiphon.active.benchmark.sources import ConfigSource, PresetSource
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.errors import FileError, UserError
from tests.active.benchmark.made import sampling_file, small_set

RANDOM = StrategySource("random")


def test_a_plan_travels_as_plain_values():
    group = plan([PresetSource("hsn")], [RANDOM, StrategySource("coreset")], repeats=3, seed=4)
    assert group.seeds == (4, 5, 6)
    assert Group.from_json(group.to_json()) == group


def test_the_same_batches_are_the_same_system():
    def key(**given):
        return System(RANDOM, replace(LoopConfig(), **given)).key()

    assert key(schedule=Schedule.parse("50")) == key(schedule=Schedule.parse("50x10"))
    assert key(time_limit_s=1.0) == key(time_limit_s=None)
    others = [
        key(),
        key(schedule=Schedule.parse("25")),
        key(budget=400),
        key(exact=True),
        key(warmup="coreset"),
        System(StrategySource("coreset"), LoopConfig()).key(),
    ]
    assert len(set(others)) == len(others)


def test_batches_as_text():
    config = LoopConfig(budget=130, schedule=Schedule.parse("25x2,50"))
    assert batches_text(config) == "25x2,50x1,30x1"


def test_suggested_schedules():
    group = plan([PresetSource("hsn")], [RANDOM, StrategySource("adu-mmr")], suggested=True)
    assert [batches_text(system.config) for system in group.systems] == ["50x10", "25x20"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strategies": ("random",)}, "no data set"),
        ({"presets": ("hsn",)}, "no strategy"),
        ({"presets": ("hsn",), "strategies": ("randm",)}, "'random'"),
        ({"presets": ("hsn",), "strategies": ("random",), "schedule": "5y"}, "5y"),
        ({"presets": ("hsn",), "strategies": ("random",), "warmup": "cold"}, "'cold'"),
        ({"presets": ("hsn",), "strategies": ("random",), "repeats": 0}, "repeats"),
        ({"presets": ("hsn",), "strategies": ("random",), "seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_for(given, said):
    with pytest.raises(UserError, match=said):
        groups_of(Asked(**given))


def test_folders_are_looked_through(tmp_path):
    small_set(tmp_path / "data" / "A_BASEAL")
    small_set(tmp_path / "data" / "B_BASEAL", seed=1)
    asked = Asked(data=(tmp_path / "data",), strategies=("random",), schedule="20", budget=40)
    (group,) = groups_of(asked)
    assert [source.path[-8:] for source in group.sources] == ["A_BASEAL", "B_BASEAL"]
    assert group.systems[0].config == LoopConfig(budget=40, schedule=Schedule((20,)))
    with pytest.raises(FileError, match="no such folder"):
        groups_of(Asked(data=(tmp_path / "none",), strategies=("random",)))


CONFIG = """
experiments:
  - embeddings_dir: Pond_BASEAL/embeddings/perch_v2
    annotations_path: Pond_BASEAL/labels.csv
    sampling_strategy: margin_multilabel
    learning_rate: 0.01
    n_samples_per_iteration: 20
  - embeddings_dir: Pond_BASEAL/embeddings/perch_v2
    annotations_path: Pond_BASEAL/labels.csv
    sampling_strategy: custom
"""


def test_baseal_settings_become_plans(tmp_path):
    small_set(tmp_path / "Pond_BASEAL")
    config = tmp_path / "config.yml"
    config.write_text(CONFIG)
    with pytest.raises(UserError, match="experiment 2 has the strategy 'custom'"):
        groups_of(Asked(config=config))
    path = sampling_file(tmp_path / "team")
    first, second = groups_of(Asked(config=config, sampling=(path,), budget=40))
    assert first.sources == (ConfigSource(str(config.resolve()), 0),)
    (system,) = first.systems
    assert system.strategy.name == STRATEGIES["margin_multilabel"]
    assert (system.config.learning_rate, batches_text(system.config)) == (0.01, "20x2")
    assert second.systems[0].strategy.name == "team"


def test_sets_and_strategies_given_beside_settings_replace_theirs(tmp_path):
    small_set(tmp_path / "Pond_BASEAL")
    config = tmp_path / "config.yml"
    config.write_text(CONFIG)
    asked = Asked(config=config, presets=("hsn:1",), strategies=("random",), schedule="10")
    groups = groups_of(asked)
    assert all(group.sources == (PresetSource("hsn", 1),) for group in groups)
    assert all(group.systems[0].strategy == RANDOM for group in groups)
    assert batches_text(groups[0].systems[0].config) == "10x50"
