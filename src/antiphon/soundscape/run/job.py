"""What the scoring process is told: pieces, members and limits, as a file of JSON."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.errors import UserError
from antiphon.soundscape.members.member import Member
from antiphon.soundscape.members.overlap import Reduce, Use
from antiphon.soundscape.run.recordings import Recording
from antiphon.soundscape.run.rows import Piece
from antiphon.store.faults import writing

MEMBERS = "antiphon.soundscape.run.joining:member_specs"
"""Where members come from when nothing else is said."""


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A member before it is loaded, and how it is to be used.

    Parameters
    ----------
    name
        Unique in the ensemble.
    key
        What decides its scores (settings and content of its files), so that the journal of an
        earlier run is used for the same member only.
    load
        Makes the member, given how many threads will use it at once; may take long, and may fail.
    priority
        1 is kept longest; see :mod:`antiphon.soundscape.run.budget`.
    hop_s, shifts, reduce, use
        As for :func:`~antiphon.soundscape.members.contexts.plan_contexts` and
        :func:`~antiphon.soundscape.members.overlap.window_scores`.
    stride
        Every how many contexts it scores when there is time for all.
    """

    name: str
    key: str
    load: Callable[[int], Member]
    priority: int = 1
    hop_s: float | None = None
    shifts: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    reduce: Reduce = "max"
    use: Use = "auto"
    stride: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """All that the scoring process needs.

    Parameters
    ----------
    members
        ``module:function`` that returns the :class:`MemberSpec` of an ensemble's file.
    ensemble
        That file.
    journal, board
        Folder of the journal, and the file of :mod:`antiphon.soundscape.run.activity`.
    pieces
        What there is to score, in order.
    window_s
        Seconds of a window.
    workers
        Threads that score, one for each core.
    deadline
        Seconds of :func:`time.monotonic` at which it stops; None for never.
    alone
        Numbers of pieces to do first, one thing at a time, because one of them crashed.
    """

    members: str
    ensemble: Path
    journal: Path
    board: Path
    pieces: tuple[Piece, ...]
    window_s: float
    workers: int
    deadline: float | None = None
    alone: tuple[int, ...] = ()

    @property
    def preparers(self) -> int:
        """Threads that decode and prepare ahead of the workers."""
        return max(1, (self.workers + 1) // 2)

    @property
    def threads(self) -> int:
        """Threads that say what they do: workers, preparers, and the one that loads."""
        return self.workers + self.preparers + 1


def member_specs(source: str, ensemble: Path) -> list[MemberSpec]:
    """Call ``module:function`` with an ensemble's file.

    Raises
    ------
    UserError
        There is no such function.
    """
    module, _, name = source.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"Members from {source!r}: {error}. Use MODULE:FUNCTION.") from error
    found: list[MemberSpec] = list(function(ensemble))
    return found


def write_job(path: Path, job: Job) -> None:
    """Write a job."""
    recordings = list({piece.recording.key: piece.recording for piece in job.pieces}.values())
    number = {one.key: i for i, one in enumerate(recordings)}
    facts = asdict(job) | {
        "ensemble": str(job.ensemble),
        "journal": str(job.journal),
        "board": str(job.board),
        "recordings": [asdict(one) | {"path": str(one.path)} for one in recordings],
        "pieces": [
            [number[piece.recording.key], piece.rows.tolist(), piece.start_s.tolist()]
            for piece in job.pieces
        ],
    }
    with writing(path):
        path.write_text(json.dumps(facts), encoding="utf-8", errors="surrogateescape")


def read_job(path: Path) -> Job:
    """Read a job."""
    facts: dict[str, Any] = json.loads(path.read_text("utf-8", errors="surrogateescape"))
    recordings = [
        Recording(**(one | {"path": Path(one["path"])})) for one in facts.pop("recordings")
    ]
    pieces = tuple(
        Piece(recordings[r], np.array(rows, np.int64), np.array(starts, np.float64))
        for r, rows, starts in facts.pop("pieces")
    )
    for name in ("ensemble", "journal", "board"):
        facts[name] = Path(facts[name])
    return Job(pieces=pieces, alone=tuple(facts.pop("alone")), **facts)
