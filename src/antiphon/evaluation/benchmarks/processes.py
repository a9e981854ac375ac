"""The same run spread over processes: one for each data set and encoder, a few at a time."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections import deque
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from typing import Any

from antiphon.engine.progress import Reporter, Silent
from antiphon.evaluation.benchmarks.folder import Failure, ResultFolder
from antiphon.evaluation.benchmarks.runner import Asked, SuiteReport, run_suite

_LOOK_S = 0.2


@dataclass(slots=True)
class _Running:
    process: BaseProcess
    what: str
    asked: Asked
    heard: bool = False


def run_in_processes(asked: Asked, jobs: int, *, reporter: Reporter | None = None) -> SuiteReport:
    """Do what :func:`antiphon.evaluation.benchmarks.runner.run_suite` does, ``jobs`` at a time.

    A process that dies (killed for memory, a crash inside a network's library) takes its own data
    set and encoder with it and nothing else.

    Parameters
    ----------
    jobs
        Processes at most; 1 runs everything in this one.
    """
    reporter = reporter or Silent()
    if jobs <= 1 or len(asked.sources) * len(asked.encoders) <= 1:
        return run_suite(asked, reporter=reporter)
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    waiting = deque(
        replace(asked, sources=(source,), encoders=(ref,))
        for source in asked.sources
        for ref in asked.encoders
    )
    total = len(waiting)
    running: dict[int, _Running] = {}
    report = SuiteReport()
    reporter.start("Judging", float(total), "sets x encoders")
    number = 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                one = waiting.popleft()
                process = context.Process(target=_work, args=(number, one, told), daemon=True)
                process.start()
                what = f"{one.encoders[0].text} on {one.sources[0].label}"
                running[number] = _Running(process, what, one)
                number += 1
            _listen(told, running, report, reporter)
            for key in [k for k, r in running.items() if not r.process.is_alive()]:
                _listen(told, running, report, reporter)
                _bury(running.pop(key), report, reporter)
                reporter.advance(1.0)
    except KeyboardInterrupt:
        report.interrupted = True
        for left in running.values():
            left.process.terminate()
    for left in running.values():
        left.process.join()
    reporter.finish()
    report.failed = list(dict.fromkeys(report.failed))
    return report


def _work(number: int, asked: Asked, told: Any) -> None:
    # The terminal sends Ctrl-C to all; whoever started this process decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    told.put((number, run_suite(asked)))
    told.close()
    told.join_thread()


def _listen(
    told: Any, running: dict[int, _Running], report: SuiteReport, reporter: Reporter
) -> None:
    wait = _LOOK_S
    while True:
        try:
            key, part = told.get(timeout=wait)
        except queue.Empty:
            return
        wait = 0.0
        report.done += part.done
        report.kept += part.kept
        report.failed += part.failed
        for failure in part.failed:
            reporter.note(f"{failure.what}: {failure.reason}")
        if key in running:
            running[key].heard = True


def _bury(one: _Running, report: SuiteReport, reporter: Reporter) -> None:
    one.process.join()
    if one.heard:
        return
    code = one.process.exitcode
    how = "was killed; perhaps the memory was full (fewer --jobs need less)"
    reason = f"its process {how if code == -9 else f'ended with code {code}'}"
    failure = Failure(one.what, reason)
    report.failed.append(failure)
    ResultFolder(one.asked.out).note_failure(
        one.asked.sources[0].label, one.asked.encoders[0].text, failure
    )
    reporter.note(f"{one.what}: {reason}")
