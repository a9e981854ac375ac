"""People's processes are killed while they answer: what was acknowledged is there, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from antiphon.store import answers, queues
from antiphon.store.project import ProjectFolder

PEOPLE = 3
ROOT = Path(__file__).resolve().parents[3]


def start(project: Path, log: Path, number: int, queue: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.pipeline.annotate.worker"]
    return subprocess.Popen([*command, str(project), str(log), f"p{number}", str(queue)], cwd=ROOT)


def wait_for(log: Path, lines: int) -> None:
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        if log.exists() and log.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.005)
    raise AssertionError("the workers do not come on")


def check(folder: ProjectFolder, log: Path) -> int:
    """Check all that was acknowledged, and that nothing is there by halves; return how many."""
    # A database server may still be at the last statement of a worker that is gone.
    with folder.catalogue.database.write() as connection:
        by_window = answers.by_window(connection)
        items = [item for q in queues.queues(connection) for item in queues.items(connection, q.id)]
    rows = {row.key: row for some in by_window.values() for row in some}
    acknowledged = [line.split() for line in log.read_text().splitlines()]
    acknowledged = [line for line in acknowledged if line[0] != "ready"]
    for kind, key in acknowledged:
        assert rows[key].kind == kind
    # Just what stands has its annotations, and all three of them.
    standing = {
        row.batch: row for some in by_window.values() for row in answers.piles(some).all_standing()
    }
    derived = defaultdict(list)
    for row in folder.catalogue.annotations().to_pylist():
        derived[row["batch"]].append((row["presence"], row["annotator"], row["recording_id"]))
    assert set(derived) == set(standing)
    for batch, row in standing.items():
        who = (row.annotator, row.recording_id)
        assert sorted(derived[batch]) == [(p, *who) for p in ("absent", "present", "unsure")]
    # Each item is closed by an answer to it that was not taken back, or open.
    by_id = {row.id: row for row in rows.values()}
    gone = {row.replaces for row in by_id.values() if row.kind == "retract"}
    closing = defaultdict(set)
    for row in by_id.values():
        if row.kind != "retract" and row.id not in gone and row.item_id is not None:
            closing[row.item_id].add(row.id)
    for item in items:
        assert (item.done in closing[item.id]) if closing[item.id] else item.done is None
    return len(acknowledged)


def run(folder: ProjectFolder, tmp_path: Path, kills: int) -> None:
    windows = [
        {"recording_id": r, "start_s": s / 10, "end_s": s / 10 + 3.0, "channel": -1}
        for r in range(1, 11)
        for s in range(0, 270, 3)
    ]
    with folder.catalogue.database.write() as connection:
        queue = queues.add_queue(
            connection, windows, name="q", kind="chosen", parameters={}, table_id=None, owner=None
        )
    log, rng = tmp_path / "log", random.Random(5)
    for _ in range(kills):
        before = log.read_bytes().count(b"\n") if log.exists() else 0
        workers = [start(folder.root, log, number, queue) for number in range(PEOPLE)]
        # Not into the imports: when all of them are at work.
        wait_for(log, before + PEOPLE + 6)
        time.sleep(rng.uniform(0.0, 0.05))
        for worker in workers:
            worker.kill()
            worker.wait()
        done = check(folder, log)
    assert done >= 6 * kills


def test_acknowledged_answers_survive_kills(folder: ProjectFolder, tmp_path: Path) -> None:
    run(folder, tmp_path, 2)


@pytest.mark.slow
def test_acknowledged_answers_survive_many_kills(folder: ProjectFolder, tmp_path: Path) -> None:
    run(folder, tmp_path, 20)
