"""Requests about benchmarks: which runs are shown, their figures, and what was chosen when."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from antiphon.active.benchmark.folder import BenchmarkFolder, Failure
from antiphon.evaluation.benchmarks.folder import Failure as JudgingFailure
from antiphon.evaluation.benchmarks.folder import ResultFolder
from tests.app.benches import encoder_run, strategy_run

if TYPE_CHECKING:
    from tests.app.running import AppClient


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strategies, three repeats and four cycles of ten on 60 rows of two classes."""
    return strategy_run(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def shown(project: Path, bench: Path, tmp_path: Path) -> Iterator[AppClient]:
    """An app with a run of strategies in its project and one of encoders that was named."""
    from tests.app.running import open_client

    shutil.copytree(bench, project / "benchmarks" / "first")
    shutil.copytree(bench, tmp_path / "hidden" / "run")
    named = encoder_run(tmp_path / "named" / "encoders").parent
    # A link out of the project shows nothing of what lies there.
    (project / "benchmarks" / "link").symlink_to(tmp_path / "hidden")
    with open_client(project, benchmarks=(named,)) as made:
        yield made


def get(client: AppClient, path: str, **asked: Any) -> Any:
    response = client.get(f"/api/benchmark{path}", params=asked)
    assert response.status_code == 200, response.text
    return response.json()


def test_only_runs_of_the_project_and_named_ones_are_shown(
    shown: AppClient, client: AppClient
) -> None:
    found = get(shown, "")
    assert [(run["kind"], run["name"], run["mine"], run["results"]) for run in found["runs"]] == [
        ("strategies", "benchmarks/first", True, 6),
        ("encoders", "named/encoders", False, 2),
    ]
    for run in ("0123456789abcdef", found["runs"][1]["id"]):
        assert shown.get("/api/benchmark/strategies", params={"run": run}).status_code == 404
    for run in ("../../etc", "/etc/passwd", "a" * 4000):
        assert shown.get("/api/benchmark/strategies", params={"run": run}).status_code == 422


def test_without_a_run_the_command_is_told(client: AppClient) -> None:
    found = get(client, "")
    assert found["runs"] == []
    assert "antiphon bench al" in found["strategies_command"]
    assert str(client.context.folder.root) in found["encoders_command"]


def test_failures_name_files_and_not_where_they_lie(shown: AppClient, project: Path) -> None:
    folder = BenchmarkFolder(project / "benchmarks" / "first")
    where = project / "benchmarks" / "first" / "failed" / "one.json"
    reason = "[Errno 2] No such file or directory: '/srv/my data/owls/x.npy'"
    folder.note_failure(where, Failure("/srv/sets/HSN", "", None, reason))
    first, second = (run["id"] for run in get(shown, "")["runs"])
    (said,) = get(shown, "/strategies", run=first)["failures"]
    assert said == "HSN: [Errno 2] No such file or directory: 'x.npy'"
    (project / "benchmarks" / "first" / "benchmark.json").write_text("{}")
    next((project / "benchmarks" / "first" / "runs").glob("*/*/*.json")).touch()
    broken = shown.get("/api/benchmark/strategies", params={"run": first})
    assert broken.status_code == 400
    assert "benchmarks/first cannot be read" in broken.json()["error"]
    assert str(project) not in broken.text
    results = ResultFolder(shown.context.settings.benchmarks[0] / "encoders")
    results.note_failure("frogs", "far", JudgingFailure("far on frogs", f"{results.path}/y: gone"))
    assert "far on frogs: encoders/y: gone" in get(shown, "/encoders", run=second)["notes"]


def test_figures_of_strategies(shown: AppClient, bench: Path) -> None:
    run = get(shown, "")["runs"][0]["id"]
    found = get(shown, "/strategies", run=run)
    results, _ = BenchmarkFolder(bench).results()
    assert {s["label"] for s in found["systems"]} == {"random", "coreset"}
    assert (found["results"], found["missing"], found["failures"]) == (6, 0, [])
    (data,) = found["sets"]
    assert (data["pool"], data["judging"], data["classes"]) == (60, 30, 2)
    keys = {s["label"]: s["key"] for s in found["systems"]}
    for cell in found["cells"]:
        mine = [r.run for r in results if r.system_key == cell["system"]]
        assert cell["seeds"] == [0, 1, 2]
        expected = np.mean([one.aulc() for one in mine])
        assert cell["scores"]["aulc"]["value"] == pytest.approx(expected)
        assert cell["scores"]["aulc"]["low"] < expected < cell["scores"]["aulc"]["high"]
    svg = get(shown, "/strategies/curves", run=run, set=data["key"], system=list(keys.values()))
    assert "coreset" in svg["svg"]
    (difference,) = get(shown, "/strategies/differences", run=run, reference=keys["coreset"])
    assert (difference["a"], difference["b"]) == ("coreset", "random")
    assert (difference["sets"], difference["pairs"]) == (1, 3)
    wrong = {"run": run, "set": "nothing", "system": [keys["random"]]}
    assert shown.get("/api/benchmark/strategies/curves", params=wrong).status_code == 404


def test_classes_of_new_and_old_runs(shown: AppClient, project: Path) -> None:
    run = get(shown, "")["runs"][0]["id"]
    found = get(shown, "/strategies", run=run)
    asked = {"run": run, "set": found["sets"][0]["key"], "system": [found["systems"][0]["key"]]}
    classes = get(shown, "/strategies/classes", **asked)
    assert [(row["name"], row["there"]) for row in classes["rows"]] == [("a", 30), ("b", 29)]
    assert classes["note"] == ""
    results, _ = BenchmarkFolder(project / "benchmarks" / "first").results()
    mine = [r.run for r in results if r.system_key == asked["system"][0]]
    value = classes["rows"][0]["values"][0]
    assert value["precision"]["value"] == pytest.approx(
        np.mean([dict(one.by_label)["a"] for one in mine])
    )
    assert 0 < value["found"] <= 30
    # Runs made before the precision of classes was kept.
    for path in (project / "benchmarks" / "first" / "runs").glob("*/*/*.json"):
        plain = json.loads(path.read_text())
        del plain["run"]["by_label"]
        path.write_text(json.dumps(plain))
    old = get(shown, "/strategies/classes", **asked)
    assert "--redo" in old["note"]
    assert [row["values"][0]["precision"] for row in old["rows"]] == [None, None]
    assert old["rows"][0]["values"][0]["found"] == value["found"]


def test_steps_follow_what_was_chosen(shown: AppClient, project: Path, bench: Path) -> None:
    run = get(shown, "")["runs"][0]["id"]
    found = get(shown, "/strategies", run=run)
    data, system = found["sets"][0]["key"], found["systems"][0]["key"]
    answer = shown.get("/api/benchmark/strategies/points", params={"run": run, "set": data})
    size = int.from_bytes(answer.content[:4], "little")
    told = json.loads(answer.content[4 : 4 + size])
    xy = np.frombuffer(answer.content[4 + size : 4 + size + 60 * 8], "<f4").reshape(-1, 2)
    assert np.abs(xy).max() == pytest.approx(1.0, abs=1e-5)
    assert told["names"] == ["a", "b", "several at once"]
    assert [one["count"] for one in told["arrays"]] == [120, 60]
    steps = get(shown, "/strategies/steps", run=run, set=data, system=system, seed=1)
    assert steps["kept"]
    one = next(
        r.run
        for r in BenchmarkFolder(bench).results()[0]
        if r.system_key == system and r.run.seed == 1
    )
    pool = [i for i in range(90) if i % 3]
    chosen = [[pool[i] for i in cycle["points"]] for cycle in steps["cycles"]]
    assert chosen == [list(cycle.rows) for cycle in one.cycles]
    assert [cycle["labelled"] for cycle in steps["cycles"]] == [10, 20, 30, 40]
    assert (steps["cycles"][-1]["classes"], steps["classes"]) == (2, 2)
    missing = {"run": run, "set": data, "system": system, "seed": 9}
    assert shown.get("/api/benchmark/strategies/steps", params=missing).status_code == 404
    # A run whose file lacks the rows says so.
    for path in (project / "benchmarks" / "first" / "runs").glob("*/*/1.json"):
        plain = json.loads(path.read_text())
        for cycle in plain["run"]["cycles"]:
            cycle["rows"] = []
        path.write_text(json.dumps(plain))
    old = get(shown, "/strategies/steps", run=run, set=data, system=system, seed=1)
    assert not old["kept"]
    assert "does not tell" in old["note"]


def test_a_data_set_that_is_gone_is_said_to_be(shown: AppClient, bench: Path) -> None:
    run = get(shown, "")["runs"][0]["id"]
    data = get(shown, "/strategies", run=run)["sets"][0]["key"]
    away = (bench.parent / "Small_BASEAL").rename(bench.parent / "Elsewhere")
    try:
        answer = shown.get("/api/benchmark/strategies/points", params={"run": run, "set": data})
    finally:
        away.rename(bench.parent / "Small_BASEAL")
    assert answer.status_code == 400
    assert "cannot be shown" in answer.json()["error"]
    assert str(bench.parent) not in answer.json()["error"]


def test_downloads(shown: AppClient) -> None:
    strategies, encoders = get(shown, "")["runs"]

    def rows(kind: str, run: str, what: str) -> list[dict[str, str]]:
        answer = shown.get(f"/api/benchmark/{kind}/download", params={"run": run, "what": what})
        assert f'filename="{what}"' in answer.headers["content-disposition"]
        return list(csv.DictReader(io.StringIO(answer.text)))

    assert len(rows("strategies", strategies["id"], "runs.csv")) == 6
    assert len(rows("strategies", strategies["id"], "cycles.csv")) == 24
    assert len(rows("strategies", strategies["id"], "classes.csv")) == 12
    figures = get(shown, "/strategies/download", run=strategies["id"], what="figures.json")
    assert {s["strategy"] for s in figures["systems"]} == {"random", "coreset"}
    assert len(rows("encoders", encoders["id"], "table.csv")) == 2
    assert rows("encoders", encoders["id"], "measures.csv")[0]["set"] == "frogs"
    wrong = {"run": strategies["id"], "what": "../benchmark.json"}
    assert shown.get("/api/benchmark/strategies/download", params=wrong).status_code == 422


def test_figures_of_encoders(shown: AppClient) -> None:
    run = get(shown, "")["runs"][1]["id"]
    found = get(shown, "/encoders", run=run)
    assert found["encoders"] == ["better", "spectral"]
    (row,) = found["rows"]
    assert (row["family"], row["measure"], row["sets"]) == (
        "Classification",
        "probe, accuracy",
        ["frogs"],
    )
    best = row["means"][0]
    assert (best["encoder"], best["value"], best["rank"]) == ("better", 0.8, 1.0)
    assert (best["low"], best["high"]) == (pytest.approx(0.7), pytest.approx(0.9))
    assert "better" in row["svg"]
    assert {one["encoder"]: one["items"] for one in found["sets"]} == {"better": 40, "spectral": 40}
