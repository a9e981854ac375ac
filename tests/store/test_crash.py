"""Workers are killed with SIGKILL; afterwards nothing is lost, doubled or embedded again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from antiphon.store.project import ProjectFolder
from tests.store.making import check_complete, ids_of, make_project, make_table

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


class Workers:
    """Starts workers on one project and reads what they log."""

    def __init__(self, tmp_path: Path, recordings: int, url: str | None = None) -> None:
        self.log = tmp_path / "log"
        self.log.touch()
        self.folder = make_project(tmp_path, recordings, url)
        make_table(self.folder)
        self.seed = 0

    def start(
        self, crash: str = "none", flush_windows: int = 25, pause_s: float = 0.004
    ) -> subprocess.Popen[bytes]:
        self.seed += 1
        arguments = [self.folder.root, self.log, crash, self.seed, flush_windows, pause_s]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.store.worker", *map(str, arguments)],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
        )

    def lines(self, word: str) -> list[int]:
        rows = [line.split() for line in self.log.read_text().splitlines()]
        return [int(row[1]) for row in rows if row[0] == word]

    def wait_for(self, word: str, count: int) -> None:
        deadline = time.monotonic() + 120
        while len(self.lines(word)) < count:
            assert time.monotonic() < deadline, f"the workers never wrote {count} times {word!r}"
            time.sleep(0.002)

    def kill(self, process: subprocess.Popen[bytes]) -> bool:
        """Kill a worker; False if it had ended before."""
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def end(self, process: subprocess.Popen[bytes]) -> None:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()

    def check(self, kills: int) -> None:
        """Everything is there once, and nothing that was finished was begun again."""
        folder = ProjectFolder.open(self.folder.root)
        table = folder.table("toy")
        check_complete(table, ids_of(folder))
        finished: set[int] = set()
        begun: list[int] = []
        for line in self.log.read_text().splitlines():
            word, number = line.split()
            if word == "begin":
                assert int(number) not in finished, f"recording {number} was embedded twice"
                begun.append(int(number))
            elif word == "finish":
                finished.add(int(number))
        # A killed worker loses the recording in flight and no other.
        assert len(begun) - len(set(begun)) <= kills
        left = {path.name for path in table.wal_dir.iterdir()}
        assert left <= {"table.lock", "maintenance.lock"}


@pytest.fixture
def workers(url: str | None, tmp_path: Path) -> Workers:
    return Workers(tmp_path, 150, url)


def run_and_kill(workers: Workers, kills: int, processes: int, rng: random.Random) -> None:
    """Kill workers at random moments, then let the last ones end."""
    alive = [workers.start() for _ in range(processes)]
    killed = 0
    for _ in range(kills):
        finished = len(workers.lines("finish"))
        if finished < len(ids_of(workers.folder)) - 20:
            workers.wait_for("finish", finished + rng.randrange(1, 12))
            time.sleep(rng.random() * 0.02)
        victim = alive.pop(rng.randrange(len(alive)))
        killed += workers.kill(victim)
        alive.append(workers.start())
    for process in alive:
        workers.end(process)
    # A worker that ended early may have left recordings that a killed one held.
    workers.end(workers.start())
    assert killed > 0, "no worker was killed at work; the test shows nothing"
    workers.check(killed)


def test_kills_among_two_workers(workers: Workers) -> None:
    run_and_kill(workers, kills=2, processes=2, rng=random.Random(2))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_many_kills(url: str | None, tmp_path: Path, seed: int) -> None:
    workers = Workers(tmp_path, 400, url)
    run_and_kill(workers, kills=10, processes=1 + seed % 3, rng=random.Random(100 + seed))


def test_kill_between_commit_and_removal(workers: Workers) -> None:
    process = workers.start("after-commit")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    workers.end(workers.start())
    workers.check(kills=1)


@pytest.mark.slow
@pytest.mark.parametrize("crash", ["after-commit", "before-unclaim", "within-record"])
def test_kills_at_the_worst_moments(workers: Workers, crash: str) -> None:
    """Once in a run, once in the recovery of a run."""
    first = workers.start(flush_windows=10_000)
    workers.wait_for("finish", 10)
    assert workers.kill(first)
    for _ in range(2):
        process = workers.start(crash)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    workers.end(workers.start())
    workers.check(kills=3)
