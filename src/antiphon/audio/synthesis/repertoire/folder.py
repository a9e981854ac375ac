"""A folder of clips with their labels, written by several processes, resumable."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import soundfile

from antiphon.audio.synthesis.repertoire.classes import Repertoire
from antiphon.audio.synthesis.repertoire.events import Split
from antiphon.audio.synthesis.repertoire.folder_tables import (
    LEVELS,
    Chunk,
    FolderSettings,
    write_tables,
)
from antiphon.audio.synthesis.writing import write_audio, write_text
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, UserError

_SETTINGS = "repertoire.json"
# Clips that are made, and noted as made, together.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What :func:`write_repertoire` wrote.

    Parameters
    ----------
    folder, labels, clips, classes
        The folder and its tables ``labels.csv``, ``clips.csv``, ``classes.csv``.
    count
        Clips in the folder.
    made
        Clips made by this run; the others were there.
    events
        Rows of sounds in ``labels.csv``.
    elapsed_s
        Time that the run took.
    """

    folder: Path
    labels: Path
    clips: Path
    classes: Path
    count: int
    made: int
    events: int
    elapsed_s: float


def write_repertoire(
    folder: Path | str,
    *,
    clips: int,
    validation: float = 0.1,
    settings: FolderSettings | None = None,
    workers: int | None = None,
    reporter: Reporter | None = None,
) -> FolderFacts:
    """Write clips with their labels, or add to those that are there.

    ``audio/train/...`` and ``audio/validation/...`` (other individuals of the same classes);
    ``labels.csv`` with a row per event, and one that says "absent" of everything for a clip
    without; ``clips.csv`` with a row per clip and its split; ``classes.csv``; ``README.md``;
    ``repertoire.json`` with the settings. Each file appears only when it is whole. A run that was
    stopped goes on where it was; the same settings make the same bytes, whatever the workers.

    Parameters
    ----------
    folder
        Made if need be.
    clips
        In all.
    validation
        Share of them, 0 to 1, for validation.
    settings
        What the clips are.
    workers
        Processes; by default one per CPU that this process may use.
    reporter
        Told of the clips.

    Raises
    ------
    UserError
        A number is out of range.
    FileError
        The folder holds something else or more clips than that, or cannot be written.
    """
    settings = settings or FolderSettings()
    _check(settings, clips, validation)
    folder = Path(folder)
    begun = time.monotonic()
    reporter = reporter or Silent()
    try:
        _open(folder, settings)
        for_validation = round(clips * validation)
        sizes: dict[Split, int] = {"train": clips - for_validation, "validation": for_validation}
        _refuse_fewer(folder, sizes)
        chunks = [chunk for split, count in sizes.items() for chunk in _chunks(split, count)]
        todo = [chunk for chunk in chunks if not _is_there(folder, chunk, settings.audio_format)]
        reporter.start("Synthesising clips", float(clips), "clips")
        left = sum(chunk.stop - chunk.first for chunk in todo)
        reporter.advance(float(clips - left))
        for chunk in _make_all(folder, settings, todo, workers or _cpus()):
            reporter.advance(float(chunk.stop - chunk.first))
        reporter.finish()
        events = write_tables(folder, settings, chunks)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = Path(getattr(error, "filename", None) or folder)
        raise FileError(
            where, f"cannot be written ({reason})", "Check free space and permissions"
        ) from error
    return FolderFacts(
        folder,
        folder / "labels.csv",
        folder / "clips.csv",
        folder / "classes.csv",
        clips,
        left,
        events,
        time.monotonic() - begun,
    )


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check(settings: FolderSettings, clips: int, validation: float) -> None:
    if clips < 1:
        raise UserError(f"The number of clips is {clips}; it must be 1 or more.")
    if not 0.0 <= validation <= 1.0:
        raise UserError(f"The share for validation is {validation}; it can be 0 to 1.")
    if not 0.1 <= settings.seconds <= 600.0:
        raise UserError(f"A clip of {settings.seconds} s cannot be made; 0.1 to 600 s can.")
    if not 4000 <= settings.sample_rate <= 384_000:
        raise UserError(
            f"The sample rate is {settings.sample_rate} Hz; it can be 4,000 to 384,000 Hz."
        )
    if not settings.levels or set(settings.levels) - set(LEVELS):
        raise UserError(f"Labels can be of the levels {', '.join(LEVELS)}.")
    # Refuses what is wrong with the classes before the folder is taken for them.
    settings.repertoire()


