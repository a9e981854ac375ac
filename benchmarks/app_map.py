"""The page "Map" at 100,000 windows: principal components, bytes sent, time for a frame.

    python benchmarks/app_map.py [--n 100000] [--dim 256] [--dim 1024] [--frames 60] [--no-browser]

Vectors are made up (40 kinds of sound around a common mean), written into a project through the
store as float16 and read back by a fresh process, with one thread of BLAS. Then the app serves
the last project, and Chromium draws the map without a window while the view is moved a little for
each frame. A frame ends when its pixels can be read, so that what the graphics driver does later
counts too. The name of the renderer is printed: SwiftShader and llvmpipe draw in software, on the
processor. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from machine import processor

WINDOWS = 500
KINDS = 40
PORT = 8399

DRAW = """async (frames) => {
  const scatter = document.getElementById("map-page").scatter;
  const spent = [];
  const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const high = (values) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)];
  const timed = (f) => { const t = performance.now(); f(); return performance.now() - t; };
  for (let i = 0; i < frames; i++) {
    scatter.view.x = 0.2 * Math.sin(i / 10);
    scatter.view.zoom = 1 + i / frames;
    spent.push(timed(() => { scatter.drawNow(); scatter.drawer.finish(); }));
  }
  const gl = scatter.drawer.gl;
  const facts = gl && gl.getExtension("WEBGL_debug_renderer_info");
  const ring = Array.from({ length: 200 }, (_, i) =>
    [0.5 * Math.cos(i * Math.PI / 100), 0.5 * Math.sin(i * Math.PI / 100)]);
  return {
    points: scatter.xy.length / 2,
    drawer: scatter.drawer.name,
    renderer: facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : "",
    size: [scatter.canvas.width, scatter.canvas.height],
    median: middle(spent), p95: high(spent),
    index: timed(() => scatter.setPoints(scatter.xy)),
    lasso: timed(() => scatter.lasso(ring)),
    caught: scatter.selected,
    nearest: timed(() => {
      for (let i = 0; i < 100; i++) scatter.index.nearest(Math.sin(i), 0.1, 0.02);
    }) / 100,
  };
}"""


def make(work: Path, n: int, dim: int) -> None:
    from antiphon.store.project import ProjectFolder
    from antiphon.store.recordings import RecordingEntry

    rng = np.random.default_rng(dim)
    middles = rng.normal(size=(KINDS, dim)).astype(np.float32)
    common = 2 * rng.normal(size=dim).astype(np.float32)
    (work / "audio").mkdir(parents=True)
    folder = ProjectFolder.create(work / "project", [work / "audio"])
    folder.catalogue.sync_recordings(
        RecordingEntry("audio", f"{i:06d}.wav", f"key-{i}", 1, 1, "WAV", 48000, 1, 48000 * 1500)
        for i in range(-(-n // WINDOWS))
    )
    windows = {"window_s": 3.0, "hop_s": 3.0, "channel": "mix"}
    table = folder.open_vectors("bench", "ab" * 32, {"name": "bench"}, windows, dim)
    ids = folder.catalogue.recordings().column("id").to_pylist()
    start, channel = 3.0 * np.arange(WINDOWS), np.full(WINDOWS, -1)
    with table.session() as session:
        while mine := session.claim(ids, 64):
            for i in mine:
                session.begin(i)
                kind = rng.integers(0, KINDS, WINDOWS)
                noise = 0.6 * rng.normal(size=(WINDOWS, dim))
                vectors = (common + middles[kind] + noise).astype(np.float32)
                session.append(i, channel, start, start + 3.0, vectors)
                session.finish(i)
            ids = ids[ids.index(mine[-1]) + 1 :]
    folder.close()


def lay_out(work: Path) -> None:
    """Measure in this fresh process and print JSON."""
    from antiphon.pipeline.mapping import layout_path, pca_layout
    from antiphon.pipeline.windows import load_windows
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(work / "project")
    windows = load_windows(folder, folder.table())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    spent = []
    for _ in range(2):
        clock, cpu = time.perf_counter(), time.process_time()
        layout = pca_layout(windows)
        spent.append((time.perf_counter() - clock, time.process_time() - cpu))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        json.dumps(
            {
                "windows": len(windows),
                "dim": folder.table().dim,
                "first": spent[0],
                "again": spent[1],
                "memory": peak - before,
                "file": layout_path(windows.view, "pca").stat().st_size,
                "share": sum(layout.share[:2]),
            }
        )
    )


@contextmanager
def app(project: Path) -> Any:
    command = [sys.executable, "-m", "antiphon", "label", str(project), "--port", str(PORT)]
    process = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/api/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def fetch(url: str, path: str, **asked: object) -> tuple[bytes, float]:
    query = urllib.parse.urlencode(asked)
    clock = time.perf_counter()
    with urllib.request.urlopen(f"{url}/api/map{path}?{query}", timeout=600) as answer:
        content: bytes = answer.read()
    return content, time.perf_counter() - clock


def draw(url: str, frames: int) -> list[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    found = []
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for address in ("/map?draw=webgl", "/map?draw=plain"):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(url + address)
            ready = "document.getElementById('map-page')?.scatter?.xy.length > 0"
            page.wait_for_function(ready, timeout=120_000)
            page.wait_for_timeout(1000)
            found.append(page.evaluate(DRAW, frames))
            page.close()
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, action="append")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--lay-out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.lay_out:
        lay_out(asked.lay_out)
        return
    print(f"{processor()}, {datetime.now(UTC):%Y-%m-%d}\n")
    print("| windows | values | CPU s | s | again, s | memory, MB | file, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="antiphon-map-") as name:
        for dim in asked.dim or [256, 1024]:
            work = Path(name) / str(dim)
            make(work, asked.n, dim)
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(
                [sys.executable, __file__, "--lay-out", str(work)],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            one = json.loads(done.stdout)
            print(
                f"| {one['windows']:,} | {one['dim']:,} | {one['first'][1]:.2f} | "
                f"{one['first'][0]:.2f} | {one['again'][0]:.2f} | {one['memory']:.0f} | "
                f"{one['file'] / 1e6:.1f} |",
                flush=True,
            )
        with app(work / "project") as url:
            facts = json.loads(fetch(url, "")[0])
            version = facts["version"]
            print("\n| sent | bytes | s |\n|---|---|---|")
            content, seconds = fetch(url, "/points", version=version)
            print(f"| positions | {len(content):,} | {seconds:.2f} |")
            for by, value in (("hour", ""), ("cluster", "8"), ("cluster", "8")):
                content, seconds = fetch(url, "/colours", version=version, by=by, value=value)
                print(f"| colours by {by} | {len(content):,} | {seconds:.2f} |", flush=True)
            if asked.no_browser:
                return
            print(
                "\n| drawn by | renderer | canvas | frame, median ms | p95 ms | index ms | "
                "lasso ms (points) | nearest ms |\n|---|---|---|---|---|---|---|---|"
            )
            for one in draw(url, asked.frames):
                width, height = one["size"]
                print(
                    f"| {one['drawer']} | {one['renderer'] or '-'} | {width} x {height} | "
                    f"{one['median']:.1f} | {one['p95']:.1f} | {one['index']:.1f} | "
                    f"{one['lasso']:.1f} ({one['caught']:,}) | {one['nearest']:.3f} |"
                )


if __name__ == "__main__":
    main()
