"""Teachers: what scores the windows and frames of a recording."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.audio.resample import output_length
from antiphon.errors import UserError
from antiphon.soundscape.members.contexts import ContextPlan, plan_contexts
from antiphon.soundscape.members.member import MemberScores
from antiphon.soundscape.members.overlap import Use, window_scores, windows_from_contexts
from antiphon.soundscape.members.scoring import score_plan
from antiphon.training.data.matching import listing
from antiphon.training.pseudo.config import ScoringConfig, TargetConfig, TeacherConfig
from antiphon.training.pseudo.store import TeacherFacts

if TYPE_CHECKING:
    from antiphon.soundscape.members.choosing import Precision, RuntimeChoice
    from antiphon.soundscape.members.member import Member

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Seconds of windows that are scored at once, so that memory does not grow with the recording.
_BLOCK_S = 300.0


@dataclass(frozen=True, slots=True)
class WindowScores:
    """Probabilities of one recording.

    Parameters
    ----------
    windows
        ``(W, C)`` float32 in [0, 1].
    frames
        ``(F, C)`` float32 in [0, 1]: frame f covers ``[f * frame_s, (f + 1) * frame_s)`` of the
        recording; None where no frames were asked for.
    """

    windows: Float32
    frames: Float32 | None


class Teacher(Protocol):
    """One that scores recordings; may be asked from several threads at once."""

    @property
    def facts(self) -> TeacherFacts:
        """Its name, the fingerprint of its model and where that is."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of its scores."""
        ...

    def score(
        self, path: Path, starts: Float64, window_s: float, frame_s: float | None
    ) -> WindowScores:
        """Score windows of a recording and, if their length is given, its frames.

        Parameters
        ----------
        path
            The recording.
        starts
            ``(W,)`` seconds at which windows begin; with frames they lie side by side.
        window_s
            Their length.
        frame_s
            Seconds of a frame, None for no frames.

        Raises
        ------
        AudioError
            The recording cannot be read.
        UserError
            Frames are asked for, and the network has none.
        """
        ...


OpenTeacher = Callable[[TeacherConfig], Teacher]
"""Opens the teacher that settings describe."""


