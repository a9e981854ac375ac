"""Settings of pseudo-labels: which recordings, which teachers, which targets, how many rounds.

One strict YAML file; paths in it are relative to it::

    name: pantanal
    audio: {path: unlabelled}
    teachers:
      - {name: fold0, model: runs/fold0/export/fold0.yaml, trained_on: runs/fold0/trained_on.csv}
      - {name: fold1, model: runs/fold1/export/fold1.yaml, trained_on: runs/fold1/trained_on.csv}
    mass: {focal: student.yaml}
    rounds:
      student: student.yaml
      held_out: {audio: labelled, truth: truth.csv}
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic

from antiphon.encoders.checking import Strict, check_file, read_yaml

Share = Annotated[float, pydantic.Field(gt=0, lt=1)]
Probability = Annotated[float, pydantic.Field(ge=0, le=1)]
Positive = Annotated[float, pydantic.Field(gt=0)]
Count = Annotated[int, pydantic.Field(ge=1)]
Name = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

GAMMAS = (1.0, 1.54, 1.82)
"""Powers of the first rounds that strong entries to BirdCLEF 2025 and 2026 used."""


class PlacesConfig(Strict):
    """How the site of a recording is found.

    Attributes
    ----------
    site_pattern
        Regular expression on the file stem with a group ``site``; the usual names when None (see
        :mod:`antiphon.evaluation.blending.files.sites`).
    sites
        Table (CSV, TSV) with the columns ``recording`` and ``site`` that says it instead.
    """

    site_pattern: str | None = None
    sites: Path | None = None

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.site_pattern is not None and self.sites is not None:
            raise ValueError("site_pattern and sites exclude each other")
        return self


class AudioConfig(PlacesConfig):
    """The recordings to label.

    Attributes
    ----------
    path
        Their folder.
    """

    path: Path


class TeacherConfig(Strict):
    """A network that scores.

    Attributes
    ----------
    name
        In reports and in the file of labels.
    model
        Manifest (YAML) of the network, with ``scores`` or ``frames``.
    trained_on
        Table of what it was trained on (columns ``recording``, ``site``, ``content``), or null if
        that was none of these recordings and none of their sites, as for focal clips alone. It
        has to be said: nothing else keeps a teacher from marking its own homework.
    """

    name: Name
    model: Path
    trained_on: Path | None


class ScoringConfig(Strict):
    """How teachers score.

    Attributes
    ----------
    teachers
        ``out_of_fold``: each recording by the teachers that saw neither it nor its site. ``all``:
        every recording by all of them; one that was seen is an error.
    without_teacher
        What becomes of a recording that every teacher saw: ``error``, or ``leave_out`` and report.
    context_hop_s
        Seconds between contexts; see :func:`antiphon.soundscape.members.contexts.plan_contexts`.
    batch
        Contexts at once.
    workers
        Recordings at once, each on one thread.
    runtime
        ``auto``, ``onnxruntime`` or ``openvino``.
    """

    teachers: Literal["out_of_fold", "all"] = "out_of_fold"
    without_teacher: Literal["error", "leave_out"] = "error"
    context_hop_s: Positive | None = None
    batch: Count = 16
    workers: Count = 1
    runtime: Literal["auto", "onnxruntime", "openvino"] = "onnxruntime"


class TargetConfig(Strict):
    """How probabilities become targets.

    Attributes
    ----------
    window_s
        Seconds of a window.
    frame_s
        Seconds of a frame, a whole part of a window; null for targets of windows alone.
    window
        What a window's probability is: that of the ``clip``, the largest of its ``frames``, the
        mean of ``both``, or ``auto``: that of the clip where a teacher has one, else of frames.
    floor
        Targets of windows below it become 0, after the power: the class is absent.
    frame_floor
        The same for frames of the classes that are left.
    class_windows
        A class keeps its targets in so many windows, the strongest; in others it is unknown, not
        absent. None for no cap.
    """

    window_s: Positive = 5.0
    frame_s: Positive | None = 0.5
    window: Literal["auto", "clip", "frames", "both"] = "auto"
    floor: Probability = 0.1
    frame_floor: Probability = 0.02
    class_windows: Count | None = 500

    @pydantic.model_validator(mode="after")
    def _whole_frames(self) -> Self:
        if self.frame_s is not None:
            parts = self.window_s / self.frame_s
            if parts < 1 or abs(parts - round(parts)) > 1e-6:
                raise ValueError(
                    f"window_s {self.window_s:g} is no whole number of frames of {self.frame_s:g} s"
                )
        return self


class MassConfig(Strict):
    """How much may come from pseudo-labels.

    Attributes
    ----------
    focal
        Settings of a training run (YAML) whose labelled sources are the focal clips.
    share
        Largest mass of all pseudo-labels, as a share of that of the focal clips.
    class_share
        The same for each class by itself; None for no such cap. A class without focal clips then
        gets no targets: it is unknown wherever a teacher hears it.
    """

    focal: Path
    share: Share = 0.9
    class_share: Share | None = 0.9


class HeldOutConfig(PlacesConfig):
    """The labelled soundscapes that judge every round.

    Attributes
    ----------
    audio, truth
        Folder of the recordings, and their windows and labels (``filename``, ``start``, ``end``,
        ``primary_label``).
    group
        What is drawn for intervals: ``file`` or ``site``.
    apart
        What the labelled recordings and these must not have in common: recordings to label that
        do are left out, and reported.
    resamples
        Of intervals and tests.
    level
        Of intervals.
    """

    audio: Path
    truth: Path
    group: Literal["file", "site"] = "file"
    apart: tuple[Literal["file", "site"], ...] = ("file", "site")
    resamples: Count = 1000
    level: Share = 0.95


class RoundsConfig(Strict):
    """Teacher, labels, student, score: again until it stops helping.

    Attributes
    ----------
    student
        Settings of ``antiphon train-detector`` (YAML). Each round adds the pseudo-labelled source.
    folds
        Folds of the student: as teachers of the next round, each scores what it did not see.
    gammas
        The power of each round, and with that the number of rounds.
    held_out
        What judges them.
    stop
        ``fall``: stop when the held-out score is below the best one so far. ``shown``: only when
        its paired interval lies below 0 and the test agrees. ``never``: do all rounds.
    """

    student: Path
    folds: Count = 5
    gammas: Annotated[tuple[Positive, ...], pydantic.Field(min_length=1)] = GAMMAS
    held_out: HeldOutConfig
    stop: Literal["fall", "shown", "never"] = "fall"

    @pydantic.model_validator(mode="after")
    def _folds_for_rounds(self) -> Self:
        if len(self.gammas) > 1 and self.folds < 2:
            raise ValueError(
                "with one fold a student has seen all that it would label in the next round; "
                "give folds: 2 or more, or one gamma"
            )
        return self


class PseudoConfig(Strict):
    """Everything that ``antiphon pseudo-label`` does.

    Attributes
    ----------
    name
        Of the run.
    seed
        Of resamples; students have the seed of their own settings.
    audio
        The recordings to label.
    teachers
        Of the first round. Left out with ``rounds``: the student, trained on its own data.
    scoring, targets
        How they score and what is made of it.
    gamma, round
        Power and number, without ``rounds``.
    mass
        Caps against focal clips; the student of ``rounds`` is taken when None.
    rounds
        The driver; None to make labels once.
    """

    name: Name
    seed: Annotated[int, pydantic.Field(ge=0)] = 0
    audio: AudioConfig
    teachers: tuple[TeacherConfig, ...] = ()
    scoring: ScoringConfig = ScoringConfig()
    targets: TargetConfig = TargetConfig()
    gamma: Positive = 1.0
    round: Count = 1
    mass: MassConfig | None = None
    rounds: RoundsConfig | None = None

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = [name for name, n in Counter(t.name for t in self.teachers).items() if n > 1]
        if twice:
            raise ValueError(f"two teachers are called {twice[0]!r}")
        if self.rounds is None and not self.teachers:
            raise ValueError("without rounds, teachers must be given")
        if self.rounds is not None and {"gamma", "round"} & self.model_fields_set:
            raise ValueError("rounds have their own gammas and numbers; take out gamma and round")
        return self

    @property
    def caps(self) -> MassConfig | None:
        """The caps on mass, those against the student's own data where none are given."""
        if self.mass is None and self.rounds is not None:
            return MassConfig(focal=self.rounds.student)
        return self.mass


def load_pseudo_config(path: Path) -> PseudoConfig:
    """Read settings; paths in them become absolute.

    Raises
    ------
    FormatError
        A key or value is not valid; the message names it and the nearest valid key.
    """
    config = check_file(PseudoConfig, read_yaml(path), path)
    return _absolute(config, path.resolve().parent)


def _absolute(model: Strict, base: Path) -> PseudoConfig:
    changed = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path):
            value = base / value.expanduser()
        elif isinstance(value, Strict):
            value = _absolute(value, base)
        elif isinstance(value, tuple) and value and isinstance(value[0], Strict):
            value = tuple(_absolute(one, base) for one in value)
        changed[name] = value
    # Only what was given counts as set, so that checks of "not both" still hold.
    kept = {name: changed[name] for name in model.model_fields_set}
    copy: PseudoConfig = model.model_copy(update=kept)  # type: ignore[assignment]
    return copy
