"""Pictures of the app's pages for docs/howto/app.md.

    antiphon demo
    python benchmarks/app_screenshots.py [antiphon-demo/project] [--out docs/images/app]

The demo's project is copied; two people answer some windows of the copy, so that the page
Agreement has something to show, and small runs of ``antiphon bench`` (four strategies on a
simulated set; two settings of an encoder on the project) are what the page Benchmark shows. Each
page is drawn in headless Chromium at 1,280 x 800.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from app_serving import Server

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LARGEST = 200_000
ANSWERED = 60
SLIPS = 0.15
STRATEGIES = ("antiphon", "coreset", "badge", "random")


def people_answer(project: Path) -> dict[str, Any]:
    """Let mia say what is known of some windows, and ben mostly the same; return a window."""
    from antiphon.pipeline.annotate.answers import answer
    from antiphon.pipeline.annotate.said import Said, Span
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(project)
    known: defaultdict[Span, set[str]] = defaultdict(set)
    for row in folder.catalogue.annotations().to_pylist():
        if row["presence"] == "present" and row["start_s"] is not None and row["low_hz"] is None:
            span = Span(row["recording_id"], -1, row["start_s"], row["end_s"])
            known[span].add(row["label"])
    chance = random.Random(1)
    names = folder.catalogue.label_names()
    chosen = sorted(known, key=lambda s: (s.recording_id, s.start_s))
    for i, span in enumerate(chance.sample(chosen, min(ANSWERED, len(chosen)))):
        for person in ("mia", "ben"):
            said = set(known[span])
            if person == "ben" and chance.random() < SLIPS:
                said ^= {chance.choice(names)}
            took = chance.uniform(1.5, 6.0)
            said_ = Said(present=tuple(sorted(said)), complete=True)
            answer(folder, person, span, said_, key=f"{person} {i}", seconds=took, force=True)
    rich = max(known, key=lambda s: (len(known[s]), -s.recording_id))
    folder.close()
    return {"recording": rich.recording_id, "start_s": rich.start_s, "end_s": rich.end_s}


def bench(project: Path) -> None:
    """Put a run of strategies and one of encoders into the project's folder benchmarks.

    Those that are there are taken as they are: the first takes minutes.
    """
    runs = {
        "strategies": [
            *("al", "--preset", "hsn:3", "--repeats", "3", "--budget", "300", "--batch", "30"),
            *(part for name in STRATEGIES for part in ("--strategy", name)),
        ],
        "encoders": [
            *("encoders", "--suite", "local", "--data", str(project), "--encoder", "spectral"),
            *("--encoder", "spectral,n_mels=32"),
        ],
    }
    for name, arguments in runs.items():
        out = project / "benchmarks" / name
        if out.is_dir():
            continue
        command = [sys.executable, "-m", "antiphon", "bench", *arguments, "--jobs", "1"]
        subprocess.run([*command, "--out", str(out)], check=True)


def save(page: Any, path: Path) -> None:
    """Draw the page: PNG, or JPEG where many spectrograms make that too large."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path.with_suffix(".jpg").unlink(missing_ok=True)
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    for quality in range(88, 40, -4):
        if path.stat().st_size < LARGEST:
            break
        path.unlink()
        path = path.with_suffix(".jpg")
        picture.save(path, quality=quality, optimize=True)
    else:
        raise SystemExit(f"{path} stays larger than {LARGEST} bytes.")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("project", type=Path, nargs="?", default=Path("antiphon-demo/project"))
    parser.add_argument("--out", type=Path, default=Path("docs/images/app"))
    parser.add_argument("--only", action="append", help="a page's name; may be repeated")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        copy = Path(shutil.copytree(args.project, Path(tmp) / "demo"))
        window = people_answer(copy)
        if not args.only or "benchmark" in args.only:
            bench(copy)
        server = Server(copy, Path(tmp) / "server.log", "--as", "mia")
        server.start()
        try:
            with sync_playwright() as playwright:
                program = next((p for p in map(shutil.which, PROGRAMS) if p), None)
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                shots = Shots(browser, server.url, args.out, window)
                for name, shoot in shots.all().items():
                    if not args.only or name in args.only:
                        shoot()
                browser.close()
        finally:
            server.stop()


