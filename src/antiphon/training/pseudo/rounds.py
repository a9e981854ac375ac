"""Rounds: teachers label, students learn, and the students are the teachers of the next round."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.compare import Comparison
from antiphon.replacing import write_whole
from antiphon.training.pseudo.config import PseudoConfig, RoundsConfig, TeacherConfig
from antiphon.training.pseudo.folder import LABELS, SCORES, TOLD, held
from antiphon.training.pseudo.held_out import (
    against,
    fell,
    judge,
    keep_apart,
    plain,
    read_held_out,
    score_held_out,
)
from antiphon.training.pseudo.labelling import label_recordings
from antiphon.training.pseudo.out_of_fold import list_soundscapes, read_trained_on
from antiphon.training.pseudo.store import read_labels
from antiphon.training.pseudo.students import StudentTrainer
from antiphon.training.pseudo.teachers import OpenTeacher, Teacher

Float32 = npt.NDArray[np.float32]
Note = Callable[[str], None]

STUDENTS = "students.json"


@dataclass(frozen=True, slots=True)
class Round:
    """One round and what came of it.

    Parameters
    ----------
    number
        From 1; 0 for the teachers that all began with.
    gamma
        Power; None for round 0.
    score
        Macro ROC-AUC of its students on held-out recordings, with interval.
    best
        Number of the round that it was compared with; None for round 0.
    comparison
        With that round, on the same resamples; None for round 0.
    verdict
        ``start``, ``kept`` (not below the best so far) or ``not kept``.
    labels
        Report of its labels; empty for round 0.
    training
        Facts of its training.
    teachers
        Its students, as teachers of the next.
    """

    number: int
    gamma: float | None
    score: dict[str, Any]
    best: int | None
    comparison: dict[str, Any] | None
    verdict: str
    labels: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundsReport:
    """All rounds.

    Parameters
    ----------
    name
        Of the run.
    rounds
        In their order.
    kept
        Number of the round whose students are the result.
    models
        Their manifests.
    stopped
        Why no further round was run; empty where all were.
    held_out
        Recordings, windows, classes and groups that judged.
    apart
        Recordings that were not labelled, because they share a file or site with held-out ones.
    """

    name: str
    rounds: tuple[Round, ...]
    kept: int
    models: tuple[str, ...]
    stopped: str
    held_out: dict[str, Any]
    apart: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        names = Round.__dataclass_fields__
        return {
            "name": self.name,
            "kept": self.kept,
            "models": list(self.models),
            "stopped": self.stopped,
            "held_out": self.held_out,
            "not_labelled": self.apart,
            "rounds": [{n: getattr(one, n) for n in names} for one in self.rounds],
        }


def run_rounds(
    config: PseudoConfig,
    out: Path,
    trainer: StudentTrainer,
    open_teacher: OpenTeacher,
    note: Note = lambda text: None,
) -> RoundsReport:
    """Do all rounds, or go on with those that were stopped.

    Every step leaves a file and is not done again: scores of each recording, labels, students
    (their runs go on from checkpoints), held-out scores.

    Parameters
    ----------
    config
        With ``rounds``.
    out
        Folder of the run.
    trainer
        Trains the students.
    open_teacher
        Opens teachers, students among them.
    note
        Is told of the progress and of what was odd.

    Raises
    ------
    UserError
        The folder is of other settings; nothing is left to label; a recording has no teacher that
        may label or judge it.
    """
    assert config.rounds is not None
    # Settings of students name files in it, which no other folder may be put before.
    out = out.absolute()
    with held(config, out):
        return _Driver(config, config.rounds, out, trainer, open_teacher, note).run()


class _Driver:
    """What the rounds of one run share."""

    def __init__(
        self,
        config: PseudoConfig,
        rounds: RoundsConfig,
        out: Path,
        trainer: StudentTrainer,
        open_teacher: OpenTeacher,
        note: Note,
    ) -> None:
        self._config, self._rounds, self._out = config, rounds, out
        self._trainer, self._open, self._note = trainer, open_teacher, note
        self._held = read_held_out(rounds.held_out)
        self._scores: dict[int, Float32] = {}
        found = list_soundscapes(config.audio.path, config.audio)
        self._recordings, self._apart = keep_apart(found, self._held, rounds.held_out.apart)
        if self._apart:
            names = [f"{name} ({what})" for name, what in self._apart.items()]
            note(
                f"{counted(len(names), 'recordings')} of {len(found)} are not labelled, as they "
                f"share a file or site with held-out ones: {first_few(names)}."
            )
        if not self._recordings:
            raise UserError(
                "Every recording to label shares a file or site with held-out ones. Record "
                "elsewhere, or weaken held_out.apart."
            )

    def run(self) -> RoundsReport:
        self._trainer.prepare(self._recordings, self._out)
        teachers = self._config.teachers or self._students(0, None, 1.0)[0]
        rounds = [self._judged(0, None, teachers, None, {}, {})]
        best, stopped = 0, ""
        kept = teachers
        for number, gamma in enumerate(self._rounds.gammas, start=1):
            # After a round that was not kept, the better teachers go on teaching.
            labels = self._labels(number, gamma, kept)
            students, training = self._students(
                number, self._place(number) / LABELS, labels["weight"]
            )
            done = self._judged(number, gamma, students, best, labels, training)
            rounds.append(done)
            self._note(_line(done))
            if done.verdict == "kept":
                best, kept = number, students
            elif fell(self._comparison(number, best), self._rounds.stop):
                stopped = f"round {number} scored below round {best}"
                break
        held = {
            "recordings": len(self._held.recordings),
            "windows": len(self._held.start_s),
            "classes": len(self._held.classes),
            "group": self._rounds.held_out.group,
            "groups": len(set(self._held.groups)),
        }
        models = tuple(str(one.model) for one in kept)
        return RoundsReport(
            self._config.name, tuple(rounds), best, models, stopped, held, self._apart
        )

    def _place(self, number: int) -> Path:
        return self._out / f"round-{number}"

    def _opened(self, teachers: Sequence[TeacherConfig]) -> list[Teacher]:
        return [self._open(one) for one in teachers]

    def _labels(
        self, number: int, gamma: float, teachers: Sequence[TeacherConfig]
    ) -> dict[str, Any]:
        """Make the labels of a round, or take those that are there."""
        file, told = self._place(number) / LABELS, self._place(number) / TOLD
        if told.is_file() and file.is_file():
            read_labels(file)
            return _read(told)
        self._note(f"Round {number}: {len(teachers)} teachers label, power {gamma:g}")
        report = label_recordings(
            self._recordings,
            self._opened(teachers),
            [read_trained_on(one.trained_on, self._config.audio) for one in teachers],
            self._config,
            file,
            self._out / SCORES,
            gamma=gamma,
            round_number=number,
            focal=self._trainer.focal_mass,
            note=self._note,
        ).to_json()
        _write(told, report)
        return report

    def _students(
        self, number: int, labels: Path | None, weight: float
    ) -> tuple[tuple[TeacherConfig, ...], dict[str, Any]]:
        """Train the students of a round, or take those that are there."""
        place = self._place(number) / STUDENTS
        if place.is_file():
            known = _read(place)
            return tuple(TeacherConfig(**one) for one in known["students"]), known["facts"]
        trained = self._trainer.train(
            labels, weight, self._config.caps, self._place(number), self._note
        )
        students = [one.model_dump(mode="json") for one in trained.students]
        _write(place, {"students": students, "facts": trained.facts})
        return trained.students, trained.facts

    def _judged(
        self,
        number: int,
        gamma: float | None,
        students: Sequence[TeacherConfig],
        best: int | None,
        labels: dict[str, Any],
        training: dict[str, Any],
    ) -> Round:
        self._scores[number] = score_held_out(
            self._held,
            self._opened(students),
            [read_trained_on(one.trained_on, self._rounds.held_out) for one in students],
            self._config.scoring,
            self._config.targets,
            self._out / SCORES,
            self._note,
        )
        rules, seed = self._rounds.held_out, self._config.seed
        score = plain(judge(self._scores[number], self._held, rules, seed))
        comparison, verdict = None, "start"
        if best is not None:
            found = self._comparison(number, best)
            comparison = {**found.to_json(), "shown": found.shown}
            verdict = "kept" if found.value >= 0 else "not kept"
        names = tuple(one.name for one in students)
        return Round(number, gamma, score, best, comparison, verdict, labels, training, names)

    def _comparison(self, number: int, best: int) -> Comparison:
        rules, seed = self._rounds.held_out, self._config.seed
        return against(self._scores[number], self._scores[best], self._held, rules, seed)


def _line(done: Round) -> str:
    assert done.comparison is not None
    low, high = done.comparison["low"], done.comparison["high"]
    ends = "" if low is None else f", {low:+.4f} to {high:+.4f}"
    return (
        f"Round {done.number}: held-out macro ROC-AUC {done.score['value']:.4f}, against round "
        f"{done.best} {done.comparison['value']:+.4f}{ends}: {done.verdict}"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}). Remove it and run again.") from None


def _write(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, json.dumps(value, indent=1, allow_nan=False) + "\n")
