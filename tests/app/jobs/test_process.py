from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from antiphon.app.jobs.process import Worker
from antiphon.app.jobs.records import lock_path
from antiphon.store.locks import try_lock
from antiphon.store.project import ProjectFolder


def finish(order) -> tuple[list[dict], list[str | None]]:
    heard, causes, over = [], [], threading.Event()

    def ended(cause):
        causes.append(cause)
        over.set()

    worker = Worker(order, heard.append, ended)
    assert over.wait(60)
    assert worker.wait(5)
    return heard, causes


def test_an_error_of_the_project_comes_as_its_sentence(tmp_path):
    heard, causes = finish({"project": str(tmp_path), "kind": "train", "preferences": {}})
    assert causes == [None]
    assert str(tmp_path) in heard[-1]["error"]
    assert "Traceback" not in heard[-1]["error"]


def test_a_worker_that_finds_the_lock_taken_says_so(project: Path):
    folder = ProjectFolder.open(project)
    lock = try_lock(lock_path(folder))
    try:
        heard, _ = finish({"project": str(project), "kind": "batch", "preferences": {}})
    finally:
        lock.release()
        folder.close()
    assert "Another running Antiphon is training" in heard[-1]["error"]


def test_an_error_that_nobody_expected_is_named(tmp_path):
    heard, causes = finish({"kind": "train"})
    assert causes == [None]
    assert "did not expect: KeyError('project')" in heard[-1]["error"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_worker_that_dies_without_a_word_has_a_cause(project: Path):
    over, causes = threading.Event(), []

    def ended(cause):
        causes.append(cause)
        over.set()

    worker = Worker(
        {"project": str(project), "kind": "train", "preferences": {}}, lambda _: None, ended
    )
    os.kill(worker.pid, signal.SIGABRT)
    assert over.wait(60)
    assert "was killed (SIGABRT)" in causes[0]
    assert "Nothing that was labelled is lost" in causes[0]
