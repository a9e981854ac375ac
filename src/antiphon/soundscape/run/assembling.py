"""From the scores of members on disk to the file that is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.blending.files.submission import write_scores
from antiphon.soundscape.ensemble.blending import Ensemble
from antiphon.soundscape.ensemble.classes import classes_of
from antiphon.soundscape.ensemble.config import EnsembleConfig
from antiphon.soundscape.ensemble.prior import class_priors
from antiphon.soundscape.run.results import Results
from antiphon.soundscape.run.rows import Rows
from antiphon.soundscape.run.submission import Sample, sweep, write_submission

Float64 = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]
Bool = npt.NDArray[np.bool_]

NOT_REACHED = "not reached within the budget"
NO_MEMBER = "no member could score it"


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """What stands in the file.

    Parameters
    ----------
    score
        ``(n, C)``.
    heard
        ``(n,)`` rows that a member scored.
    full
        ``(n,)`` rows that every member scored, with nothing left out.
    reasons
        How many rows have no score, by why.
    blend
        What the ensemble says of its parts; empty where nothing was scored.
    """

    score: Float64
    heard: Bool
    full: Bool
    reasons: Counter[str]
    blend: dict[str, Any]


class Assembler:
    """Writes the file of a run, as far as the run has come.

    Parameters
    ----------
    config
        The ensemble.
    rows
        All rows.
    out
        The file.
    sample
        Gives the order of the classes; the ensemble's when not given.

    Raises
    ------
    UserError
        The ensemble and the sample have other classes.
    FileError
        A file that the ensemble names cannot be read.
    """

    def __init__(
        self, config: EnsembleConfig, rows: Rows, out: Path, sample: Sample | None = None
    ) -> None:
        self._config, self._rows, self._out = config, rows, out
        own = classes_of(config)
        self.classes = own if sample is None else sample.classes
        self._column = _columns(config.name, own, self.classes)
        self._prior = class_priors(config.prior, own)[self._column]
        # Opened without members, so that a faulty reference or taxonomy is told at once.
        self._ensemble = Ensemble.open(config, {})
        self._known: dict[str, tuple[str, ...]] = {}
        self.unusable: dict[str, str] = {}

    def write_priors(self) -> None:
        """Write the file before anything is scored: the prior of each class in every row."""
        sweep(self._out)
        score = np.broadcast_to(self._prior, (len(self._rows), len(self.classes)))
        write_submission(self._out, self._rows.names, self.classes, score)

    def write_before(self, results: Results) -> None:
        """Write the file before anything more is scored, with what an earlier call did."""
        sweep(self._out)
        self.write(results)

    def write(self, results: Results) -> Assembled:
        """Write the file with all scores that there are.

        Raises
        ------
        FileError, UserError
            As :func:`~antiphon.soundscape.run.submission.write_submission`; the last whole file
            stays.
        """
        found = self.assemble(results)
        write_submission(self._out, self._rows.names, self.classes, found.score)
        return found

    def assemble(self, results: Results) -> Assembled:
        """Return what the file is to hold."""
        n = len(self._rows)
        scores, there, full = self._aligned(results)
        heard = np.zeros(n, np.bool_)
        for some in there.values():
            heard |= some
        score: Float64 = np.tile(self._prior, (n, 1))
        blend: dict[str, Any] = {}
        if heard.any():
            combined = self._ensemble.combine(scores, self._rows.names, there)
            score, blend = combined.score[:, self._column], combined.to_json()
        return Assembled(score, heard, full & heard, self._reasons(results, heard), blend)

    def write_member_scores(self, results: Results, folder: Path) -> list[Path]:
        """Write a score file for each member, as ``antiphon blend`` reads them.

        Rows that the member did not score and classes that it does not know are left out.

        Returns
        -------
        list of pathlib.Path
            The files.
        """
        scores, there, _ = self._aligned(results)
        written = []
        for name, values in scores.items():
            known = np.asarray(~np.isnan(values[there[name]]).any(axis=0))
            columns = self._column[known[self._column]]
            path = folder / f"{name}.csv"
            rows = np.flatnonzero(there[name])
            write_scores(
                path,
                [self._rows.names[i] for i in rows],
                [c for c, k in zip(self.classes, known[self._column], strict=True) if k],
                values[np.ix_(rows, columns)],
            )
            written.append(path)
        return written

    def _aligned(self, results: Results) -> tuple[dict[str, Floats], dict[str, Bool], Bool]:
        """Return members' scores in the order of the ensemble's classes, and what is there."""
        n = len(self._rows)
        full = np.ones(n, np.bool_)
        scores: dict[str, Floats] = {}
        there: dict[str, Bool] = {}
        for name, member in results.members.items():
            values, thinning = results.scores(name, n)
            full &= thinning == 1
            if values is None or not self._opened(name, member.classes):
                full[:] = False
                continue
            scores[name] = self._ensemble.align(name, values)
            there[name] = (thinning > 0) & ~np.isnan(values).any(axis=1)
            full &= there[name]
        return scores, there, full

    def _opened(self, name: str, classes: tuple[str, ...]) -> bool:
        """Bring a member into the ensemble; return whether its scores can be used."""
        if name in self.unusable:
            return False
        if self._known.get(name) != classes:
            try:
                self._ensemble = Ensemble.open(self._config, {**self._known, name: classes})
            except UserError as error:
                self.unusable[name] = str(error)
                return False
            self._known[name] = classes
        return True

    def _reasons(self, results: Results, heard: Bool) -> Counter[str]:
        reasons: Counter[str] = Counter()
        for i, reason in self._rows.unreachable.items():
            if not heard[i]:
                reasons[reason] += 1
        for i, piece in enumerate(results.pieces):
            without = int((~heard[piece.rows]).sum())
            if not without:
                continue
            failed = [m.failed[i] for m in results.members.values() if i in m.failed]
            if i in results.unread:
                reasons[results.unread[i]] += without
            elif failed or all(m.dropped for m in results.members.values()):
                reasons[NO_MEMBER] += without
            else:
                reasons[NOT_REACHED] += without
        return reasons


def _columns(name: str, own: Sequence[str], wanted: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return where each wanted class is among the ensemble's own."""
    place = {c: i for i, c in enumerate(own)}
    missing = [c for c in wanted if c not in place]
    further = [c for c in own if c not in set(wanted)]
    if missing or further:
        parts = [
            f"{counted(len(names), 'classes')} {what}: {first_few(names)}"
            for names, what in (
                (missing, "of the sample that the ensemble lacks"),
                (further, "of the ensemble that the sample lacks"),
            )
            if names
        ]
        raise UserError(
            f"The ensemble {name} does not fit the sample: {'; '.join(parts)}. Set its classes to "
            "the sample file."
        )
    return np.array([place[c] for c in wanted], np.int64)
