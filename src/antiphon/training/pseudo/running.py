"""What ``antiphon pseudo-label`` does: labels once, or rounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.replacing import write_whole
from antiphon.training.pseudo.config import MassConfig, PseudoConfig, TeacherConfig
from antiphon.training.pseudo.folder import LABELS, SCORES, TOLD, held
from antiphon.training.pseudo.labelling import FocalMass, LabelReport, label_recordings
from antiphon.training.pseudo.mass import focal_clips
from antiphon.training.pseudo.out_of_fold import list_soundscapes, read_trained_on
from antiphon.training.pseudo.report import write_report
from antiphon.training.pseudo.rounds import RoundsReport, run_rounds
from antiphon.training.pseudo.students import StudentTrainer, open_students
from antiphon.training.pseudo.teachers import OpenTeacher, Teacher, open_member_teacher

Note = Callable[[str], None]


def label_once(
    config: PseudoConfig,
    out: Path,
    *,
    open_teacher: OpenTeacher | None = None,
    note: Note = lambda text: None,
) -> LabelReport:
    """Label a folder once, into ``labels.parquet`` with ``labels.json`` beside it.

    Recordings whose scores are kept from an earlier run are not scored again.

    Parameters
    ----------
    config
        Without ``rounds``.
    out
        Folder of the result.
    open_teacher
        Opens teachers; networks by their manifests when None.
    note
        Is told what was odd.

    Raises
    ------
    UserError
        The folder is of other settings, a recording has no teacher that may label it, or there
        are no focal clips to stay below.
    """
    opener = open_teacher or _opener(config)
    focal = None if config.mass is None else _focal(config.mass)
    with held(config, out):
        report = label_recordings(
            list_soundscapes(config.audio.path, config.audio),
            [opener(one) for one in config.teachers],
            [read_trained_on(one.trained_on, config.audio) for one in config.teachers],
            config,
            out / LABELS,
            out / SCORES,
            gamma=config.gamma,
            round_number=config.round,
            focal=focal,
            note=note,
        )
        told = json.dumps(report.to_json(), indent=1, allow_nan=False)
        write_whole(out / TOLD, told + "\n")
    return report


def run_all_rounds(
    config: PseudoConfig,
    out: Path,
    *,
    trainer: StudentTrainer | None = None,
    open_teacher: OpenTeacher | None = None,
    note: Note = lambda text: None,
) -> tuple[RoundsReport, Path]:
    """Do all rounds and write the report; return it with the path of its page.

    Parameters
    ----------
    config
        With ``rounds``.
    trainer
        Trains students; ``antiphon train-detector`` when None.
    out, open_teacher, note
        As :func:`label_once`.

    Raises
    ------
    UserError
        As :func:`antiphon.training.pseudo.rounds.run_rounds`.
    """
    assert config.rounds is not None
    if trainer is None:
        rounds = config.rounds
        trainer = open_students(rounds.student, config.audio.path, config.audio, rounds.folds)
    report = run_rounds(config, out, trainer, open_teacher or _opener(config), note)
    return report, write_report(report, out)


def _opener(config: PseudoConfig) -> OpenTeacher:
    def open_one(teacher: TeacherConfig) -> Teacher:
        return open_member_teacher(teacher, config.scoring, config.targets)

    return open_one


def _focal(caps: MassConfig) -> FocalMass:
    """Return the focal mass by the sources of a training run's settings."""

    def focal(classes: Sequence[str]) -> npt.NDArray[np.float64]:
        from antiphon.training.config import load_run_config
        from antiphon.training.data.sources import read_sources

        return focal_clips(read_sources(load_run_config(caps.focal).data)[0], classes)

    return focal
