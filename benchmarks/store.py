"""Insert, search and kill: Antiphon's store beside perch-hoplite's (SQLite and USearch).

    python benchmarks/store.py [--n 100000] [--dim 1024] [--hoplite-python PATH]

Both stores get the same clustered unit vectors, one recording of 100 windows at a time, each in a
process of its own; CPU seconds are user and system time of that process, all threads together.
perch-hoplite is used where it can be imported (``pip install --group bench``), or from another
environment's interpreter given as ``--hoplite-python``. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from machine import processor

WINDOWS = 100
K = 10
QUERIES = 50


def tell(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def versions(*names: str) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def search_times(queries: np.ndarray, ask: Callable[[np.ndarray], list[int]]) -> dict[str, Any]:
    ask(queries[0])
    rows, seconds = [], []
    for query in queries:
        began = time.perf_counter()
        rows.append(ask(query))
        seconds.append(time.perf_counter() - began)
    return {"ms": 1000 * float(np.median(seconds)), "rows": rows}


# Roles: each runs in its own process.


def antiphon_insert(work: Path, hang: bool) -> None:
    from antiphon.store.project import ProjectFolder
    from antiphon.store.recordings import RecordingEntry

    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    audio = work / "audio"
    audio.mkdir(exist_ok=True)
    folder = ProjectFolder.create(work / "project", [audio])
    count = len(vectors) // WINDOWS
    folder.catalogue.sync_recordings(
        RecordingEntry("audio", f"{i:06d}.wav", f"key-{i}", 1, 1, "WAV", 48000, 1, 48000 * 300)
        for i in range(count)
    )
    windows = {"window_s": 3.0, "hop_s": 3.0, "channel": "mix"}
    spec = {"name": "bench"}
    table = folder.open_vectors("bench", "ab" * 32, spec, windows, vectors.shape[1])
    ids = folder.catalogue.recordings().column("id").to_pylist()
    start = 3.0 * np.arange(WINDOWS)
    channel = np.full(WINDOWS, -1)
    began, clock = cpu(), time.perf_counter()
    with table.session() as session:
        while mine := session.claim(ids, 16):
            for i in mine:
                begin = (i - 1) * WINDOWS
                session.begin(i)
                session.append(i, channel, start, start + 3.0, vectors[begin : begin + WINDOWS])
                session.finish(i)
            ids = ids[ids.index(mine[-1]) + 1 :]
        if hang:
            tell(inserted=count * WINDOWS)
            time.sleep(3600)
    tell(
        cpu_s=cpu() - began,
        wall_s=time.perf_counter() - clock,
        bytes=size_of(table.path) + size_of(table.wal_dir),
        versions=versions("antiphon", "pylance", "pyarrow", "sqlalchemy", "numpy"),
    )


def antiphon_count(work: Path, hang: bool) -> None:
    from antiphon.store.project import ProjectFolder

    tell(count=ProjectFolder.open(work / "project").table().count())


def antiphon_search(work: Path, hang: bool) -> None:
    from antiphon.store.project import ProjectFolder

    queries = np.load(work / "queries.npy")
    table = ProjectFolder.open(work / "project").table()
    table.windows()
    exact = search_times(queries, lambda q: table.nearest(q, K, exact=True)[0].tolist())
    before = size_of(table.search_dir)
    began, clock = cpu(), time.perf_counter()
    table.build_index()
    built = {"cpu_s": cpu() - began, "wall_s": time.perf_counter() - clock}
    built["bytes"] = size_of(table.search_dir) - before
    table.windows()
    near = search_times(queries, lambda q: table.nearest(q, K, exact=False)[0].tolist())
    tell(exact=exact, near=near, index=built)


def hoplite_insert(work: Path, hang: bool) -> None:
    from perch_hoplite.db import sqlite_usearch_impl as impl

    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    target = work / "hoplite"
    db = impl.SQLiteUSearchDB.create(str(target), impl.get_default_usearch_config(vectors.shape[1]))
    began, clock = cpu(), time.perf_counter()
    deployment = db.insert_deployment(name="bench", project="bench")
    for i in range(len(vectors) // WINDOWS):
        recording = db.insert_recording(filename=f"{i:06d}.wav", deployment_id=deployment)
        rows = [
            {"recording_id": recording, "offsets": [3.0 * j, 3.0 * j + 3.0]} for j in range(WINDOWS)
        ]
        block = np.array(vectors[i * WINDOWS : (i + 1) * WINDOWS])
        # The quickest of its ways: no look for duplicates.
        db.insert_windows_batch(rows, block, handle_duplicates="allow")
    if hang:
        tell(inserted=len(vectors))
        time.sleep(3600)
    db.commit()
    tell(
        cpu_s=cpu() - began,
        wall_s=time.perf_counter() - clock,
        bytes=size_of(target),
        versions=versions("perch-hoplite", "usearch", "numpy"),
    )


def hoplite_count(work: Path, hang: bool) -> None:
    from perch_hoplite.db import sqlite_usearch_impl as impl

    # Both halves count: a window without its vector is lost.
    try:
        db = impl.SQLiteUSearchDB.create(str(work / "hoplite"))
        tell(count=min(len(db.match_window_ids()), db.count_embeddings()))
    except (ValueError, OSError):
        tell(count=0)


def hoplite_search(work: Path, hang: bool) -> None:
    from perch_hoplite.db import sqlite_usearch_impl as impl

    queries = np.load(work / "queries.npy")
    db = impl.SQLiteUSearchDB.create(str(work / "hoplite"))

    def ask(approximate: bool) -> Callable[[np.ndarray], list[int]]:
        def one(query: np.ndarray) -> list[int]:
            found = db.search(query, K, approximate=approximate)
            return [int(result.window_id) - 1 for result in found]

        return one

    tell(exact=search_times(queries, ask(False)), near=search_times(queries, ask(True)))


ROLES = {
    role.__name__: role
    for role in (
        antiphon_insert,
        antiphon_count,
        antiphon_search,
        hoplite_insert,
        hoplite_count,
        hoplite_search,
    )
}


# The comparison.


def run(python: str, role: str, work: Path) -> dict[str, Any]:
    command = [python, __file__, "--role", role, "--work", str(work)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{role} failed:\n{done.stderr}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def kept_after_kill(python: str, store: str, work: Path) -> tuple[int, int]:
    """Insert, kill -9 before the store is closed, and count what a new process finds."""
    command = [python, __file__, "--role", f"{store}_insert", "--work", str(work), "--hang"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        inserted = json.loads(child.stdout.readline())["inserted"]
        child.send_signal(signal.SIGKILL)
    return run(python, f"{store}_count", work)["count"], inserted


def make_data(work: Path, n: int, dim: int, seed: int) -> None:
    """Write clustered unit vectors, as calls of some hundred kinds would be."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((500, dim)).astype(np.float32)
    out = np.lib.format.open_memmap(
        work / "vectors.npy", mode="w+", dtype=np.float32, shape=(n, dim)
    )
    for begin in range(0, n, 10_000):
        size = min(10_000, n - begin)
        rows = centres[rng.integers(0, 500, size)]
        rows = rows + rng.standard_normal((size, dim)).astype(np.float32)
        out[begin : begin + size] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    out.flush()
    picked = out[np.sort(rng.choice(n, QUERIES, replace=False))]
    noise = rng.standard_normal((QUERIES, dim)).astype(np.float32) / np.float32(np.sqrt(dim))
    queries = picked + 0.5 * noise
    np.save(work / "queries.npy", queries / np.linalg.norm(queries, axis=1, keepdims=True))


