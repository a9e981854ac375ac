"""Training after a batch of answers: CPU seconds by part, and what people at the pages feel of it.

    python benchmarks/app_retrain.py [--n 10000 --n 100000] [--labelled 1000] [--repeats 3]

A project of made-up embeddings (noise, and a direction for each of the labels, whose shares follow
Zipf's law) is written through the store, some windows are labelled, and the loop's job is done as
the app does it. CPU seconds are user and system time of the process that works, all threads
together; the smallest of the repeats is shown, with the spread. The second table answers windows
over HTTP, one every 50 ms, while nothing is trained, while the worker process trains, and while a
thread of the server does the same work. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from machine import processor

WINDOWS = 100
WINDOW_S = 3.0
STRENGTH = 0.12
BATCH = 20
PAUSE_S = 0.05
ANSWERS = 200


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# Roles: each runs in a process of its own.


def fill(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Write the project: embeddings, and labels of some windows that were chosen at random."""
    import pyarrow as pa

    from antiphon.labels.annotation import make_annotations
    from antiphon.store.project import ProjectFolder
    from antiphon.store.recordings import RecordingEntry

    n, labels = args.n, args.labels
    rng = np.random.default_rng(args.seed)
    (work / "audio").mkdir()
    folder = ProjectFolder.create(work / "project", [work / "audio"])
    frames = int(48_000 * WINDOW_S * WINDOWS)
    folder.catalogue.sync_recordings(
        RecordingEntry("audio", f"{i:06d}.wav", f"key-{i}", 1, 1, "WAV", 48_000, 1, frames)
        for i in range(n // WINDOWS)
    )
    cut = {"window_s": WINDOW_S, "hop_s": WINDOW_S, "channel": "mix"}
    table = folder.open_vectors("bench", "ab" * 32, {"name": "bench"}, cut, args.dim)
    names = [f"kind {k:02d}" for k in range(labels)]
    direction = rng.standard_normal((labels, args.dim), dtype=np.float32) * STRENGTH
    share = 0.6 / np.arange(1, labels + 1)
    chosen = set(rng.choice(n, args.labelled, replace=False).tolist())
    ids = folder.catalogue.recordings().column("id").to_pylist()
    start = WINDOW_S * np.arange(WINDOWS)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("recording", "start_s", "end_s", "label", "presence", "scope")
    }
    row = 0
    with table.session() as session:
        while mine := session.claim(ids, 64):
            for i in mine:
                there = rng.random((WINDOWS, labels)) < share
                made = rng.standard_normal((WINDOWS, args.dim), dtype=np.float32)
                made += there.astype(np.float32) @ direction
                session.begin(i)
                session.append(i, np.full(WINDOWS, -1), start, start + WINDOW_S, made)
                session.finish(i)
                for k in range(WINDOWS):
                    if row in chosen:
                        said = [(names[j], "present", None) for j in np.flatnonzero(there[k])]
                        said.append((None, "absent", [names[j] for j in np.flatnonzero(~there[k])]))
                        for one in said:
                            values = (i, start[k], start[k] + WINDOW_S, *one)
                            for column, value in zip(columns.values(), values, strict=True):
                                column.append(value)
                    row += 1
            ids = ids[ids.index(mine[-1]) + 1 :]
    owner = pa.array(columns["recording"], pa.int64())
    columns["recording"] = [str(i) for i in columns["recording"]]
    made = make_annotations(columns).append_column("recording_id", owner)
    folder.catalogue.add_annotations(made, annotator="bench")
    return {"windows": table.count(), "labelled": folder.catalogue.labels_spent()}