class Shots:
    """The pages, one after the other."""

    def __init__(self, browser: Any, url: str, out: Path, window: dict[str, Any]) -> None:
        self.browser, self.url, self.out, self.window = browser, url, out, window

    def all(self) -> dict[str, Callable[[], None]]:
        named = ("home", "label", "loop", "search", "map", "recordings", "thresholds", "agreement")
        shots = {name: getattr(self, name) for name in (*named, "benchmark")}
        return {**shots, "label-dark": lambda: self.label(dark=True)}

    def open(self, path: str, *, dark: bool = False) -> Any:
        page = self.browser.new_page(
            viewport={"width": 1280, "height": 800},
            locale="en-GB",
            color_scheme="dark" if dark else "light",
        )
        page.set_default_timeout(60_000)
        page.goto(f"{self.url}{path}")
        return page

    def close(self, page: Any, name: str, wait_ms: int = 1500) -> None:
        page.wait_for_timeout(wait_ms)
        save(page, self.out / f"{name}.png")
        page.close()

    def home(self) -> None:
        page = self.open("/")
        page.get_by_role("heading", level=1).wait_for()
        self.close(page, "home")

    def label(self, *, dark: bool = False) -> None:
        page = self.open("/label", dark=dark)
        page.evaluate("localStorage.setItem('antiphon.sight', '{\"contrast\": 4}')")
        queue = page.evaluate(
            """async (window) => {
              const { api } = await import("/static/frame/api.js");
              const wanted = { kind: "search", n: 20, mine: true, like: window };
              return (await api("POST", "/queues", { ...wanted, name: "Like a good one" })).id;
            }""",
            self.window,
        )
        page.goto(f"{self.url}/label?queue={queue}")
        page.wait_for_function("window.labelPage?.work?.sight.view.facts && labelPage.work.clip")
        page.wait_for_timeout(1500)
        page.keyboard.press("1")
        frame = page.evaluate(
            "(({left, top, width, height}) => ({left, top, width, height}))"
            "(labelPage.work.sight.view.frame)"
        )
        place = page.evaluate(
            "(({left, top}) => ({left, top}))"
            "(labelPage.work.sight.view.surface.getBoundingClientRect())"
        )
        left, top = place["left"] + frame["left"], place["top"] + frame["top"]
        page.mouse.move(left + 0.28 * frame["width"], top + 0.14 * frame["height"])
        page.mouse.down()
        page.mouse.move(left + 0.72 * frame["width"], top + 0.3 * frame["height"], steps=6)
        page.mouse.up()
        self.close(page, "label-dark" if dark else "label")

    def loop(self) -> None:
        page = self.open("/loop")
        page.get_by_role("button", name="Train now").click()
        page.wait_for_function(
            "/Trained /.test(document.querySelector('.loop-job')?.textContent ?? '')",
            timeout=180_000,
        )
        page.reload()
        page.locator(".loop-chart svg").first.wait_for()
        self.close(page, "loop")

    def search(self) -> None:
        asked = "&".join(f"{name}={value}" for name, value in self.window.items())
        page = self.open(f"/search?{asked}")
        page.wait_for_function("document.querySelectorAll('.results img').length > 10")
        self.close(page, "search", 6000)

    def map(self) -> None:
        page = self.open("/map")
        page.wait_for_function("document.getElementById('map-page')?.scatter?.points !== null")
        page.wait_for_timeout(4000)
        box = page.locator(".plot").bounding_box()
        page.get_by_role("button", name="Lasso").click()
        at = [(0.12, 0.15), (0.42, 0.12), (0.45, 0.5), (0.15, 0.55), (0.12, 0.15)]
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in at]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=8)
        page.mouse.up()
        self.close(page, "map")

    def recordings(self) -> None:
        page = self.open("/recordings?part=day")
        page.get_by_role("tab", name="Day").wait_for()
        self.close(page, "recordings", 8000)

    def thresholds(self) -> None:
        page = self.open("/recordings?part=thresholds")
        page.locator("#cut").wait_for()
        self.close(page, "thresholds", 3000)

    def agreement(self) -> None:
        page = self.open("/agreement")
        page.locator("#agreement-page .choice").first.wait_for()
        self.close(page, "agreement", 3000)

    def benchmark(self) -> None:
        page = self.open("/benchmark?part=strategies")
        page.locator(".chart svg").first.wait_for()
        self.close(page, "benchmark", 3000)


if __name__ == "__main__":
    main()
