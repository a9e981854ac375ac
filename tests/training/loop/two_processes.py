"""Trains the tiny stage as a program of its own, which Lightning starts once more for each rank."""

from __future__ import annotations

import functools
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from antiphon.training.loop.run import run_stage
from tests.training.loop import tiny

VIT = {"kind": "vit", "dim": 16, "depth": 2, "heads": 2, "patch": {"time": 8, "mel": 8}}


def settings(root: Path, processes: int):
    # Norms over a batch would differ with its share; those of a transformer do not.
    return tiny.config(
        root,
        backbone=VIT,
        loop={"processes": processes, "steps": 6, "log_every": 1},
        checkpoint={"every_steps": 2},
    )


class StopOnce:
    def __call__(self, loss):
        if os.environ.get("LOCAL_RANK", "0") == "1":
            os.kill(os.getpid(), signal.SIGTERM)
        return loss


def main() -> None:
    root, out = Path(sys.argv[1]), Path(sys.argv[2])
    at = {3: StopOnce()} if sys.argv[3:] == ["stop"] else None
    prepare = functools.partial(tiny.prepare, random=0.0, at=at)
    report = run_stage(settings(root, 2), out, prepare=prepare)
    if report.main:
        print(f"finished {report.finished} after {report.done}")


if __name__ == "__main__":
    main()
