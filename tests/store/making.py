"""Small projects with known vectors, for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import RecordingEntry
from antiphon.store.session import EmbeddingSession
from antiphon.store.vectors import VectorTable

DIM = 8
WINDOWS = {"window_s": 3.0, "hop_s": 3.0, "channel": "mix"}


def entry(number: int, **facts: object) -> RecordingEntry:
    known: dict[str, object] = {
        "root": "audio",
        "path": f"A/{number:04d}.wav",
        "content_key": f"key-{number}",
        "size": 1000 + number,
        "mtime_ns": 5,
        "container": "WAV",
        "sample_rate": 48000,
        "channels": 1,
        "frames": 48000 * 30,
    }
    return RecordingEntry(**{**known, **facts})  # type: ignore[arg-type]


def make_project(path: Path, recordings: int = 10, url: str | None = None) -> ProjectFolder:
    audio = path / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    folder = ProjectFolder.create(path / "project", [audio])
    if url is not None:
        folder.config.catalogue.url = url
        folder.save_config()
    folder.catalogue.sync_recordings([entry(i) for i in range(recordings)])
    return folder


def make_table(
    folder: ProjectFolder, *, fingerprint: str = "ab" * 32, dim: int = DIM
) -> VectorTable:
    return folder.open_vectors("toy", fingerprint, {"name": "toy"}, WINDOWS, dim)


def ids_of(folder: ProjectFolder) -> list[int]:
    ids: list[int] = folder.catalogue.recordings().column("id").to_pylist()
    return ids


def windows_of(recording_id: int) -> int:
    return 1 + recording_id * 7 % 5


def truth(recording_id: int, dim: int = DIM) -> npt.NDArray[np.float32]:
    """The vectors of a recording; float16 holds them exactly."""
    rng = np.random.default_rng(recording_id)
    return rng.standard_normal((windows_of(recording_id), dim)).astype(np.float16).astype("f4")


def write(session: EmbeddingSession, recording_id: int, dim: int = DIM, parts: int = 1) -> None:
    session.begin(recording_id)
    vectors = truth(recording_id, dim)
    for rows in np.array_split(np.arange(len(vectors)), min(parts, len(vectors))):
        session.append(
            recording_id, np.full(len(rows), -1), rows * 3.0, rows * 3.0 + 3.0, vectors[rows]
        )
    session.finish(recording_id)


def embed(table: VectorTable, ids: Iterable[int]) -> None:
    ids = list(ids)
    with table.session() as session:
        while mine := session.claim(ids, 4):
            for recording_id in mine:
                write(session, recording_id)


def die(session: EmbeddingSession) -> None:
    """Leave everything as a killed process does: files stay, the lock is freed."""
    session._wal.close()
    assert session._lock is not None
    session._lock.release()
    session._lock = None


def check_complete(table: VectorTable, ids: Iterable[int]) -> None:
    """Every recording is there once, whole, with its own vectors."""
    windows = table.windows()
    recording = windows.column("recording_id").to_numpy()
    start = windows.column("start_s").to_numpy()
    vectors = table.all_vectors()
    ids = sorted(ids)
    assert np.unique(recording).tolist() == ids
    for i in ids:
        rows = np.flatnonzero(recording == i)
        assert len(rows) == windows_of(i), f"recording {i} has {len(rows)} windows"
        np.testing.assert_array_equal(start[rows], 3.0 * np.arange(len(rows)))
        np.testing.assert_array_equal(vectors[rows], truth(i, table.dim))
