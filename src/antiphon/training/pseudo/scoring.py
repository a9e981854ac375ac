"""The scores of all recordings, each kept on disk, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.audio.recording import probe
from antiphon.errors import AudioError, FileError, UserError
from antiphon.replacing import replacing
from antiphon.training.data.cutting import SLIVER
from antiphon.training.pseudo.config import ScoringConfig
from antiphon.training.pseudo.out_of_fold import Assignment, Soundscape
from antiphon.training.pseudo.teachers import Teacher, WindowScores, check_classes, mean_scores

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Where the scores of a recording are.

    Parameters
    ----------
    recording
        The recording.
    duration_s
        Its length.
    starts
        ``(W,)`` seconds at which windows begin.
    teachers
        Numbers of those that scored it.
    file
        Its scores.
    """

    recording: Soundscape
    duration_s: float
    starts: Float64
    teachers: tuple[int, ...]
    file: Path

    def read(self) -> WindowScores:
        """Return the scores.

        Raises
        ------
        FileError
            They are gone or damaged.
        """
        found = _load(self.file)
        if found is None:
            raise FileError(self.file, "scores are gone or damaged", "Run the same command again")
        return found


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """The scores of a folder.

    Parameters
    ----------
    classes
        Names of the columns.
    recordings
        What was scored.
    unreadable
        Name and problem of recordings that cannot be read.
    """

    classes: tuple[str, ...]
    recordings: tuple[Scored, ...]
    unreadable: dict[str, str] = field(default_factory=dict)


def window_grid(duration_s: float, window_s: float) -> Float64:
    """Return the starts of windows side by side, ``(W,)``.

    A rest below :data:`~antiphon.training.data.cutting.SLIVER` of a window has none of its own.
    """
    count = max(1, int(np.ceil(duration_s / window_s - SLIVER)))
    starts: Float64 = np.arange(count, dtype=np.float64) * window_s
    return starts


def score_all(
    recordings: Sequence[Soundscape],
    teachers: Sequence[Teacher],
    assignment: Assignment,
    folder: Path,
    scoring: ScoringConfig,
    *,
    window_s: float,
    frame_s: float | None,
    starts: Callable[[Soundscape], Float64] | None = None,
    told: str = "",
    note: Callable[[str], None] = lambda text: None,
) -> ScoredSet:
    """Score each recording by the mean of its teachers, or take what is kept of an earlier run.

    Parameters
    ----------
    recordings, assignment
        What to score, and by whom.
    teachers
        All of them.
    folder
        Where scores are kept: a file for each recording, named by its content, its teachers and
        its windows.
    scoring
        Workers, and what decides the scores.
    window_s, frame_s
        Lengths; no frames when None.
    starts
        Starts of the windows of a recording; side by side when None.
    told
        What else decides the scores, as text.
    note
        Is told about each recording that cannot be read.

    Raises
    ------
    UserError
        The teachers' classes differ, or no recording can be read.
    """
    classes = check_classes(teachers)
    columns = [np.array([t.classes.index(name) for name in classes]) for t in teachers]
    facts = [scoring.context_hop_s, window_s, frame_s, list(classes), told]

    def one(at: int) -> Scored | tuple[str, str]:
        recording, mine = recordings[at], assignment.teachers[at]
        try:
            duration_s = probe(recording.path).duration_s
            begins = window_grid(duration_s, window_s) if starts is None else starts(recording)
            file = folder / f"{_key(recording, begins, [teachers[t] for t in mine], facts)}.npz"
            if _load(file) is None:
                found = [teachers[t].score(recording.path, begins, window_s, frame_s) for t in mine]
                _save(file, mean_scores(found, [columns[t] for t in mine]))
        except AudioError as error:
            note(str(error))
            return recording.name, str(error)
        return Scored(recording, duration_s, begins, mine, file)

    asked = [at for at in range(len(recordings)) if assignment.teachers[at]]
    with ThreadPoolExecutor(scoring.workers) as pool:
        results = list(pool.map(one, asked))
    scored = tuple(one for one in results if isinstance(one, Scored))
    unreadable = dict(one for one in results if not isinstance(one, Scored))
    if not scored:
        raise UserError(
            f"None of {len(recordings)} recordings can be scored"
            + (f": {next(iter(unreadable.values()))}" if unreadable else ".")
        )
    return ScoredSet(classes, scored, unreadable)


def _key(
    recording: Soundscape, starts: Float64, teachers: Sequence[Teacher], facts: Sequence[object]
) -> str:
    prints = [teacher.facts.fingerprint for teacher in teachers]
    text = json.dumps([recording.content, starts.tolist(), prints, *facts])
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def _save(path: Path, scores: WindowScores) -> None:
    arrays = {"windows": scores.windows}
    if scores.frames is not None:
        # Half the bytes; a step of a thousandth near 1 is less than two teachers differ by.
        arrays["frames"] = scores.frames.astype(np.float16)
    words = ("it cannot be written", "Check free space and permissions")
    with replacing(path, *words) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _load(path: Path) -> WindowScores | None:
    """Return what is kept, None where that is nothing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            frames = file["frames"].astype(np.float32) if "frames" in file else None
            return WindowScores(file["windows"], frames)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