def split(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Do the parts of a job one after the other and return the CPU seconds of each."""
    parts: dict[str, float] = {}

    def timed(name: str, do: Callable[[], Any]) -> Any:
        began, clock = time.perf_counter(), cpu()
        result = do()
        parts[name] = cpu() - clock
        parts[f"{name} wall"] = time.perf_counter() - began
        return result

    def load() -> None:
        # As the worker does it, which is part of what a job costs.
        import antiphon.app.jobs.steps  # noqa: F401

    timed("start", load)
    from antiphon.pipeline.detectors import find_detector
    from antiphon.pipeline.evaluate import evaluate
    from antiphon.pipeline.queue import choose_next
    from antiphon.pipeline.train import train, training_set
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(work / "project")
    table = folder.table()
    timed("read", lambda: training_set(folder, table))
    timed("fit", lambda: train(folder, table))
    parts["fit"] -= parts["read"]
    detector = find_detector(folder, table)
    assert detector is not None
    view = table.view()
    timed("score", lambda: [detector.probabilities(x) for _, x in view.scan()])
    timed("choose", lambda: choose_next(folder, table, 2 * BATCH, strategy=args.strategy))
    parts["choose"] -= parts["score"]
    quality = timed("measure", lambda: evaluate(folder, table))[0]
    assert quality.macro_average_precision is not None
    parts["average precision"] = quality.macro_average_precision.value
    parts["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return parts


def job(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Do the whole job in the app's worker process; seconds until each step was over."""
    from antiphon.app.jobs.preferences import Preferences
    from antiphon.app.jobs.process import Worker

    over, began = threading.Event(), time.perf_counter()
    found: dict[str, Any] = {}

    def heard(message: Any) -> None:
        step = message.get("step", {})
        if step.get("state") == "done":
            found[step["name"]] = time.perf_counter() - began
        if "error" in message:
            raise SystemExit(message["error"])

    preferences = Preferences(batch=BATCH, strategy=args.strategy).model_dump()
    order = {"project": str(work / "project"), "kind": "train", "preferences": preferences}
    Worker(order, heard, lambda _cause: over.set())
    over.wait()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found | {
        "all": time.perf_counter() - began,
        "cpu": children.ru_utime + children.ru_stime,
    }


def serve(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Serve the interface; print the address and the token, and train when a line comes in."""
    import uvicorn

    from antiphon.app.api import build_api
    from antiphon.app.context import AppContext
    from antiphon.app.jobs.preferences import Preferences
    from antiphon.app.jobs.runner import runner_of
    from antiphon.app.jobs.steps import run_job
    from antiphon.app.settings import Settings
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(work / "project")
    context = AppContext(folder, Settings(annotator="bench", port=args.port))
    server = uvicorn.Server(
        uvicorn.Config(build_api(context), port=args.port, log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    print(context.token, flush=True)
    for line in sys.stdin:
        match line.strip():
            case "process":
                runner_of(context).run("train", "bench")
                while runner_of(context).current() is not None:
                    time.sleep(0.02)
            case "thread":
                run_job(folder, "train", Preferences(batch=BATCH), lambda _step: None)
        print("over", flush=True)
    server.should_exit = True
    thread.join()
    context.close()
    return {}


# The client of the second table.


def latency(work: Path, args: argparse.Namespace, how: str, port: int) -> dict[str, float]:
    """Answer windows over HTTP while the server trains, or not, and return milliseconds."""
    command = [sys.executable, __file__, "--role", "serve", "--work", str(work)]
    server = subprocess.Popen(
        [*command, "--port", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    token = server.stdout.readline().strip()

    def call(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Antiphon-Token": token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    call("PUT", "/loop/settings", {"auto": False})
    wanted = {"kind": "strategy", "strategy": "random", "n": 2 * ANSWERS, "mine": True}
    queue = call("POST", "/queues", wanted)["id"]
    over = threading.Event()
    if how != "idle":
        server.stdin.write(f"{how}\n")
        server.stdin.flush()
        threading.Thread(target=lambda: (server.stdout.readline(), over.set()), daemon=True).start()
    times = []
    label = call("GET", "/status")["labels"][0]
    while len(times) < ANSWERS and not over.is_set():
        began = time.perf_counter()
        item = call("POST", f"/queues/{queue}/next", {"n": 1})["items"][0]
        window = {k: item["window"][k] for k in ("recording", "channel", "start_s", "end_s")}
        key = f"{how}-{item['item']}"
        said = {"window": window, "item": item["item"], "key": key, "absent": [label]}
        call("POST", "/answers", said)
        times.append(1000 * (time.perf_counter() - began))
        time.sleep(PAUSE_S)
    if how != "idle":
        over.wait()
    server.stdin.close()
    server.wait()
    middle, high = np.percentile(times, [50, 95])
    return {"median": middle, "p95": high, "max": max(times), "answers": len(times)}


def ask(role: str, work: Path, args: argparse.Namespace, n: int) -> dict[str, Any]:
    """Run a role in a fresh process and return what it found."""
    command = [sys.executable, __file__, "--role", role, "--work", str(work), "--n", str(n)]
    for name in ("dim", "labels", "labelled", "strategy", "seed"):
        command += [f"--{name}", str(getattr(args, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{role} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def spread(rows: list[dict[str, Any]], name: str) -> str:
    values = [row[name] for row in rows]
    return f"{min(values):.2f} to {max(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


PARTS = {
    "start": "start of the process (imports)",
    "read": "reading labels and the labelled vectors",
    "fit": "L2, fit, calibration, thresholds",
    "score": "scoring the pool",
    "choose": "choosing {n} windows, without the scores",
    "measure": "nested cross-validation and intervals",
}


def report(args: argparse.Namespace) -> None:
    sizes = args.n or [10_000, 100_000]
    splits: dict[int, list[dict[str, Any]]] = {}
    jobs: dict[int, list[dict[str, Any]]] = {}
    felt: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=args.tmp) as tmp:
        for n in sizes:
            work = Path(tmp) / str(n)
            work.mkdir()
            ask("fill", work, args, n)
            splits[n] = [ask("split", work, args, n) for _ in range(args.repeats)]
            jobs[n] = [ask("job", work, args, n) for _ in range(args.repeats)]
        for place, how in enumerate(("idle", "process", "thread")):
            felt[how] = latency(Path(tmp) / str(sizes[-1]), args, how, args.port + place)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{processor()}, {os.cpu_count()} cores, load {load}, {datetime.now(UTC):%Y-%m-%d}; "
        f"Antiphon {version('antiphon')}, numpy {version('numpy')}, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}, seed {args.seed}; "
        f"{args.labelled:,} labelled windows, {args.labels} labels, {args.dim} numbers a window, "
        f"strategy {args.strategy}, {args.repeats} repeats.\n"
    )
    heads = " | ".join(f"{n:,} windows" for n in sizes)
    print(f"| CPU seconds | {heads} |\n|---|{'---:|' * len(sizes)}")
    for part, title in PARTS.items():
        cells = " | ".join(spread(splits[n], part) for n in sizes)
        print(f"| {title.format(n=2 * BATCH)} | {cells} |")
    for name, title in (
        ("cpu", "whole job in the worker process"),
        ("train", "elapsed until the new detector"),
        ("choose", "elapsed until the new queue"),
        ("all", "elapsed until the new point of the curve"),
    ):
        print(f"| {title} | {' | '.join(spread(jobs[n], name) for n in sizes)} |")
    for name, title in (("MB", "largest resident set, MB"), ("average precision", "reached AP")):
        print(f"| {title} | {' | '.join(spread(splits[n], name) for n in sizes)} |")
    print("\n| one window and its answer over HTTP | median ms | p95 ms | largest ms | answers |")
    print("|---|---:|---:|---:|---:|")
    titles = {"idle": "no training", "process": "worker process trains", "thread": "thread trains"}
    for how, row in felt.items():
        numbers = f"{row['median']:.0f} | {row['p95']:.0f} | {row['max']:.0f} | {row['answers']}"
        print(f"| {titles[how]} | {numbers} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, action="append", help="windows; may be repeated")
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--labelled", type=int, default=1000)
    parser.add_argument("--strategy", default="antiphon")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--tmp", help="folder for the projects")
    parser.add_argument("--role", choices=["fill", "split", "job", "serve"])
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    if args.role is None:
        report(args)
        return
    args.n = args.n[0] if args.n else 0
    print(json.dumps(globals()[args.role](args.work, args)))


if __name__ == "__main__":
    main()
