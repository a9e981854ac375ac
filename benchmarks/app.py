"""The web app: how fast a clip changes, and what many people and a killed server do to answers.

    python benchmarks/app.py [--part clip|annotators|kills] [--seconds 120] [--kills 20]
                             [--catalogue postgresql://postgres@127.0.0.1/postgres]

Each part makes its own project and starts ``antiphon label`` in a process of its own on this
machine, which the browser and the annotators share with it.

clip: 100 clips of synthesised soundscapes are labelled by keyboard in headless Chromium. The time
goes from the browser's time stamp of the key press to the first task after the frame with the new
spectrogram.

annotators: 20 people with accounts, each a thread, ask for a window, think, answer, and take one
answer in 20 back; three windows in four come from a queue that all share. Then the database is
compared with what the server acknowledged. One commit a row, written by SQLite alone into the same
folder, shows what the disk allows.

kills: the same people, while the server is killed (SIGKILL) and started again. They send what got
no reply again, under the same key, as the page does. The database is looked at after each kill, as
it lies there, before the server is started again. (A kill is not a power cut.)

With --catalogue the last two parts keep the catalogue in PostgreSQL: in databases that are made on
that server and dropped afterwards.

Prints Markdown. Needs the extra ``app``; the part clip Playwright and a Chromium as well.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import create_engine, text

from app_people import LABELS, Annotator, check
from app_serving import Server, chosen_windows, fresh, made_up, synthesised
from machine import processor

PASSWORD = "a long enough password"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHARED_WINDOWS = 10_000
OWN_WINDOWS = 600
COMMITS = 400


def now_line() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"load {load}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


# Part: clip


def clip(work: Path, args: argparse.Namespace) -> None:
    """Label clips by keyboard in a browser and print how long the change of clip takes."""
    from playwright.sync_api import sync_playwright

    project = synthesised(work)
    windows = chosen_windows(project)
    np.random.default_rng(args.seed).shuffle(windows)
    server = Server(project, work / "server.log", "--as", "ann")
    server.start()
    rows = []
    try:
        with sync_playwright() as playwright:
            program = next((p for p in map(shutil.which, PROGRAMS) if p), None)
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            named = f"Chromium {browser.version}"
            for title, pause in (("as soon as it is shown", 0.0), ("after a second", 1.0)):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                # Nobody has answered these; one more than is labelled, to be gone on to.
                mine, windows = windows[: args.clips + 1], windows[args.clips + 1 :]
                rows.append((title, *_label(page, server.url, mine, pause)))
                page.close()
            browser.close()
    finally:
        server.stop()
    print(f"\n### Clip to clip\n\n{named}, headless, 1,280 x 800; {now_line()}\n")
    print("| next key | clips | ready before | median ms | p95 ms | largest ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for title, times, ready in rows:
        middle, high = np.percentile(times, [50, 95])
        print(
            f"| {title} | {len(times)} | {ready} | {middle:.0f} | {high:.0f} | {max(times):.0f} |"
        )


def _label(
    page: Any, url: str, windows: list[dict[str, Any]], pause: float
) -> tuple[list[float], int]:
    """Answer all clips but one; return the milliseconds of each change, and how many were ready."""
    n = len(windows) - 1
    _call(url, "PUT", "/loop/settings", {"auto": False})
    queue = _call(url, "POST", "/queues", {"kind": "chosen", "windows": windows})
    page.goto(f"{url}/label?queue={queue['id']}")
    page.wait_for_function("window.labelPage?.work?.sight.view.facts && labelPage.work.clip")
    # Wherever the clip comes from, the time begins with the key and ends with the picture.
    page.evaluate(
        """() => {
          window.changes = [];
          let since = null;
          const pressed = ({ key, timeStamp }) => key === "Enter" && (since = timeStamp);
          addEventListener("keydown", pressed, true);
          labelPage.work.sight.view.on("shown", ({ cached }) => {
            if (since !== null) changes.push({ ms: performance.now() - since, cached });
            since = null;
          });
        }"""
    )
    keys = list(page.evaluate("Object.fromEntries(labelPage.work.keys.labels)").values())
    for i in range(n):
        time.sleep(pause)
        page.keyboard.press(keys[i % len(keys)] if i % 5 else "0")
        page.keyboard.press("Enter")
        page.wait_for_function(f"changes.length > {i}")
    page.wait_for_selector(".saved[data-state=saved]")
    done = _call(url, "GET", f"/queues/{queue['id']}")["done"]
    if done != n:
        raise SystemExit(f"{done} of {n} answers are there.")
    changes = page.evaluate("changes")
    return [one["ms"] for one in changes], sum(one["cached"] for one in changes)


def _call(url: str, method: str, path: str, body: Any = None) -> Any:
    with httpx.Client(base_url=f"{url}/api", timeout=120.0) as client:
        token = client.get("/session").json()["token"]
        headers = {"X-Antiphon-Token": token}
        return client.request(method, path, json=body, headers=headers).raise_for_status().json()


# Parts: annotators and kills


@contextlib.contextmanager
def crowd(work: Path, args: argparse.Namespace, think_s: float) -> Iterator[Any]:
    """Serve a project with accounts, and yield server, database, people and the shared queue."""
    with fresh(args.catalogue) as url:
        yield from _crowd(work, args, think_s, url)


def _crowd(work: Path, args: argparse.Namespace, think_s: float, url: str | None) -> Iterator[Any]:
    people = {f"person {k:02d}": PASSWORD for k in range(args.people)}
    project = made_up(work, 12_000, people, url)
    windows = chosen_windows(project)
    server = Server(project, work / "server.log")
    server.start()
    try:
        crowd = [
            Annotator(server.url, name, PASSWORD, 0, 0, think_s, seed)
            for seed, name in enumerate(people)
        ]
        for one in crowd:
            one.log_in()
        manager = crowd[0].client
        for name in LABELS:
            manager.post("/labels", json={"name": name}).raise_for_status()
        # Training has a benchmark of its own: app_retrain.py.
        manager.put("/loop/settings", json={"auto": False}).raise_for_status()
        wanted = {"kind": "chosen", "windows": windows[:SHARED_WINDOWS]}
        shared = manager.post("/queues", json=wanted).raise_for_status().json()["id"]
        last = windows[-OWN_WINDOWS:]
        for one in crowd:
            wanted = {"kind": "chosen", "windows": last, "mine": True}
            own = one.client.post("/queues", json=wanted).raise_for_status().json()["id"]
            one.queues = {"shared": shared, "own": own}
        yield server, url or project / "catalogue.db", crowd, shared
    finally:
        server.stop()


def finish(people: list[Annotator]) -> None:
    for one in people:
        one.over.set()
    for one in people:
        one.join(120.0)
        if one.is_alive():
            raise SystemExit(f"{one.name} is still waiting for a reply.")


def annotators(work: Path, args: argparse.Namespace) -> None:
    """Let people label for a while, at two speeds, and print what they felt and what is kept."""
    speeds, checks = [], []
    for think_s in args.think:
        with crowd(work / f"think{think_s:g}", args, think_s) as (server, database, people, shared):
            cpu, began = server.cpu_s(), time.perf_counter()
            for one in people:
                one.start()
            time.sleep(args.seconds)
            for one in people:
                one.over.set()
            finish(people)
            took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
            notes = [one.notes for one in people]
            answers = [ms for note in notes for ms in note.answer_ms]
            asked = [ms for note in notes for ms in note.next_ms]
            errors = sum((note.errors for note in notes), Counter())
            figures = [*np.percentile(answers, [50, 95]), *np.percentile(asked, [50, 95])]
            cells = " | ".join(f"{value:.0f}" for value in figures)
            speeds.append(
                f"| {think_s:g} | {len(answers):,} | {len(answers) / took:.1f} | {cells} | "
                f"{1000 * cpu / len(answers):.1f} | {sum(errors.values())} |"
            )
            name = f"{args.people} people, {think_s:g} s"
            checks.append((name, check(database, people, [shared], work / "scratch")))
            for sentence, n in errors.most_common(5):
                print(f"{n} x {sentence}", file=sys.stderr)
    print(f"\n### {args.people} annotators, {args.seconds:g} s each\n\n{now_line()}\n")
    print("| think s | answers | a second | answer ms | p95 | next ms | p95 | CPU ms | errors |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    print("\n".join(speeds))
    print(
        f"\nCPU ms: the app's, for one answer with its `next`. One row a commit alone: "
        f"{commits(work, args)}.\n"
    )
    print_checks(checks)


def commits(work: Path, args: argparse.Namespace) -> str:
    """Return how many one-row commits a second the database makes by itself."""
    found = []
    for mode in ("FULL", "NORMAL") if args.catalogue is None else ("PostgreSQL",):
        with fresh(args.catalogue) as url:
            url = url or f"sqlite:///{work / f'commits-{mode}.db'}"
            engine = create_engine(url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                if args.catalogue is None:
                    connection.execute(text("PRAGMA journal_mode = WAL"))
                    connection.execute(text(f"PRAGMA synchronous = {mode}"))
                connection.execute(text("CREATE TABLE t (x TEXT)"))
                began = time.perf_counter()
                for i in range(COMMITS):
                    connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": str(i) * 100})
                found.append(f"{COMMITS / (time.perf_counter() - began):,.0f} a second ({mode})")
            engine.dispose()
    return ", ".join(found)


def kills(work: Path, args: argparse.Namespace) -> None:
    """Kill the server again and again while people label, and print what is left."""
    chance = random.Random(args.seed)
    checks, starts = [], []
    with crowd(work / "kills", args, 0.0) as (server, database, people, shared):
        for one in people:
            one.start()
        for i in range(args.kills):
            time.sleep(chance.uniform(0.5, 3.0))
            server.kill()
            found = check(database, people, [shared], work / "scratch")
            checks.append((f"kill {i + 1}", found))
            starts.append(server.start())
        time.sleep(2.0)
        finish(people)
        checks.append(("at the end", check(database, people, [shared], work / "scratch")))
        errors = sum((one.notes.errors for one in people), Counter())
        retries = sum(one.notes.retries for one in people)
        for sentence, n in errors.most_common(5):
            print(f"{n} x {sentence}", file=sys.stderr)
    print(f"\n### {args.kills} kills under {args.people} annotators\n\n{now_line()}\n")
    print(
        f"{retries:,} requests without a reply were sent again; {sum(errors.values())} were "
        f"refused; the server answered {np.median(starts):.1f} s (median) after each start.\n"
    )
    print_checks(checks if args.all else checks[-2:])
    print(f"\nWorst of all {len(checks)} looks: {worst(checks)}")


def worst(checks: list[tuple[str, dict[str, Any]]]) -> str:
    names = [name for name in checks[0][1] if name not in ("acknowledged", "integrity")]
    words = [f"{name} {max(found[name] for _, found in checks)}" for name in names]
    broken = [found["integrity"] for _, found in checks if found["integrity"] != "ok"]
    return ", ".join([*words, f"integrity {broken[0] if broken else 'ok'}"])


def print_checks(checks: list[tuple[str, dict[str, Any]]]) -> None:
    names = list(checks[0][1])
    print(f"| in the database | {' | '.join(names)} |\n|---|{'---:|' * len(names)}")
    for title, found in checks:
        print(f"| {title} | {' | '.join(f'{found[name]}' for name in names)} |")


PARTS = {"clip": clip, "annotators": annotators, "kills": kills}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", choices=list(PARTS), action="append", help="may be repeated")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0, help="of each speed")
    parser.add_argument("--think", type=float, action="append", help="seconds; may be repeated")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--catalogue", metavar="URL", help="a PostgreSQL server; SQLite without")
    parser.add_argument("--all", action="store_true", help="print the look after every kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tmp", help="folder for the projects")
    args = parser.parse_args()
    args.think = args.think or [0.0, 1.0]
    print(f"{processor()}, {os.cpu_count()} cores; {now_line()}; Antiphon {version('antiphon')}.")
    for name in args.part or PARTS:
        with tempfile.TemporaryDirectory(dir=args.tmp) as tmp:
            PARTS[name](Path(tmp), args)


if __name__ == "__main__":
    main()
