"""The folder of a benchmark: whole files, and what is not one of ours."""

from __future__ import annotations

import json

import pytest

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.folder import (
    BenchmarkFolder,
    Failure,
    Result,
    read_result,
)
from antiphon.active.benchmark.plan import plan
from antiphon.active.benchmark.sources import PresetSource
from antiphon.errors import FileError, FormatError
from antiphon.replacing import write_whole
from tests.active.benchmark.made import made_facts, made_result


@pytest.fixture
def folder(tmp_path):
    return BenchmarkFolder(tmp_path / "run")


def _group(*strategies):
    return plan([PresetSource("hsn")], [StrategySource(s) for s in strategies])


def _keep(folder, result):
    path = folder.run_path(result.facts, result.system, result.run.seed)
    write_whole(path, json.dumps(result.to_json()))
    return path


def test_plans_add_up(folder):
    assert not folder.exists()
    folder.add_groups([_group("random")])
    folder.add_groups([_group("random"), _group("coreset")])
    assert folder.groups() == [_group("random"), _group("coreset")]


def test_results_are_read_back_in_a_fixed_order(folder):
    made = [made_result("random", made_facts("A"), seed, [0.1, 0.2]) for seed in (1, 0)]
    for result in made:
        _keep(folder, result)
    found, notes = folder.results()
    assert found == made[::-1]
    assert notes == []
    assert Result.from_json(json.loads(json.dumps(made[0].to_json()))) == made[0]


def test_names_that_are_no_file_names(folder):
    path = folder.run_path(
        made_facts("a/../b c:*"), made_result("random", made_facts("x"), 0, [1]).system, 0
    )
    assert path.parent.parent.parent == folder.path / "runs"
    assert "/" not in path.parent.parent.name


def test_a_broken_result_is_left_out_and_said_to_be(folder):
    path = _keep(folder, made_result("random", made_facts("A"), 0, [0.1]))
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert read_result(path) is None
    found, (note,) = folder.results()
    assert found == []
    assert str(path) in note


def test_what_is_expected_and_not_there(folder):
    result = made_result("random", made_facts("A"), 0, [0.1])
    path = folder.run_path(result.facts, result.system, 0)
    folder.expect([path, path.with_name("1.json")])
    folder.expect([path])
    assert folder.missing() == 2
    _keep(folder, result)
    assert folder.missing() == 1


def test_halves_of_files_are_cleaned_up(folder):
    path = _keep(folder, made_result("random", made_facts("A"), 0, [0.1]))
    half = path.with_name(".1.json.123.part")
    half.write_text("{")
    folder.clean()
    assert [p.name for p in path.parent.iterdir()] == ["0.json"]


def test_failures_are_kept(folder):
    failure = Failure("A", "coreset", 3, "it rained")
    folder.note_failure(folder.path / "failed" / "x" / "3.json", failure)
    assert folder.failures() == [failure]
    assert failure.what == "coreset on A, seed 3"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "holiday.txt").write_text("sun")
    with pytest.raises(FileError, match="holds other files"):
        BenchmarkFolder(tmp_path).add_groups([_group("random")])


def test_without_a_benchmark(folder):
    with pytest.raises(FileError, match="holds no benchmark"):
        folder.groups()


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 99, "groups": []}'])
def test_a_broken_plan_is_named(folder, text):
    write_whole(folder.path / "benchmark.json", text)
    with pytest.raises(FormatError, match=r"benchmark\.json"):
        folder.groups()
