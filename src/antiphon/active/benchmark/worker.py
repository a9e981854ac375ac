"""A process that runs what it is told: a line of JSON in, lines of JSON out.

``python -m antiphon.active.benchmark.worker`` is started by
:class:`~antiphon.active.benchmark.workers.Workers`. A strategy that crashes, hangs or prints does
so here and not in the process that keeps the books. It ends when its input does, so that none is
left over when that process is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from antiphon.active.benchmark.folder import Result
from antiphon.active.benchmark.plan import System
from antiphon.active.benchmark.sources import SetFacts, source_from_json
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.loop import run_loop
from antiphon.errors import AntiphonError, UserError
from antiphon.replacing import write_whole


class Worker:
    """Does tasks one after the other and keeps the sets of the last source.

    Parameters
    ----------
    out
        Where events go, one line of JSON each.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._source: Mapping[str, Any] | None = None
        self._sets: list[LabelledSet] = []
        self._model = ""

    def do(self, task: Mapping[str, Any]) -> None:
        """Do one task; whatever it raises becomes an event."""
        try:
            if task["task"] == "facts":
                sets = self._load(task["source"], Path(task["cache"]))
                self.say("facts", facts=[SetFacts.of(d, self._model).to_json() for d in sets])
            else:
                self._run(task)
                self.say("done")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.say("failed", reason=_reason(error))

    def _run(self, task: Mapping[str, Any]) -> None:
        system = System.from_json(task["system"])
        if system.key() != task["system_key"]:
            raise UserError(f"{system.strategy.path} changed while the benchmark was running.")
        data = self._set(task["source"], task["set_key"], Path(task["cache"]))
        run = run_loop(
            data,
            system.strategy.load(system.config),
            system.config,
            int(task["seed"]),
            on_cycle=lambda cycle: self.say("cycle", n_labelled=cycle.n_labelled),
        )
        result = Result(
            SetFacts.of(data, self._model), system, task["system_key"], run, task["made"]
        )
        write_whole(Path(task["path"]), json.dumps(result.to_json()))

    def _load(self, source: Mapping[str, Any], cache: Path) -> list[LabelledSet]:
        if source != self._source:
            # Let go of the old ones first: two large sets may not fit together.
            self._source, self._sets = None, []
            found = source_from_json(source)
            self._sets, self._model = found.load(cache), found.vectors()
            self._source = source
        return self._sets

    def _set(self, source: Mapping[str, Any], key: str, cache: Path) -> LabelledSet:
        for data in self._load(source, cache):
            if data.key == key:
                return data
        raise UserError("The data set changed while the benchmark was running.")

    def say(self, event: str, **values: Any) -> None:
        """Write an event."""
        self._out.write(json.dumps({"event": event, **values}) + "\n")
        self._out.flush()


def main() -> None:
    """Serve until the input ends."""
    # The terminal sends Ctrl-C to all; whoever started this process decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a strategy prints goes to the log and not between the events.
    os.dup2(2, 1)
    worker = Worker(events)
    try:
        worker.say("ready")
        for line in sys.stdin:
            worker.do(json.loads(line))
    except BrokenPipeError:
        # Nobody listens any more; closing the pipe must not complain about it.
        os._exit(0)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, AntiphonError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    main()