def truth(work: Path, centred: bool) -> list[set[int]]:
    """Return the best rows by cosine, as perch-hoplite ranks, or by Antiphon's centred cosine."""
    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    queries = np.load(work / "queries.npy")
    middle = vectors.sum(axis=0, dtype=np.float64) / (len(vectors) + 50)
    middle = middle.astype(np.float32) * centred
    parts = []
    for i in range(0, len(vectors), 10_000):
        block = vectors[i : i + 10_000] - middle
        parts.append((queries - middle) @ block.T / np.linalg.norm(block, axis=1))
    scores = np.concatenate(parts, axis=1)
    return [set(row.tolist()) for row in np.argsort(-scores, axis=1)[:, :K]]


def recall(found: list[list[int]], true: list[set[int]]) -> float:
    return float(np.mean([len(set(a) & b) / K for a, b in zip(found, true, strict=True)]))


def measure(python: str, store: str, work: Path, kill_work: Path) -> dict[str, Any]:
    """Run all of one store's roles."""
    facts = {"insert": run(python, f"{store}_insert", work)}
    facts["search"] = run(python, f"{store}_search", work)
    kept, inserted = kept_after_kill(python, store, kill_work)
    return {**facts, "kept": f"{kept:,} of {inserted:,}"}


def rows_of(facts: dict[str, Any], true: list[set[int]], n: int) -> list[str]:
    insert, search = facts["insert"], facts["search"]
    index = search.get("index")
    kept = facts["kept"]
    return [
        f"{insert['cpu_s']:.2f}",
        f"{insert['wall_s']:.2f}",
        "within the insert" if index is None else f"{index['cpu_s']:.1f}",
        f"{insert['bytes'] / n:,.0f}",
        "within the above" if index is None else f"{index['bytes'] / n:,.0f}",
        f"{search['exact']['ms']:.1f}",
        f"{recall(search['exact']['rows'], true):.3f}",
        f"{search['near']['ms']:.2f}",
        f"{recall(search['near']['rows'], true):.3f}",
        kept,
    ]


