"""What a journal holds of a run: who scored which piece, what failed, how plans changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.soundscape.run.job import MemberSpec
from antiphon.soundscape.run.journal import Block, JournalReader, block_of, piece_key
from antiphon.soundscape.run.rows import Piece

Float32 = npt.NDArray[np.float32]
Int16 = npt.NDArray[np.int16]


@dataclass(slots=True)
class MemberResult:
    """What one member did.

    Parameters
    ----------
    name, key
        Of the member.
    blocks
        Its scores, by number of the piece.
    failed
        Why it gave no scores for a piece, by number of the piece.
    dropped
        Why it was given up for good; empty while it was not.
    seconds, windows
        That it took, and windows that it scored, in this call.
    classes
        Names of the columns of its scores; empty until it was loaded.
    facts
        What it said of itself when loaded, such as runtime and precision.
    """

    name: str
    key: str
    blocks: dict[int, Block] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    dropped: str = ""
    seconds: float = 0.0
    windows: int = 0
    classes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def thinning(self, piece: int) -> int | None:
        """Return every how many contexts of a piece it heard, None if it has no scores."""
        block = self.blocks.get(piece)
        return None if block is None else block.thinning


class Results:
    """Follow a journal and keep what concerns this run's pieces and members.

    ``unread`` are pieces that cannot be read, with the reason; ``plans`` the changes of plan;
    ``memory`` the most memory of the scoring process in MB, piece by piece; ``fresh`` the pieces
    that got scores in this call; ``cpu_s`` the processor time that reading, preparing and scoring
    took.

    Parameters
    ----------
    folder
        Of the journal.
    pieces
        All pieces of the run.
    members
        All members.
    window_s
        Seconds of a window.
    """

    def __init__(
        self, folder: Path, pieces: Sequence[Piece], members: Sequence[MemberSpec], window_s: float
    ) -> None:
        self.pieces = tuple(pieces)
        self.members = {spec.name: MemberResult(spec.name, spec.key) for spec in members}
        self.unread: dict[int, str] = {}
        self.plans: list[dict[str, Any]] = []
        self.memory: list[float] = []
        self.fresh: set[int] = set()
        self.cpu_s = 0.0
        self._cpu_at = 0.0
        self.window_s = window_s
        self._reader = JournalReader(folder)
        self._piece = {piece_key(piece, window_s): i for i, piece in enumerate(pieces)}
        self._member = {spec.key: spec.name for spec in members}

    def update(self, *, earlier: bool = False) -> int:
        """Read what is new in the journal.

        Parameters
        ----------
        earlier
            The lines are of an earlier call: their scores count, and what killed the process is
            not tried again; their seconds, plans and other failures do not.

        Returns
        -------
        int
            Pieces that got scores they did not have.
        """
        fresh = 0
        for facts in self._reader.new():
            block = block_of(facts)
            if block is not None:
                fresh += self._take(block, earlier)
            else:
                self._note(facts, earlier)
        return fresh

    def scores(self, name: str, n_rows: int) -> tuple[Float32 | None, Int16]:
        """Return a member's scores of all rows.

        Returns
        -------
        scores
            ``(n_rows, its classes)``, NaN where it has none; None if it has none at all.
        thinning
            ``(n_rows,)`` every how many contexts were heard; 0 where there is no score.
        """
        blocks = self.members[name].blocks
        thinning = np.zeros(n_rows, np.int16)
        out: Float32 | None = None
        for i, block in blocks.items():
            found = self._reader.scores(block)
            if found is None:
                continue
            if out is None:
                out = np.full((n_rows, block.classes), np.nan, np.float32)
            rows = self.pieces[i].rows
            out[rows] = found
            thinning[rows] = block.thinning
        return out, thinning

    def _take(self, block: Block, earlier: bool) -> int:
        piece, name = self._piece.get(block.piece), self._member.get(block.member)
        if piece is None or name is None:
            return 0
        member = self.members[name]
        if block.rows != len(self.pieces[piece]) or self._reader.scores(block) is None:
            return 0
        before = member.blocks.get(piece)
        if before is None or block.thinning <= before.thinning:
            member.blocks[piece] = block
        if not earlier:
            member.seconds += block.seconds
            member.windows += block.rows
            self.fresh.add(piece)
        return int(before is None)

    def _note(self, facts: Mapping[str, Any], earlier: bool) -> None:
        kind = facts["kind"]
        name = self._member.get(str(facts.get("member")))
        piece = self._piece.get(str(facts.get("piece")))
        if kind == "loaded" and name is not None:
            member = self.members[name]
            member.classes = tuple(facts.get("classes") or ())
            member.facts = dict(facts.get("facts") or {})
        if earlier and not facts.get("fatal"):
            return
        if kind == "dropped" and name is not None:
            self.members[name].dropped = str(facts.get("reason"))
        elif kind == "failed" and name is not None and piece is not None:
            self.members[name].failed[piece] = str(facts.get("reason"))
        elif kind == "unread" and piece is not None:
            self.unread[piece] = str(facts.get("reason"))
        elif kind == "plan":
            self.plans.append({k: v for k, v in facts.items() if k != "kind"})
        elif kind == "piece":
            self.memory.append(float(facts.get("rss_mb") or 0.0))
            now = float(facts.get("cpu_s") or 0.0)
            self.cpu_s += max(0.0, now - self._cpu_at)
            self._cpu_at = max(now, self._cpu_at)
        elif kind == "ready":
            self._cpu_at = float(facts.get("cpu_s") or 0.0)
