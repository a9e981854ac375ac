"""Students: detectors that learn from focal clips and the pseudo-labels of a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import counted
from antiphon.labels.formats.table import csv_text, write_text
from antiphon.training.config import RunConfig, load_run_config
from antiphon.training.data.config import DataConfig, FolderSource
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.folds import assign_folds
from antiphon.training.data.reading import recording_groups
from antiphon.training.data.sources import read_sources, source_names
from antiphon.training.data.splitting import split
from antiphon.training.data.table import ClipTable
from antiphon.training.pseudo.config import (
    MassConfig,
    PlacesConfig,
    TeacherConfig,
)
from antiphon.training.pseudo.folder import FOLDS, GROUPS
from antiphon.training.pseudo.mass import capped_weight, focal_clips
from antiphon.training.pseudo.out_of_fold import (
    Soundscape,
    trained_on_clips,
    write_trained_on,
)

Float64 = npt.NDArray[np.float64]
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a round of training leaves.

    Parameters
    ----------
    students
        As teachers of the next round, each with what it was trained on.
    facts
        For the report: weight and masses under the sampler.
    """

    students: tuple[TeacherConfig, ...]
    facts: dict[str, Any] = field(default_factory=dict)


class StudentTrainer(Protocol):
    """One that trains students, and goes on where it was stopped."""

    def focal_mass(self, classes: Sequence[str]) -> Float64:
        """Return ``(C,)``: clips of each class in the labelled sources."""
        ...

    def prepare(self, recordings: Sequence[Soundscape], out: Path) -> None:
        """Get ready for recordings that will be labelled; ``out`` is the folder of the run."""
        ...

    def train(
        self, labels: Path | None, weight: float, caps: MassConfig | None, out: Path, note: Note
    ) -> Trained:
        """Train one student for each fold.

        Parameters
        ----------
        labels
            The pseudo-labels of the round; None for focal clips alone.
        weight
            Of a pseudo-labelled window, where a focal clip has 1.
        caps
            Which the mass under the sampler stays below as well.
        out
            Folder of the round.
        note
            Is told of the progress.
        """
        ...


TrainFolds = Callable[[RunConfig, Path, int], list[Path]]
"""``train(config, folder, folds)`` trains what is left to train, and returns the finished runs."""

Export = Callable[[Path, Path], Path]
"""``export(run, folder)`` makes a network of a run, if there is none, and returns its manifest."""


