"""A batch of 50 out of 1,000,000 windows: seconds, memory, and what a shortlist misses.

    python benchmarks/active_large.py [--n 1000000] [--dim 256] [--dim 1536] [--quick]

Vectors are made up (background, and kinds of sound whose numbers follow Zipf's law), written into
a project through the store, and read back by a fresh process for each measurement. Peak memory is
the process's largest resident set (ru_maxrss) above what it held before the choice, with the
table's list of windows read. The detector is linear over the 20 commonest kinds. Prints Markdown.

The second table has a pool small enough for a strategy to see whole: the same batch chosen
directly, through a shortlist of a tenth, and from a tenth taken half by probability, half at
random. "Rare" kinds have fewer than 1 window in 1,000; "junk" are windows unlike all others.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from machine import processor

WINDOWS = 500
KINDS = 400
KNOWN = 20
LABELLED = 500
BATCH = 50
BACKGROUND = 0.6
JUNK = 0.003


def kind_numbers(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return each window's kind, -1 for background, -2 for junk; kind 0 is the commonest."""
    share = 1.0 / np.arange(1, KINDS + 1)
    kinds = rng.choice(KINDS, size=n, p=share / share.sum())
    kinds[rng.random(n) < BACKGROUND] = -1
    kinds[rng.random(n) < JUNK] = -2
    return kinds


def centres(dim: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((KINDS + 2, dim)).astype(np.float32)


def vectors_of(kinds: np.ndarray, dim: int, seed: int, rng: np.random.Generator) -> np.ndarray:
    """Return a common part, the kind's direction and noise in a few directions and in all."""
    middle = centres(dim, seed)
    made = 0.6 * rng.standard_normal((len(kinds), dim), dtype=np.float32)
    made += 2.0 * middle[-1]
    made += rng.standard_normal((len(kinds), 1), dtype=np.float32) * middle[-2]
    present = kinds >= 0
    made[present] += middle[kinds[present]]
    junk = kinds == -2
    made[junk] += 1.5 * rng.standard_normal((int(junk.sum()), dim), dtype=np.float32)
    return made


def detector(dim: int, seed: int) -> Any:
    """Return a linear detector of the commonest kinds, from vectors to probabilities."""
    middle = centres(dim, seed)
    weight = np.ascontiguousarray(middle[:KNOWN].T) / np.float32(dim)
    offset = 2.0 * middle[-1] @ weight + 0.5

    def probabilities(vectors: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-np.clip(12.0 * (vectors @ weight - offset), -30, 30)))

    return probabilities