def _chunks(split: Split, count: int) -> list[Chunk]:
    return [Chunk(split, first, min(first + _CHUNK, count)) for first in range(0, count, _CHUNK)]


def _open(folder: Path, settings: FolderSettings) -> None:
    """Make the folder, or check that it was made with these settings."""
    place = folder / _SETTINGS
    if place.is_file():
        try:
            there = json.loads(place.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FileError(place, f"is not JSON ({error})", "Choose an empty folder") from error
        for key, value in settings.facts().items():
            found = there.get(key) if isinstance(there, dict) else None
            if found != value:
                raise FileError(
                    folder,
                    f"holds clips made with {key} {found!r}, not {value!r}",
                    "Choose another folder, or the same settings",
                )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise FileError(folder, "is not empty and no repertoire", "Choose an empty folder")
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps(settings.facts(), indent=1) + "\n")


def _refuse_fewer(folder: Path, sizes: Mapping[Split, int]) -> None:
    """Refuse numbers below those that are there: no table would list the rest."""
    there = {split: _made(folder / "audio" / split) for split in sizes}
    if all(there[split] <= count for split, count in sizes.items()):
        return
    raise FileError(
        folder,
        f"holds {there['train']} clips for training and {there['validation']} for validation, "
        f"but {sizes['train']} and {sizes['validation']} are asked for: some would be in no table",
        "Ask for at least as many of both, or choose another folder",
    )


def _made(folder: Path) -> int:
    """Return the number after that of the last clip in a folder of thousands of clips each."""
    for thousand in sorted(folder.glob("[0-9]*"), reverse=True):
        numbers = [int(path.stem.rpartition("_")[2]) for path in thousand.glob("[!.]*_*.*")]
        if numbers:
            return max(numbers) + 1
    return 0


def _is_there(folder: Path, chunk: Chunk, suffix: str) -> bool:
    if not (folder / "parts" / chunk.part).is_file():
        return False
    return all((folder / chunk.audio(n, suffix)).is_file() for n in range(chunk.first, chunk.stop))


def _make_all(
    folder: Path, settings: FolderSettings, todo: Sequence[Chunk], workers: int
) -> Iterable[Chunk]:
    """Make chunks, in this process or in several, and yield each when it is on disk."""
    if workers <= 1 or len(todo) <= 1:
        repertoire = settings.repertoire()
        for chunk in todo:
            _make(folder, settings, chunk, repertoire)
            yield chunk
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(todo)), context, _begin, (settings,)) as pool:
        running: dict[Future[None], Chunk] = {
            pool.submit(_make, folder, settings, chunk): chunk for chunk in todo
        }
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk = running.pop(future)
                    future.result()
                    yield chunk
        finally:
            for future in running:
                future.cancel()


_own: Repertoire | None = None


def _begin(settings: FolderSettings) -> None:
    """Prepare a process: its repertoire, and one thread, as its siblings use the other CPUs."""
    global _own
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _own = settings.repertoire()


def _make(
    folder: Path, settings: FolderSettings, chunk: Chunk, repertoire: Repertoire | None = None
) -> None:
    repertoire = repertoire or _own or settings.repertoire()
    rows = []
    for number in range(chunk.first, chunk.stop):
        clip = repertoire.clip_at(number, settings.sample_rate, settings.seconds, split=chunk.split)
        name = chunk.audio(number, settings.audio_format)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, clip.waveform, settings.sample_rate, settings.audio_format)
        rows.append(
            {
                "file": name,
                "events": [
                    [e.index, e.start_s, e.end_s, e.low_hz, e.high_hz, min(e.snr_db, 120.0)]
                    for e in clip.events
                ],
            }
        )
    write_text(folder / "parts" / chunk.part, json.dumps(rows, separators=(",", ":")))
