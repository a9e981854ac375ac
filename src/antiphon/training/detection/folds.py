"""Training of one detector per fold, and what each says of the recordings it never heard.

::

    OUT/folds.csv                which fold each recording is in; kept for later runs
    OUT/fold-0/                  a run like any other, of all folds but 0; and so on
    OUT/fold-0/trained_on.csv    what it was trained on
    OUT/fold-0/out_of_fold.*     scores of the recordings of fold 0
    OUT/out_of_fold.*            those of all folds, when all are there
    OUT/folds.json               how good they are
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import UserError
from antiphon.labels.formats.table import write_text
from antiphon.training.checkpoints.models import load_model
from antiphon.training.config import RunConfig
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.folds import assign_folds, read_folds, write_folds
from antiphon.training.data.sources import read_sources
from antiphon.training.data.splitting import split
from antiphon.training.detection.files import SCORES, joined, read_windows, write_windows
from antiphon.training.detection.measures import FoldScore, measure
from antiphon.training.detection.scoring import recording_stems, score_recordings, window_length
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.run import run_stage
from antiphon.training.loop.trainer import device_of, processes_of

FOLDS, REPORT, TRAINED_ON = "folds.csv", "folds.json", "trained_on.csv"


@dataclass(frozen=True, slots=True)
class FoldsReport:
    """What the folds came to.

    Parameters
    ----------
    folder
        That holds them.
    folds
        The folds that are trained and scored, each with its measures; ``all`` last, when no fold
        is missing.
    stopped
        The fold whose training was stopped before its end; None for none.
    steps, done
        Of that fold.
    missing
        Folds that are not trained and scored yet.
    """

    folder: Path
    folds: tuple[FoldScore, ...]
    stopped: int | None = None
    steps: int = 0
    done: int = 0
    missing: tuple[int, ...] = field(default_factory=tuple)

    @property
    def scores(self) -> Path:
        """The score file of all folds."""
        return self.folder / SCORES


def train_folds(
    config: RunConfig,
    out: Path,
    folds: Sequence[int] | None = None,
    *,
    reporter: Reporter | None = None,
) -> FoldsReport:
    """Train a detector for each fold on the others, and score each fold by the one without it.

    What is finished is kept: the same call goes on where one was stopped, and folds may be
    trained one by one, also on several machines that share the folder.

    Parameters
    ----------
    config
        Of the stage ``detector``. ``data.folds`` says how many there are; ``data.holdout.share``
        gives way to them.
    out
        Folder of all folds.
    folds
        Which to train; all when None.
    reporter
        Hears of the progress.

    Raises
    ------
    UserError
        The settings are of another stage or of several processes, a fold is none of them, the
        folder holds something else, or data and model do not fit.
    """
    reporter = reporter or Silent()
    settings = config.data.folds or FoldsConfig()
    chosen = list(range(settings.count)) if folds is None else list(folds)
    _check(config, out, settings, chosen)
    kept = _keep_folds(config, settings, out, reporter)
    _check_held(out / FOLDS, settings, chosen)
    for fold in chosen:
        place = out / f"fold-{fold}"
        mine = fold_config(config, kept, fold)
        reporter.note(f"Fold {fold} of {settings.count}: {place}")
        report = run_stage(mine, place, reporter=reporter)
        if not report.finished:
            found = _scores(out, config, settings)
            return FoldsReport(out, found, fold, report.steps, report.done, _missing(out, settings))
        if not (place / SCORES).is_file():
            _score_fold(mine, place, reporter)
    missing = _missing(out, settings)
    found = _scores(out, config, settings)
    if not missing:
        windows = joined(
            [read_windows(p, window_length(config.data)) for p in _places(out, settings)]
        )
        write_windows(out, windows)
        found = (*found, measure("all", windows))
        text = json.dumps({"folds": [one.to_json() for one in found]}, indent=2)
        write_text(out / REPORT, text + "\n")
    return FoldsReport(out, found, missing=missing)


def fold_config(config: RunConfig, folds: FoldsConfig, fold: int) -> RunConfig:
    """Return the settings of the run that holds out one fold."""
    holdout = config.data.holdout.model_copy(update={"share": 0.0})
    data = config.data.model_copy(
        update={"folds": folds.model_copy(update={"fold": fold}), "holdout": holdout}
    )
    return config.model_copy(update={"name": f"{config.name}-fold{fold}", "data": data})


def _check(config: RunConfig, out: Path, settings: FoldsConfig, chosen: Sequence[int]) -> None:
    if not config.is_detector:
        raise UserError(
            f"Folds are of the stage detector, and these settings are of {config.stage}."
        )
    odd = [fold for fold in chosen if not 0 <= fold < settings.count]
    if odd:
        raise UserError(f"There is no fold {odd[0]}: {settings.count} folds count from 0.")
    if RunFolder(out).begun:
        raise UserError(f"{out} holds a run of its own. Give another --out for the folds.")
    if processes_of(config.loop) > 1:
        raise UserError(
            "Folds are trained by one process each: set loop.processes=1, and train several at a "
            "time by --fold, each on a GPU of its own."
        )


def _keep_folds(
    config: RunConfig, settings: FoldsConfig, out: Path, reporter: Reporter
) -> FoldsConfig:
    """Write which fold each recording is in, if that is not settled, and return who says so."""
    place = out / FOLDS
    if not place.is_file():
        table, _ = read_sources(config.data)
        write_folds(place, table, assign_folds(table, settings))
        reporter.note(f"Which fold each recording is in: {place}")
    return settings.model_copy(update={"file": place.absolute(), "fold": None})


def _check_held(place: Path, settings: FoldsConfig, chosen: Sequence[int]) -> None:
    """Refuse a fold without a recording: its run would hold nothing out, and judge nothing."""
    empty = sorted(set(chosen) - set(read_folds(place, settings.count).values()))
    if empty:
        raise UserError(
            f"{place} puts no recording into fold {empty[0]} of {settings.count}. Give the "
            "data.folds.count that it was made with, or another --out."
        )


def _score_fold(config: RunConfig, place: Path, reporter: Reporter) -> None:
    """Write what a fold's model was trained on, and its scores of the recordings it left out."""
    from antiphon.training.pseudo.config import PlacesConfig
    from antiphon.training.pseudo.out_of_fold import trained_on_clips, write_trained_on

    if config.loop.threads is not None:
        torch.set_num_threads(config.loop.threads)
    table, _ = read_sources(config.data)
    sides = split(table, config.data.holdout, config.data.folds)
    write_trained_on(place / TRAINED_ON, trained_on_clips(sides.training, PlacesConfig()))
    # Groups that a source keeps for validation are held out by every run, and in no fold.
    assert config.data.folds is not None
    fold = assign_folds(table, config.data.folds)
    own = fold[table.recordings.group[sides.validation.recording]] == config.data.folds.fold
    windows = score_recordings(
        load_model(RunFolder(place).model),
        sides.validation.select(own),
        config.data,
        names=recording_stems(table),
        device=device_of(config.loop),
        note=reporter.note,
    )
    write_windows(place, windows)


def _places(out: Path, settings: FoldsConfig) -> list[Path]:
    return [out / f"fold-{fold}" for fold in range(settings.count)]


def _missing(out: Path, settings: FoldsConfig) -> tuple[int, ...]:
    places = enumerate(_places(out, settings))
    return tuple(fold for fold, place in places if not (place / SCORES).is_file())


def _scores(out: Path, config: RunConfig, settings: FoldsConfig) -> tuple[FoldScore, ...]:
    length = window_length(config.data)
    return tuple(
        measure(str(fold), read_windows(place, length))
        for fold, place in enumerate(_places(out, settings))
        if (place / SCORES).is_file()
    )