class MemberTeacher:
    """A teacher that is a member of a soundscape ensemble.

    Contexts that overlap are averaged frame by frame, so that a frame at the border of one is
    also judged from the middle of another.

    Parameters
    ----------
    member
        The scorer.
    facts
        What is kept of it.
    scoring
        Hop and batch.
    use
        What a window's probability is; see :class:`.config.TargetConfig`.
    """

    def __init__(
        self, member: Member, facts: TeacherFacts, scoring: ScoringConfig, use: Use = "auto"
    ) -> None:
        self._member = member
        self._facts = facts
        self._scoring = scoring
        self._use = use

    @property
    def facts(self) -> TeacherFacts:
        """Its name, the fingerprint of its model and where that is."""
        return self._facts

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of its scores."""
        return self._member.classes

    def score(
        self, path: Path, starts: Float64, window_s: float, frame_s: float | None
    ) -> WindowScores:
        """Score windows and frames; see :meth:`Teacher.score`."""
        info = probe(path)
        n_samples = output_length(info.frames, info.sample_rate, self._member.sample_rate)
        count = 0 if frame_s is None else math.ceil(info.duration_s / frame_s - 1e-6)
        cells: Float64 = np.arange(count, dtype=np.float64) * (frame_s or 0.0)
        windows = np.full((len(starts), len(self.classes)), np.nan, np.float32)
        frames = np.full((len(cells), len(self.classes)), np.nan, np.float32)
        block = (starts // _BLOCK_S).astype(np.int64)
        for number in np.unique(block):
            rows = np.flatnonzero(block == number)
            plan = plan_contexts(
                n_samples,
                self._member.sample_rate,
                self._member.context_s,
                starts[rows],
                window_s,
                self._scoring.context_hop_s,
            )
            scores = self._contexts(path, plan)
            use: Use = self._use
            if use == "auto":
                use = "clip" if scores.clip is not None else "frames"
            windows[rows] = window_scores(scores, plan, "max", use)
            if frame_s is not None:
                low, high = starts[rows[0]], starts[rows[-1]] + window_s
                inside = np.flatnonzero((cells >= low - 1e-6) & (cells < high - 1e-6))
                frames[inside] = self._frames(scores, plan, cells[inside], frame_s)
        # What no window covers was not heard; nothing is made of it.
        return WindowScores(
            np.clip(np.nan_to_num(windows), 0.0, 1.0),
            None if frame_s is None else np.clip(np.nan_to_num(frames), 0.0, 1.0),
        )

    def _contexts(self, path: Path, plan: ContextPlan) -> MemberScores:
        """Score the contexts of a plan, with no more of the recording in memory than they hear."""
        rate, first = plan.sample_rate, int(plan.starts[0])
        end = min(int(plan.starts[-1]) + plan.context_samples, plan.n_samples)
        audio = read_span(path, first / rate, end / rate, sample_rate=rate)[0]
        moved = replace(plan, starts=plan.starts - first)
        return score_plan(self._member, audio, moved, self._scoring.batch)

    def _frames(
        self, scores: MemberScores, plan: ContextPlan, cells: Float64, frame_s: float
    ) -> Float32:
        if scores.frames is None:
            raise UserError(
                f"Teacher {self._facts.name!r} has no scores of frames. Set targets.frame_s: null "
                "for targets of windows alone, or take a network with frames."
            )
        starts = plan.starts / plan.sample_rate
        return windows_from_contexts(
            scores.frames, starts, plan.context_s, cells, frame_s, "mean", plan.duration_s
        )


@dataclass(frozen=True, slots=True)
class _Settings:
    """What :func:`antiphon.soundscape.members.loading.load_member` asks for."""

    name: str
    model: Path | None
    scores: Use
    runtime: RuntimeChoice
    precision: Precision = "f32"
    encoder: str | None = None
    head: Path | None = None


def open_member_teacher(
    config: TeacherConfig, scoring: ScoringConfig, targets: TargetConfig
) -> Teacher:
    """Open the network of a manifest as a teacher.

    Raises
    ------
    FileError
        The manifest or its model is missing, damaged or does not fit.
    UserError
        The network has not the scores that the settings ask for.
    """
    from antiphon.soundscape.members.loading import load_member

    use = targets.window
    member = load_member(
        _Settings(config.name, config.model, use, scoring.runtime), threads=scoring.workers
    )
    facts = TeacherFacts(config.name, model_fingerprint(config.model), str(config.model))
    return MemberTeacher(member, facts, scoring, use)


def model_fingerprint(manifest: Path) -> str:
    """Return a hash of what decides a network's scores: its settings and the file of its weights.

    Raises
    ------
    FormatError, ModelError
        The manifest or its model is missing or damaged.
    """
    from antiphon.encoders.manifest import load_manifest
    from antiphon.encoders.modelfile import check_sha256, find_model

    facts = load_manifest(manifest)
    digest = check_sha256(find_model(facts, manifest.parent), facts.sha256)
    text = json.dumps([facts.identity(), digest], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def check_classes(teachers: Sequence[Teacher]) -> tuple[str, ...]:
    """Return the classes that all teachers have, in the order of the first.

    Raises
    ------
    UserError
        They differ; the message names who and which.
    """
    first = teachers[0]
    for other in teachers[1:]:
        apart = sorted(set(first.classes) ^ set(other.classes))
        if apart:
            raise UserError(
                f"Teachers {first.facts.name!r} and {other.facts.name!r} know different classes: "
                f"{listing(apart)}. Their scores can only be averaged if they agree."
            )
    return first.classes


def mean_scores(
    scores: Sequence[WindowScores], columns: Sequence[npt.NDArray[np.intp]]
) -> WindowScores:
    """Return the mean of several teachers' probabilities.

    Parameters
    ----------
    columns
        For each teacher ``(C,)``: where it has each class.
    """
    windows = [s.windows[:, c] for s, c in zip(scores, columns, strict=True)]
    frames = [s.frames[:, c] for s, c in zip(scores, columns, strict=True) if s.frames is not None]
    return WindowScores(_mean(windows), _mean(frames) if frames else None)


def _mean(values: Sequence[Float32]) -> Float32:
    out: Float32 = np.asarray(np.stack(values).mean(axis=0, dtype=np.float64), np.float32)
    return out