def labelled_rows(kinds: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows = rng.choice(len(kinds), min(LABELLED, len(kinds) // 10), replace=False)
    return rows, (kinds[rows, None] == np.arange(KNOWN)).astype(np.float32)


# Roles: each runs in a process of its own.


def fill(work: Path, n: int, dim: int, seed: int) -> dict[str, Any]:
    from antiphon.store.project import ProjectFolder
    from antiphon.store.recordings import RecordingEntry

    rng = np.random.default_rng(seed)
    kinds = kind_numbers(n, rng)
    np.save(work / "kinds.npy", kinds)
    (work / "audio").mkdir()
    folder = ProjectFolder.create(work / "project", [work / "audio"])
    folder.catalogue.sync_recordings(
        RecordingEntry("audio", f"{i:06d}.wav", f"key-{i}", 1, 1, "WAV", 48000, 1, 48000 * 1500)
        for i in range(n // WINDOWS)
    )
    windows = {"window_s": 3.0, "hop_s": 3.0, "channel": "mix"}
    table = folder.open_vectors("bench", "ab" * 32, {"name": "bench"}, windows, dim)
    ids = folder.catalogue.recordings().column("id").to_pylist()
    start, channel = 3.0 * np.arange(WINDOWS), np.full(WINDOWS, -1)
    with table.session() as session:
        while mine := session.claim(ids, 64):
            for i in mine:
                part = kinds[(i - 1) * WINDOWS : i * WINDOWS]
                session.begin(i)
                made = vectors_of(part, dim, seed, rng)
                session.append(i, channel, start, start + 3.0, made)
                session.finish(i)
            ids = ids[ids.index(mine[-1]) + 1 :]
    return {"count": table.count()}


def choose(work: Path, strategy: str, memory_mb: float, seed: int) -> dict[str, Any]:
    from antiphon.active.large.shortlist import shortlist
    from antiphon.active.registry import get_strategy
    from antiphon.store.project import ProjectFolder

    get_strategy(strategy)
    table = ProjectFolder.open(work / "project").table()
    view = table.view()
    view.windows()
    kinds = np.load(work / "kinds.npy")
    rng = np.random.default_rng(seed + 1)
    rows, labels = labelled_rows(kinds, rng)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    began, clock = time.perf_counter(), time.process_time()
    listed = shortlist(
        view,
        BATCH,
        labelled=rows,
        labels=labels,
        generator=rng,
        score_block=detector(table.dim, seed),
        recording=view.recording_of_rows(),
        memory_mb=memory_mb,
    )
    pass_s = time.perf_counter() - began
    chosen = listed.select(strategy, BATCH)
    total_s = time.perf_counter() - began
    cpu_s = time.process_time() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    began = time.perf_counter()
    for _ in view.scan():
        pass
    return {
        "read_s": time.perf_counter() - began,
        "pass_s": pass_s,
        "total_s": total_s,
        "cpu_s": cpu_s,
        "before_mb": before,
        "mb": peak - before,
        "rows": chosen.rows.tolist(),
        "shortlist": len(listed.rows) - len(rows),
        "notes": listed.notes,
    }


def agree(n: int, dim: int, strategy: str, seed: int) -> dict[str, dict[str, float]]:
    """Compare a batch chosen from all rows with batches chosen from a tenth of them."""
    from antiphon.active.base import KnownHead, PoolView
    from antiphon.active.large.shortlist import ShortlistSettings, select_streamed
    from antiphon.active.large.stream import ArraySource
    from antiphon.active.registry import select

    rng = np.random.default_rng(seed)
    kinds = kind_numbers(n, rng)
    vectors = vectors_of(kinds, dim, seed, rng)
    rows, labels = labelled_rows(kinds, rng)
    probability = detector(dim, seed)(vectors).astype(np.float32)
    free = np.setdiff1d(np.arange(n), rows)

    def direct(some: np.ndarray) -> np.ndarray:
        keep = np.concatenate([rows, some])
        pool = PoolView(
            vectors[keep],
            np.arange(len(rows)),
            labels,
            np.full(len(keep), -1),
            np.random.default_rng(seed),
            KnownHead(probability[keep]),
        )
        return keep[select(strategy, pool, BATCH).rows]

    best = free[np.argsort(-probability[free].max(axis=1))[: n // 20]]
    others = rng.choice(np.setdiff1d(free, best), n // 20, replace=False)
    streamed = select_streamed(
        ArraySource(vectors),
        strategy,
        BATCH,
        labelled=rows,
        labels=labels,
        generator=np.random.default_rng(seed),
        probabilities=probability,
        settings=ShortlistSettings(total=n // 10),
    ).rows
    whole = direct(free)
    count = np.bincount(kinds[kinds >= 0], minlength=KINDS)

    def facts(chosen: np.ndarray) -> dict[str, float]:
        there = np.unique(kinds[chosen][kinds[chosen] >= 0])
        seen = np.unique(kinds[rows][kinds[rows] >= 0])
        return {
            "same": len(np.intersect1d(chosen, whole)) / BATCH,
            "new": float(len(np.setdiff1d(there, seen))),
            "rare": float((count[there] < n / 1000).sum()),
            "junk": float((kinds[chosen] == -2).sum()),
        }

    return {
        "all windows": facts(whole),
        "shortlist of a tenth": facts(streamed),
        "half by probability, half at random": facts(direct(np.concatenate([best, others]))),
    }


def run(role: str, **given: Any) -> dict[str, Any]:
    command = [sys.executable, __file__, "--role", role, "--given", json.dumps(given, default=str)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{role} failed:\n{done.stderr}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def play(role: str, given: dict[str, Any]) -> dict[str, Any]:
    if "work" in given:
        given["work"] = Path(given["work"])
    return {"fill": fill, "choose": choose, "agree": agree}[role](**given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="windows, a multiple of 500")
    parser.add_argument("--dim", type=int, action="append", help="length of vectors; repeatable")
    parser.add_argument("--strategy", action="append", help="repeatable")
    parser.add_argument("--memory-mb", type=float, default=512.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="50,000 windows of 256, one strategy")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--given", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        print(json.dumps(play(given.role, json.loads(given.given))))
        return
    n = 50_000 if given.quick else given.n
    dims = given.dim or ([256] if given.quick else [256, 1536])
    strategies = given.strategy or ["antiphon"]
    print(
        f"{n:,} windows, {BATCH} chosen, {LABELLED} labelled, at most {given.memory_mb:g} MB. "
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"numpy {version('numpy')}, "
        f"{datetime.now(UTC).date()}.\n"
    )
    print("| length | strategy | reading, s | pass, s | all, s | CPU-s | peak, MB above | listed |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|")
    for dim in dims:
        with tempfile.TemporaryDirectory() as folder:
            run("fill", work=folder, n=n, dim=dim, seed=given.seed)
            for name in strategies:
                found = run(
                    "choose",
                    work=folder,
                    strategy=name,
                    memory_mb=given.memory_mb,
                    seed=given.seed,
                )
                print(
                    f"| {dim} | {name} | {found['read_s']:.2f} | {found['pass_s']:.2f} | "
                    f"{found['total_s']:.2f} | {found['cpu_s']:.2f} | "
                    f"{found['mb']:.0f} ({found['before_mb']:.0f}) | {found['shortlist']:,} |",
                    flush=True,
                )
    small, runs = (20_000, 2) if given.quick else (60_000, 5)
    print(f"\n{small:,} windows of 128, means of {runs}:\n")
    print("| strategy | chosen from | same rows as from all | new kinds | rare kinds | junk |")
    print("|---|---|---:|---:|---:|---:|")
    for name in strategies:
        every = [run("agree", n=small, dim=128, strategy=name, seed=s) for s in range(runs)]
        for source in every[0]:
            mean = {k: np.mean([one[source][k] for one in every]) for k in every[0][source]}
            print(
                f"| {name} | {source} | {mean['same']:.0%} | {mean['new']:.1f} | "
                f"{mean['rare']:.1f} | {mean['junk']:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
