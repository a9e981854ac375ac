"""The app as a process, and projects for the benchmarks of the app."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, make_url, text

SPECIES = ("Lantern Whistler", "Synthetic Trillwren", "Zipper Frog")
WINDOWS_EACH = 100
WINDOW_S = 3.0
_START_S = 120.0


class Server:
    """``antiphon label`` over a project, on one port however often it is started again.

    Parameters
    ----------
    project
        The project.
    log
        File for what it says.
    """

    def __init__(self, project: Path, log: Path, *arguments: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = int(taken.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        command = [sys.executable, "-m", "antiphon", "label", str(project), "--no-browser"]
        self.command = [*command, "--port", str(self.port), *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; return the seconds until it answered.

        Only the address that this very process prints counts: another app may have taken the port
        meanwhile, and its project must not be written to.
        """
        began = time.perf_counter()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        while time.perf_counter() - began < _START_S and self.process.poll() is None:
            if f"{self.url}/".encode() in self.log.read_bytes()[said:]:
                return time.perf_counter() - began
            time.sleep(0.05)
        self.kill()
        raise SystemExit(f"The app did not start:\n{self.log.read_text()}")

    def cpu_s(self) -> float:
        """Return the CPU seconds that it has used since it was started (Linux)."""
        assert self.process is not None
        facts = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in good order."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


def synthesised(work: Path) -> Path:
    """Return a project of synthesised soundscapes with a detector: 12 minutes, 3 sites."""
    from antiphon.api import Project
    from antiphon.audio.synthesis.dataset import write_dataset

    made = write_dataset(
        work / "sounds",
        seed=1,
        sites=3,
        days=1,
        recordings_per_site_day=4,
        duration_s=60.0,
        sample_rate=24_000,
        species=SPECIES,
    )
    said = work / "said"
    said.mkdir()
    for facts in made.recordings[:4]:
        shutil.copy(facts.table, said)
    project, _ = Project.create(work / "project", audio=[made.audio], metadata=[made.metadata])
    project.embed("spectral")
    project.import_labels(said, complete=True, label_column="Species", annotator="truth")
    project.train()
    project.detect()
    project.folder.close()
    return work / "project"


@contextmanager
def fresh(url: str | None) -> Iterator[str | None]:
    """Make an empty database beside the one of a URL, and drop it afterwards; None stays None."""
    if url is None:
        yield None
        return
    given = make_url(url)
    name = f"antiphon_{uuid.uuid4().hex[:12]}"
    engine = create_engine(given, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield given.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def made_up(work: Path, n: int, people: dict[str, str], url: str | None = None) -> Path:
    """Return a project of ``n`` windows whose embeddings are noise, with accounts.

    ``people`` are names and passwords; the first is the manager. ``url`` is the catalogue's.
    """
    from antiphon.app.security.passwords import hash_password
    from antiphon.store.accounts import Accounts
    from antiphon.store.project import ProjectFolder
    from antiphon.store.recordings import RecordingEntry

    work.mkdir(parents=True)
    (work / "audio").mkdir()
    folder = ProjectFolder.create(work / "project", [work / "audio"])
    if url is not None:
        folder.config.catalogue.url = url
        folder.save_config()
    frames = int(48_000 * WINDOW_S * WINDOWS_EACH)
    folder.catalogue.sync_recordings(
        RecordingEntry("audio", f"{i:06d}.wav", f"key-{i}", 1, 1, "WAV", 48_000, 1, frames)
        for i in range(n // WINDOWS_EACH)
    )
    cut = {"window_s": WINDOW_S, "hop_s": WINDOW_S, "channel": "mix"}
    table = folder.open_vectors("bench", "ab" * 32, {"name": "bench"}, cut, 32)
    ids = folder.catalogue.recordings().column("id").to_pylist()
    start = WINDOW_S * np.arange(WINDOWS_EACH)
    rng = np.random.default_rng(0)
    with table.session() as session:
        for i in session.claim(ids, len(ids)):
            vectors = rng.standard_normal((WINDOWS_EACH, 32), dtype=np.float32)
            session.begin(i)
            session.append(i, np.full(WINDOWS_EACH, -1), start, start + WINDOW_S, vectors)
            session.finish(i)
    accounts = Accounts(folder.catalogue.database)
    for k, (name, password) in enumerate(people.items()):
        accounts.add_user(name, hash_password(password, name), "annotator" if k else "manager")
    folder.close()
    return work / "project"


def chosen_windows(project: Path) -> list[dict[str, Any]]:
    """Return all windows of a project as requests write them, in the order of the table."""
    from antiphon.pipeline.windows import load_windows
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(project)
    try:
        found = load_windows(folder, folder.table())
        columns = (found.recording_id, found.channel, found.start_s, found.end_s)
        names = ("recording", "channel", "start_s", "end_s")
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    finally:
        folder.close()