class DetectorStudents:
    """Students by ``antiphon train-detector``, exported so that they can score.

    Parameters
    ----------
    config
        Settings of the student.
    audio
        Folder of the pseudo-labelled recordings.
    places
        How their sites are found.
    folds
        How many students.
    train, export
        Those of the package when None.

    Raises
    ------
    UserError
        The settings are of no detector, or have another number of folds.
    """

    def __init__(
        self,
        config: RunConfig,
        audio: Path,
        places: PlacesConfig,
        folds: int,
        *,
        train: TrainFolds | None = None,
        export: Export | None = None,
    ) -> None:
        if not config.is_detector:
            raise UserError(
                f"rounds.student is of the stage {config.stage}, and a student that labels the "
                "next round must be a detector (stage: detector)."
            )
        own = config.data.folds
        if own is not None and folds > 1 and own.count != folds:
            raise UserError(
                f"rounds.folds is {folds}, but the student has data.folds.count: {own.count}."
            )
        self._config = config
        self._audio = audio
        self._places = places
        self._folds = folds
        self._train = train or _train
        self._export = export or _export
        self._focal: ClipTable | None = None
        self._groups: dict[str, str] = {}
        self._out = Path()

    @property
    def focal(self) -> ClipTable:
        """The labelled clips of the student's own sources."""
        if self._focal is None:
            self._focal = read_sources(self._config.data)[0]
        return self._focal

    def focal_mass(self, classes: Sequence[str]) -> Float64:
        """Return ``(C,)``: clips of each class in the labelled sources."""
        return focal_clips(self.focal, classes)

    def prepare(self, recordings: Sequence[Soundscape], out: Path) -> None:
        """Write the groups of the recordings, and folds of them and of the labelled clips.

        A site, or a recording of which none is known, is in one fold: the student of that fold is
        the one that may label it in the next round.
        """
        names = [one.name for one in recordings]
        own = recording_groups(names)
        self._groups = {
            one.name: f"site {one.site}" if one.site else alone
            for one, alone in zip(recordings, own, strict=True)
        }
        self._out = out
        write_text(out / GROUPS, csv_text(("recording", "group"), self._groups.items()))
        if self._folds > 1:
            write_text(
                out / FOLDS, csv_text(("source", "recording", "group", "fold"), self._fold_rows())
            )

    def _fold_rows(self) -> list[tuple[str, str, str, str]]:
        """Return the fold of every group: of labelled clips as ever, then of the rest evenly."""
        table, own = self.focal, self._config.data.folds
        given = FoldsConfig(count=self._folds, seed=self._config.seed) if own is None else own
        found = assign_folds(table, given)
        names = table.groups.to_pylist()
        fold = {name: int(f) for name, f in zip(names, found, strict=True) if f >= 0}
        rows = [("", "", name, str(f)) for name, f in fold.items()]
        size: dict[str, int] = {}
        for group in self._groups.values():
            size[group] = size.get(group, 0) + 1
        count = np.zeros(self._folds, np.int64)
        for group in size:
            if group in fold:
                count[fold[group]] += size[group]
        # The largest first, each to the fold that has least.
        for group in sorted(set(size) - set(fold), key=lambda one: (-size[one], one)):
            mine = int(count.argmin())
            count[mine] += size[group]
            rows.append(("", "", group, str(mine)))
        return rows

    def train(
        self, labels: Path | None, weight: float, caps: MassConfig | None, out: Path, note: Note
    ) -> Trained:
        """Train one student for each fold; see :meth:`StudentTrainer.train`."""
        data, facts = self._data(labels, weight, caps, note)
        config = self._config.model_copy(update={"data": data})
        note(f"{out.name}: {counted(self._folds, 'students')} of {len(data.sources)} sources")
        runs = self._train(config, out / "students", self._folds)
        students = []
        for number, run in enumerate(runs):
            seen, network = out / f"trained_on-{number}.csv", out / f"network-{number}"
            mine = config.data
            if self._folds > 1:
                mine = _holding_out(data, number)
            table = split(read_sources(mine)[0], mine.holdout, mine.folds).training
            write_trained_on(seen, trained_on_clips(table, self._places))
            manifest = self._export(run, network)
            students.append(TeacherConfig(name=f"fold{number}", model=manifest, trained_on=seen))
        return Trained(tuple(students), facts)

    def _data(
        self, labels: Path | None, weight: float, caps: MassConfig | None, note: Note
    ) -> tuple[DataConfig, dict[str, Any]]:
        """Return the student's data with the pseudo-labelled source, and its masses."""
        data = self._config.data
        if self._folds > 1:
            folds = (data.folds or FoldsConfig()).model_copy(
                update={"count": self._folds, "fold": None, "file": (self._out / FOLDS).absolute()}
            )
            data = data.model_copy(update={"folds": folds})
        if labels is None:
            return data, {}
        own = dict(zip(source_names(data.sources), data.sources, strict=True))
        clips = np.bincount(self.focal.source_of_clips, minlength=len(own))
        weighted = [
            source if source.weight is not None else source.model_copy(update={"weight": float(n)})
            for source, n in zip(own.values(), clips, strict=True)
            if n > 0
        ]
        pseudo = FolderSource(
            path=self._audio,
            name=_free_name(own),
            pseudo=labels,
            metadata=self._out / GROUPS,
            group_column="group",
            missing="error",
            weight=1.0,
            domain=weighted[0].domain,
        )
        with_labels = data.model_copy(update={"sources": (*weighted, pseudo)})
        table = read_sources(with_labels)[0]
        wanted = weight * float(table.pseudo_clips.sum())
        wanted *= sum(float(s.weight or 0) for s in weighted) / float(clips.sum())
        wanted, facts = capped_weight(table, with_labels, wanted, caps)
        for text in facts.pop("notes"):
            note(text)
        chosen = pseudo.model_copy(update={"weight": wanted})
        return data.model_copy(update={"sources": (*weighted, chosen)}), facts


def open_students(student: Path, audio: Path, places: PlacesConfig, folds: int) -> DetectorStudents:
    """Return the trainer of a student's settings.

    Raises
    ------
    FormatError, UserError
        The settings are not valid, or not of a detector.
    """
    return DetectorStudents(load_run_config(student), audio, places, folds)


def _free_name(taken: dict[str, Any]) -> str:
    name = "pseudo-labels"
    while name in taken:
        name += "-too"
    return name


def _holding_out(data: DataConfig, fold: int) -> DataConfig:
    """Return the data of the run that holds out one fold."""
    assert data.folds is not None
    holdout = data.holdout.model_copy(update={"share": 0.0})
    folds = data.folds.model_copy(update={"fold": fold})
    return data.model_copy(update={"folds": folds, "holdout": holdout})


def _train(config: RunConfig, folder: Path, folds: int) -> list[Path]:
    if folds == 1:
        from antiphon.training.loop.run import run_stage

        if not run_stage(config, folder).finished:
            raise KeyboardInterrupt
        return [folder]
    from antiphon.training.detection.folds import train_folds

    if train_folds(config, folder).stopped is not None:
        raise KeyboardInterrupt
    return [folder / f"fold-{fold}" for fold in range(folds)]


def _export(run: Path, folder: Path) -> Path:
    """Export a finished run once; a folder with a manifest is whole, as it is moved into place."""
    from antiphon.training.export.exporting import export_encoder

    there = sorted(folder.glob("*.yaml"))
    return there[0] if there else export_encoder(run, folder).manifest
