# ruff: noqa: E402
"""Two processes share each step (gloo, on the CPU), and do what one does alone."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.training.loop.checkpoint import read_checkpoint
from antiphon.training.loop.log import read_log
from antiphon.training.loop.run import run_stage
from tests.training.loop import tiny
from tests.training.loop.two_processes import settings

SCRIPT = Path(__file__).with_name("two_processes.py")


def train(root: Path, out: Path, *more: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name in ("LOCAL_RANK", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        environment.pop(name, None)
    command = [sys.executable, str(SCRIPT), str(root), str(out), *more]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_train_as_one_and_stop_and_resume_together(tmp_path):
    single = tmp_path / "single"
    run_stage(settings(tmp_path, 1), single, prepare=functools.partial(tiny.prepare, random=0.0))
    # SIGTERM to the second process alone: both stop after the same step.
    assert "finished False after 5" in train(tmp_path, tmp_path / "both", "stop")
    assert "finished True after 6" in train(tmp_path, tmp_path / "both")
    name = "checkpoints/step-00000006.pt"
    one, two = read_checkpoint(single / name), read_checkpoint(tmp_path / "both" / name)
    for key, value in one["task"].items():
        torch.testing.assert_close(two["task"][key], value, rtol=1e-4, atol=1e-6, msg=key)
    alone, together = read_log(single / "log.csv"), read_log(tmp_path / "both" / "log.csv")
    assert [row["step"] for row in together] == [1, 2, 3, 4, 5, 6]
    for mine, theirs in zip(together, alone, strict=True):
        # The mean over both halves of the batch.
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert mine["gradient_norm"] == pytest.approx(theirs["gradient_norm"], rel=1e-3)
