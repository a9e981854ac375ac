"""One round of labels: recordings, teachers, scores, targets, caps, file and report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon._version import __version__
from antiphon.training.pseudo.config import MassConfig, PseudoConfig, TargetConfig
from antiphon.training.pseudo.mass import MassReport, cap_mass, sums
from antiphon.training.pseudo.out_of_fold import (
    Assignment,
    Soundscape,
    TrainedOn,
    assign,
)
from antiphon.training.pseudo.scoring import Scored, ScoredSet, score_all
from antiphon.training.pseudo.store import (
    Provenance,
    PseudoLabels,
    frames_in,
    write_labels,
)
from antiphon.training.pseudo.teachers import Teacher
from antiphon.training.pseudo.transform import Targets, join, make_targets, strongest

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

FocalMass = Callable[[Sequence[str]], Float64]
"""``focal(classes)`` returns ``(C,)``: the mass of the focal clips of each class."""


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What became of the recordings.

    Parameters
    ----------
    file
        The pseudo-labels.
    provenance
        As the file has it.
    mass
        None where no focal clips were named.
    refused
        Teacher -> how many recordings it was not asked about, because it saw them.
    left_out
        Recordings without a teacher.
    unreadable
        Name and problem.
    windows_of
        Class -> windows with a target, before and after all caps.
    """

    file: Path
    provenance: Provenance
    mass: MassReport | None
    refused: dict[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    unreadable: dict[str, str] = field(default_factory=dict)
    windows_of: dict[str, tuple[int, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        made = self.provenance
        return {
            "file": self.file.name,
            "round": made.round,
            "gamma": made.gamma,
            "weight": made.weight,
            "counts": made.counts,
            "teachers": [
                {"name": t.name, "fingerprint": t.fingerprint, "model": t.model}
                for t in made.teachers
            ],
            "mass": made.mass,
            "seen_by_teacher": self.refused,
            "without_teacher": list(self.left_out),
            "unreadable": self.unreadable,
            "windows_of_class": {k: list(v) for k, v in self.windows_of.items()},
        }


def label_recordings(
    recordings: Sequence[Soundscape],
    teachers: Sequence[Teacher],
    trained_on: Sequence[TrainedOn],
    config: PseudoConfig,
    file: Path,
    scores: Path,
    *,
    gamma: float,
    round_number: int,
    focal: FocalMass | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> LabelReport:
    """Let teachers label recordings.

    Parameters
    ----------
    recordings
        What to label.
    teachers, trained_on
        Who, and what each was trained on.
    config
        Settings of scores, targets and caps.
    file
        Where the labels go.
    scores
        Folder in which scores are kept.
    gamma, round_number
        Of the round.
    focal
        Mass of the focal clips; no cap on mass when None.
    note
        Is told what was odd.

    Raises
    ------
    UserError
        A recording has no teacher that may label it, teachers disagree about classes, or there is
        no focal mass to stay below.
    """
    scoring, rules = config.scoring, config.targets
    assignment = assign(
        recordings,
        [t.facts.name for t in teachers],
        trained_on,
        everyone=scoring.teachers == "all",
        leave_out=scoring.without_teacher == "leave_out",
    )
    found = score_all(
        recordings,
        teachers,
        assignment,
        scores,
        scoring,
        window_s=rules.window_s,
        frame_s=rules.frame_s,
        told=rules.window,
        note=note,
    )
    windows = _windows(found, teachers, rules)
    targets = _targets(found, rules, gamma)
    keep, mass = _caps(targets, found.classes, rules, config.caps, focal)
    kept = targets.select(keep)
    lost = np.stack([targets.window[~keep], targets.label[~keep].astype(np.int64)], axis=1)
    offered, left = (np.bincount(t.label, minlength=len(found.classes)) for t in (targets, kept))
    provenance = Provenance(
        classes=found.classes,
        teachers=tuple(t.facts for t in teachers),
        round=round_number,
        gamma=gamma,
        floor=rules.floor,
        frame_floor=rules.frame_floor,
        class_windows=rules.class_windows,
        window_s=rules.window_s,
        frame_s=rules.frame_s or 0.0,
        weight=1.0 if mass is None else mass.weight,
        mass={} if mass is None else mass.to_json(),
        counts=_counts(recordings, assignment, found, windows, targets, kept, lost),
        audio=str(config.audio.path),
        made={"antiphon": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds")},
    )
    names, sites, whose, start, end, duration = windows
    labels = PseudoLabels(provenance, names, sites, whose, start, end, duration, kept, lost)
    write_labels(labels, file)
    return LabelReport(
        file,
        provenance,
        mass,
        {name: len(some) for name, some in assignment.refused.items()},
        assignment.left_out,
        found.unreadable,
        {
            name: (int(before), int(after))
            for name, before, after in zip(found.classes, offered, left, strict=True)
        },
    )


Windows = tuple[tuple[str, ...], tuple[str | None, ...], tuple[str, ...], Float64, Float64, Float64]


def _windows(found: ScoredSet, teachers: Sequence[Teacher], rules: TargetConfig) -> Windows:
    """Return recording, site, teachers, start, end and duration of each window."""
    names: list[str] = []
    sites: list[str | None] = []
    whose: list[str] = []
    start, end, duration = [], [], []
    for one in found.recordings:
        n = len(one.starts)
        names += [one.recording.name] * n
        sites += [one.recording.site] * n
        whose += ["+".join(teachers[t].facts.name for t in one.teachers)] * n
        start.append(one.starts)
        end.append(np.minimum(one.starts + rules.window_s, one.duration_s))
        duration.append(np.full(n, one.duration_s))
    return (
        tuple(names),
        tuple(sites),
        tuple(whose),
        np.concatenate(start),
        np.concatenate(end),
        np.concatenate(duration),
    )


def _targets(found: ScoredSet, rules: TargetConfig, gamma: float) -> Targets:
    parts, first = [], 0
    for one in found.recordings:
        scores = one.read()
        frames = None
        if rules.frame_s is not None:
            assert scores.frames is not None
            frames = _by_window(scores.frames, one, rules.window_s, rules.frame_s)
        parts.append(make_targets(scores.windows, frames, rules, gamma, first))
        first += len(one.starts)
    return join(parts)


def _by_window(frames: Float32, one: Scored, window_s: float, frame_s: float) -> Float32:
    """Return ``(W, T, C)``: the frames of each window, zeros after the end of the recording."""
    per = frames_in(0.0, window_s, frame_s)
    out = np.zeros((len(one.starts), per, frames.shape[1]), np.float32)
    for row, start in enumerate(one.starts):
        begin = round(start / frame_s)
        part = frames[begin : begin + per]
        out[row, : len(part)] = part
    return out


def _caps(
    targets: Targets,
    classes: tuple[str, ...],
    rules: TargetConfig,
    config: MassConfig | None,
    focal: FocalMass | None,
) -> tuple[npt.NDArray[np.bool_], MassReport | None]:
    """Return which targets are kept by the caps on numbers and mass."""
    keep = strongest(targets, rules.class_windows)
    if config is None or focal is None:
        return keep, None
    inside, report = cap_mass(targets.select(keep), classes, focal(classes), config)
    keep[np.flatnonzero(keep)[~inside]] = False
    # What the cap on numbers took is part of what was offered.
    whole = sums(targets, len(classes))
    return keep, MassReport(report.classes, report.focal, whole, report.kept, report.weight)


def _counts(
    recordings: Sequence[Soundscape],
    assignment: Assignment,
    found: ScoredSet,
    windows: Windows,
    targets: Targets,
    kept: Targets,
    lost: Int64,
) -> dict[str, int]:
    n = len(windows[0])
    owner = np.repeat(
        np.arange(len(found.recordings)), [len(one.starts) for one in found.recordings]
    )
    heard = np.zeros(n, bool)
    heard[targets.window] = True
    several = np.bincount(kept.window, minlength=n) > 1
    return {
        "recordings": len(recordings),
        "scored": len(found.recordings),
        "without_teacher": len(assignment.left_out),
        "unreadable": len(found.unreadable),
        "background_recordings": len(found.recordings) - len(np.unique(owner[heard])),
        "windows": n,
        "background_windows": int((~heard).sum()),
        "windows_of_several_classes": int(several.sum()),
        "targets": len(kept),
        "targets_taken_by_caps": len(lost),
    }