NAMES = [
    "insert, CPU-s",
    "insert, s",
    "ANN index, CPU-s",
    "bytes per vector",
    "bytes per vector of the index",
    f"exact top-{K}, ms",
    f"exact top-{K}, recall",
    f"ANN top-{K}, ms",
    f"ANN top-{K}, recall",
    "vectors kept after kill -9 before closing",
]


def hoplite_python(given: str | None) -> str | None:
    python = given or sys.executable
    found = subprocess.run([python, "-c", "import perch_hoplite"], capture_output=True)
    return python if found.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100_000, help="vectors, a multiple of 100")
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hoplite-python", help="interpreter that has perch-hoplite")
    parser.add_argument("--kill-n", type=int, default=2000, help="vectors in hoplite's kill test")
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--hang", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        ROLES[given.role](given.work, given.hang)
        return
    if given.n < WINDOWS or given.n % WINDOWS:
        parser.error(f"--n must be a multiple of {WINDOWS}")
    load = os.getloadavg()[0]
    columns: dict[str, list[str]] = {}
    used = []
    with tempfile.TemporaryDirectory() as folder:
        work, small = Path(folder) / "work", Path(folder) / "small"
        kill = Path(folder) / "kill"
        for path, n in ((work, given.n), (small, min(given.n, given.kill_n))):
            path.mkdir()
            make_data(path, n, given.dim, given.seed)
        kill.mkdir()
        (kill / "vectors.npy").hardlink_to(work / "vectors.npy")
        ours = measure(sys.executable, "antiphon", work, kill)
        columns["Antiphon"] = rows_of(ours, truth(work, centred=True), given.n)
        used.append(ours["insert"]["versions"])
        python = hoplite_python(given.hoplite_python)
        if python is None:
            columns["perch-hoplite"] = ["not installed"] * len(NAMES)
        else:
            theirs = measure(python, "hoplite", work, small)
            columns["perch-hoplite"] = rows_of(theirs, truth(work, centred=False), given.n)
            used.append(theirs["insert"]["versions"])
            ratio = theirs["insert"]["cpu_s"] / ours["insert"]["cpu_s"]
    print(
        f"{given.n:,} vectors x {given.dim} dimensions, {QUERIES} queries, medians. "
        f"{processor()}, {os.cpu_count()} cores."
    )
    print(f"{datetime.now(UTC).date()}, load {load:.1f} at the start. {'; '.join(used)}.\n")
    print("| | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for i, name in enumerate(NAMES):
        print(f"| {name} | " + " | ".join(column[i] for column in columns.values()) + " |")
    if python is not None:
        print(f"\nInserting takes {ratio:.0f} times less CPU than perch-hoplite's.")


if __name__ == "__main__":
    main()
