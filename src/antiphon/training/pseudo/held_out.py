"""What judges a round: labelled soundscapes that no teacher of theirs was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.blending.files.truth import read_truth
from antiphon.evaluation.compare import Comparison, compare_systems
from antiphon.evaluation.intervals import Interval, bootstrap
from antiphon.evaluation.statistics import mean_roc_auc
from antiphon.training.pseudo.config import HeldOutConfig, ScoringConfig, TargetConfig
from antiphon.training.pseudo.out_of_fold import (
    Soundscape,
    TrainedOn,
    assign,
    list_soundscapes,
)
from antiphon.training.pseudo.scoring import score_all
from antiphon.training.pseudo.teachers import Teacher

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Labelled windows.

    Parameters
    ----------
    recordings
        That have labelled windows.
    owner
        ``(n,)`` number of the recording of each window; windows of one stand together.
    start_s
        ``(n,)`` seconds.
    window_s
        Length of all of them.
    classes
        Those present somewhere.
    target
        ``(n, C)`` bool.
    groups
        ``(n,)`` file or site of each window.
    """

    recordings: tuple[Soundscape, ...]
    owner: npt.NDArray[np.int64]
    start_s: Float64
    window_s: float
    classes: tuple[str, ...]
    target: Bool
    groups: tuple[str, ...]


def read_held_out(config: HeldOutConfig) -> HeldOut:
    """Read recordings and truth.

    Raises
    ------
    FormatError
        The truth cannot be read, names recordings that are not there, or its windows are not all
        of one length.
    UserError
        A site is asked for that a recording has not.
    """
    truth = read_truth(config.truth)
    there = {one.stem: one for one in list_soundscapes(config.audio, config)}
    stems = list(dict.fromkeys(truth.files))
    lost = [stem for stem in stems if stem not in there]
    if lost:
        raise FormatError(
            config.truth, f"names recordings that are not in {config.audio}: {first_few(lost)}"
        )
    length = np.round(np.subtract(truth.end_s, truth.start_s), 6)
    if len(np.unique(length)) > 1:
        raise FormatError(
            config.truth,
            f"has windows of several lengths ({length.min():g} to {length.max():g} s)",
            "Give windows of one length, as a submission has them",
        )
    recordings = tuple(there[stem] for stem in stems)
    number = {stem: at for at, stem in enumerate(stems)}
    target = np.array([[c in present for c in truth.classes] for present in truth.labels], bool)
    if not truth.classes:
        raise FormatError(config.truth, "names no class in any window, so nothing can be ranked")
    return HeldOut(
        recordings,
        np.array([number[stem] for stem in truth.files], np.int64),
        np.array(truth.start_s, np.float64),
        float(length[0]),
        truth.classes,
        target,
        tuple(_group(there[stem], config) for stem in truth.files),
    )


def _group(recording: Soundscape, config: HeldOutConfig) -> str:
    if config.group == "file":
        return recording.stem
    if recording.site is None:
        raise UserError(
            f"{recording.name}: its name tells no site, so held_out.group: site cannot be. Give "
            "held_out.site_pattern or held_out.sites, or group by file."
        )
    return recording.site


def keep_apart(
    recordings: Sequence[Soundscape], held: HeldOut, apart: Sequence[str]
) -> tuple[list[Soundscape], dict[str, str]]:
    """Return the recordings that have nothing in common with held-out ones, and why others do.

    Parameters
    ----------
    recordings
        To label.
    held
        What judges.
    apart
        ``file`` (also under another name), ``site`` or both.
    """
    judged = TrainedOn(
        frozenset(one.stem for one in held.recordings) if "file" in apart else frozenset(),
        frozenset(one.site for one in held.recordings if one.site is not None)
        if "site" in apart
        else frozenset(),
        frozenset(one.content for one in held.recordings if one.content)
        if "file" in apart
        else frozenset(),
    )
    shared = {one.name: judged.saw(one) for one in recordings}
    kept = [one for one in recordings if not shared[one.name]]
    return kept, {name: what for name, what in shared.items() if what}


def score_held_out(
    held: HeldOut,
    teachers: Sequence[Teacher],
    trained_on: Sequence[TrainedOn],
    scoring: ScoringConfig,
    rules: TargetConfig,
    folder: Path,
    note: Callable[[str], None] = lambda text: None,
) -> Float32:
    """Score every labelled window by the teachers that saw neither its recording nor its site.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; 0 for a class that the teachers do not know.

    Raises
    ------
    UserError
        A recording was seen by all of them, or cannot be read.
    """
    names = [teacher.facts.name for teacher in teachers]
    assignment = assign(held.recordings, names, trained_on)
    starts = {one.name: held.start_s[held.owner == at] for at, one in enumerate(held.recordings)}
    found = score_all(
        held.recordings,
        teachers,
        assignment,
        folder,
        scoring,
        window_s=held.window_s,
        frame_s=None,
        starts=lambda one: starts[one.name],
        told=rules.window,
        note=note,
    )
    if found.unreadable:
        name, problem = next(iter(found.unreadable.items()))
        raise UserError(
            f"{counted(len(found.unreadable), 'held-out recordings')} cannot be read, such as "
            f"{name}: {problem} Rounds are only comparable on the same recordings."
        )
    column = {name: at for at, name in enumerate(found.classes)}
    known = [name for name in held.classes if name in column]
    unknown = [name for name in held.classes if name not in column]
    if not known:
        raise UserError(
            f"None of the classes of the truth is one of the teachers' ({first_few(unknown)}): "
            "are they named alike?"
        )
    if unknown:
        note(
            f"The teachers do not know {counted(len(unknown), 'classes')} of the truth "
            f"({first_few(unknown)}); each counts as chance, 0.5."
        )
    scores = np.zeros(held.target.shape, np.float32)
    into = np.array([held.classes.index(name) for name in known])
    taken = [column[name] for name in known]
    for at, one in enumerate(found.recordings):
        rows = np.flatnonzero(held.owner == at)
        scores[np.ix_(rows, into)] = one.read().windows[:, taken]
    return scores


def judge(scores: Float32, held: HeldOut, config: HeldOutConfig, seed: int) -> Interval:
    """Return the macro ROC-AUC over the classes present, with its interval over groups."""
    return bootstrap(
        mean_roc_auc,
        scores.astype(np.float64),
        held.target.astype(np.float64),
        held.groups,
        rng=np.random.default_rng([seed, 1]),
        n_resamples=config.resamples,
        level=config.level,
    )[0]


def against(
    scores: Float32, best: Float32, held: HeldOut, config: HeldOutConfig, seed: int
) -> Comparison:
    """Return a round compared with the best one so far, on the same resamples of groups."""
    return compare_systems(
        scores.astype(np.float64),
        best.astype(np.float64),
        held.target.astype(np.float64),
        held.groups,
        rng=np.random.default_rng([seed, 2]),
        n_resamples=config.resamples,
        n_exchanges=config.resamples,
        level=config.level,
    )


def fell(comparison: Comparison, stop: str) -> bool:
    """Return whether a round is the end by the rule ``fall``, ``shown`` or ``never``."""
    if stop == "never" or not comparison.value < 0:
        return False
    return stop == "fall" or comparison.shown


def plain(value: Interval) -> dict[str, object]:
    """Return an interval as JSON values, NaN as None."""
    facts = {name: getattr(value, name) for name in ("value", "low", "high", "level", "n_groups")}
    facts = {k: None if v != v else v for k, v in facts.items()}
    return {**facts, "method": value.method, "note": value.note}
