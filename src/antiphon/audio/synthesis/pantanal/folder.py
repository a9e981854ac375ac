"""A world as a folder in the layout of a challenge: written by several processes, resumable."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import soundfile

from antiphon.audio.synthesis.pantanal.ogg import write_ogg
from antiphon.audio.synthesis.pantanal.plan import (
    FocalPlan,
    ScapePlan,
    WorldSettings,
    plan_focal,
    plan_soundscapes,
)
from antiphon.audio.synthesis.pantanal.scene import make_focal, make_soundscape
from antiphon.audio.synthesis.pantanal.tables import Made, write_tables
from antiphon.audio.synthesis.writing import write_text
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError

_SETTINGS = "pantanal.json"
_PARTS = Path("truth/parts")
# Recordings that are made, and noted as made, together.
_CHUNK = 8


@dataclass(frozen=True, slots=True)
class WorldFacts:
    """What :func:`write_world` wrote.

    Parameters
    ----------
    folder
        Of the world.
    focal, soundscapes
        Recordings in it.
    made
        Recordings made by this run; the others were there.
    events
        Calls in all recordings.
    audio_s, cpu_s
        Seconds of audio made by this run, and CPU seconds that took, with the encoding.
    """

    folder: Path
    focal: int
    soundscapes: int
    made: int
    events: int
    audio_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Recordings ``first`` to ``stop`` (exclusive) of a kind, made together."""

    focal: bool
    first: int
    stop: int

    @property
    def part(self) -> Path:
        kind = "focal" if self.focal else "soundscapes"
        return _PARTS / f"{kind}_{self.first:06d}_{self.stop:06d}.json"


def write_world(
    folder: Path | str,
    settings: WorldSettings | None = None,
    *,
    workers: int | None = None,
    reporter: Reporter | None = None,
) -> WorldFacts:
    """Write a world, or go on where a run was stopped.

    Each file appears only when it is whole. The same settings make the same bytes, whatever the
    workers.

    Parameters
    ----------
    folder
        Made if need be. See its ``README.md`` for what lies in it.
    settings
        What the world is.
    workers
        Processes; by default one per CPU that this process may use.
    reporter
        Told of the seconds of audio.

    Raises
    ------
    UserError
        A setting is out of range.
    FileError
        The folder holds something else, or cannot be written.
    """
    settings = settings or WorldSettings()
    settings.check()
    folder = Path(folder)
    reporter = reporter or Silent()
    cpu = 0.0
    try:
        _open(folder, settings)
        plans = _plans(settings)
        chunks = [
            _Chunk(focal, first, min(first + _CHUNK, count))
            for focal, count in ((True, len(plans[0])), (False, len(plans[1])))
            for first in range(0, count, _CHUNK)
        ]
        todo = [chunk for chunk in chunks if not _is_there(folder, chunk, settings)]
        length = {chunk: _seconds(chunk, settings) for chunk in chunks}
        reporter.start("Synthesising a Pantanal", sum(length.values()), "s of audio")
        reporter.advance(sum(length[chunk] for chunk in chunks if chunk not in set(todo)))
        for chunk, took in _make_all(folder, settings, todo, workers or _cpus()):
            cpu += took
            reporter.advance(length[chunk])
        reporter.finish()
        made = [_read(folder / chunk.part) for chunk in chunks]
        split = sum(chunk.focal for chunk in chunks)
        focal = [one for part in made[:split] for one in part]
        soundscapes = [one for part in made[split:] for one in part]
        write_tables(
            folder,
            settings,
            list(zip(plans[0], focal, strict=True)),
            list(zip(plans[1], soundscapes, strict=True)),
        )
    except (OSError, soundfile.LibsndfileError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = Path(getattr(error, "filename", None) or folder)
        raise FileError(
            where, f"cannot be written ({reason})", "Check free space and permissions"
        ) from error
    return WorldFacts(
        folder=folder,
        focal=len(focal),
        soundscapes=len(soundscapes),
        made=sum(chunk.stop - chunk.first for chunk in todo),
        events=sum(len(one.events) for one in (*focal, *soundscapes)),
        audio_s=sum(length[chunk] for chunk in todo),
        cpu_s=cpu,
    )


@cache
def _plans(settings: WorldSettings) -> tuple[tuple[FocalPlan, ...], tuple[ScapePlan, ...]]:
    return plan_focal(settings), plan_soundscapes(settings)


def _chosen(chunk: _Chunk, settings: WorldSettings) -> Sequence[FocalPlan | ScapePlan]:
    plans = _plans(settings)[0 if chunk.focal else 1]
    return plans[chunk.first : chunk.stop]


def _seconds(chunk: _Chunk, settings: WorldSettings) -> float:
    return sum(
        plan.seconds if isinstance(plan, FocalPlan) else settings.soundscape_s
        for plan in _chosen(chunk, settings)
    )


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(folder: Path, settings: WorldSettings) -> None:
    """Make the folder, or check that it was made with these settings."""
    place = folder / _SETTINGS
    if place.is_file():
        there = _json(place)
        for key, value in settings.facts().items():
            found = there.get(key) if isinstance(there, dict) else None
            if found != value:
                raise FileError(
                    folder,
                    f"holds a world made with {key} {found!r}, not {value!r}",
                    "Choose another folder, or the same settings",
                )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise FileError(folder, "is not empty and no world", "Choose an empty folder")
    (folder / _PARTS).mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps(settings.facts(), indent=1) + "\n")


def _is_there(folder: Path, chunk: _Chunk, settings: WorldSettings) -> bool:
    if not (folder / chunk.part).is_file():
        return False
    return all((folder / plan.path).is_file() for plan in _chosen(chunk, settings))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileError(
            path, f"is not JSON ({error})", "Delete it and run the command again"
        ) from error


def _read(path: Path) -> list[Made]:
    return [Made.from_json(values) for values in _json(path)]


def _make_all(
    folder: Path, settings: WorldSettings, todo: Sequence[_Chunk], workers: int
) -> Iterator[tuple[_Chunk, float]]:
    """Make chunks, in this process or in several; yield each, and its CPU time, when on disk."""
    if workers <= 1 or len(todo) <= 1:
        for chunk in todo:
            yield chunk, _make(folder, settings, chunk)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(todo)), context, _begin) as pool:
        running = {pool.submit(_make, folder, settings, chunk): chunk for chunk in todo}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            for future in running:
                future.cancel()


def _begin() -> None:
    """Keep a process to one thread, as its siblings use the other CPUs."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _make(folder: Path, settings: WorldSettings, chunk: _Chunk) -> float:
    """Make the recordings of a chunk and note them as made; return the CPU seconds."""
    began = time.process_time()
    rows = []
    for plan in _chosen(chunk, settings):
        if isinstance(plan, FocalPlan):
            recording = make_focal(plan, settings)
        else:
            recording = make_soundscape(plan, settings)
        path = folder / plan.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_ogg(path, recording.audio, settings.sample_rate, zlib.crc32(plan.stem.encode()))
        rows.append(Made.of(recording).to_json())
    write_text(folder / chunk.part, json.dumps(rows, separators=(",", ":")))
    return time.process_time() - began
