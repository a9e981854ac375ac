from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from antiphon.app.context import AppContext
from antiphon.app.jobs.records import Job, JobHistory, is_busy, keep_job, lock_path
from antiphon.app.jobs.runner import BusyError, runner_of
from antiphon.app.settings import Settings
from antiphon.store.locks import try_lock
from antiphon.store.project import ProjectFolder


@pytest.fixture
def context(project: Path):
    context = AppContext(ProjectFolder.open(project), Settings(annotator="ann"))
    yield context
    context.close()


def until(so, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_the_end_of_the_server_ends_a_training_and_says_so(context, project):
    runner = runner_of(context)
    job = runner.run("train", "ann")
    pid = runner.worker_pid()
    context.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    folder = ProjectFolder.open(project)
    (kept,) = JobHistory(folder).load()
    assert (kept.id, kept.state) == (job.id, "cancelled")
    assert kept.error == "Cancelled by the end of the server."
    assert not is_busy(folder)
    folder.close()
    with pytest.raises(BusyError, match="stopping"):
        runner.run("train", "ann")


def test_two_servers_on_one_project_do_not_both_train(context, project):
    other = AppContext(ProjectFolder.open(project), Settings(annotator="ben"))
    runner = runner_of(context)
    job = runner.run("train", "ann")
    until(lambda: is_busy(context.folder) or runner.current() is None)
    with pytest.raises(BusyError, match="Another running Antiphon"):
        runner_of(other).run("train", "ben")
    # The other one shows it as running, until it is over.
    assert runner_of(other).jobs()[0].state == "running"
    until(lambda: runner.current() is None)
    assert [(one.id, one.state) for one in runner_of(other).jobs()] == [(job.id, "done")]
    other.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_worker_does_not_outlive_its_server(project):
    # A server that is killed cannot say goodbye; its end of the pipe closes all the same.
    program = (
        "import sys, time\n"
        "from antiphon.app.jobs.process import Worker\n"
        f"order = {{'project': {str(project)!r}, 'kind': 'train', 'preferences': {{}}}}\n"
        "worker = Worker(order, lambda m: print(m, flush=True), lambda cause: None)\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pid = int(server.stdout.readline())
    assert "running" in server.stdout.readline()
    server.kill()
    server.wait()
    server.stdout.close()

    def gone() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        return state == "Z"

    until(gone)
    folder = ProjectFolder.open(project)
    assert not is_busy(folder)
    assert [row.name for row in folder.catalogue.detectors()] == ["first"]
    assert [path.stem for path in (project / "models").glob("*.detector")] == ["first"]
    folder.close()


def test_a_job_whose_server_died_is_found_interrupted(context):
    keep_job(context.folder, Job(id="a", kind="train", server="another"))
    lock = try_lock(lock_path(context.folder))
    assert runner_of(context).jobs()[0].state == "running"
    lock.release()
    (job,) = runner_of(context).jobs()
    assert job.state == "interrupted"
    assert "server stopped" in job.error
    assert JobHistory(context.folder).load()[0].state == "interrupted"


def test_a_job_of_a_project_without_embeddings_does_not_start(tmp_path):
    (tmp_path / "sounds").mkdir()
    folder = ProjectFolder.create(tmp_path / "bare", [tmp_path / "sounds"])
    context = AppContext(folder, Settings(annotator="ann"))
    with pytest.raises(Exception, match="no embeddings"):
        runner_of(context).run("train", "ann")
    assert runner_of(context).jobs() == []
    context.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_worker_leaves_the_project_free_for_the_next_job(context):
    runner = runner_of(context)
    runner.run("train", "ann")
    os.kill(runner.worker_pid(), signal.SIGKILL)
    until(lambda: runner.current() is None)
    assert runner.run("batch", "ann").state == "running"
    until(lambda: runner.current() is None)
    assert [job.state for job in runner.jobs()] == ["done", "failed"]
