"""The page "Benchmark" in a browser: curves, tables, and what was chosen cycle by cycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.active.benchmark.folder import BenchmarkFolder
from tests.app.benches import encoder_run, strategy_run

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_runs_beside_each_other_and_step_by_step(
    project: Path, serving: Any, page: Page, tmp_path: Path
) -> None:
    place = strategy_run(tmp_path)
    encoder_run(project / "reports" / "encoders")
    with serving(project, "--bench", str(place)) as url:
        page.goto(f"{url}/benchmark")
        page.locator(".chart svg .line").nth(1).wait_for()
        assert page.get_by_role("checkbox", name="Draw coreset").is_checked()
        page.get_by_role("checkbox", name="Draw coreset").uncheck()
        page.wait_for_function("document.querySelectorAll('.chart svg .line').length === 1")
        page.get_by_text("Average precision of each class at the end").wait_for()
        page.get_by_label("Compare").select_option(label="coreset")
        page.get_by_text("coreset minus each other strategy").wait_for()
        with page.expect_download() as kept:
            page.get_by_role("link", name="Runs, CSV").click()
        assert len(Path(kept.value.path()).read_text().splitlines()) == 7

        page.get_by_role("tab", name="Step by step").click()
        page.get_by_label("Strategy").select_option(label="coreset")
        page.get_by_label("Repeat").select_option("2")
        page.get_by_text("Cycle 1 of 4: 10 labels").wait_for()
        page.locator("h1").click()
        page.keyboard.press("ArrowRight")
        page.get_by_text("Cycle 2 of 4: 20 labels").wait_for()
        # The ringed points are those that the run's file says, in its order.
        run = next(
            r.run
            for r in BenchmarkFolder(place).results()[0]
            if r.run.strategy == "coreset" and r.run.seed == 2
        )
        pool = [i for i in range(90) if i % 3]
        shown = page.evaluate(
            "document.getElementById('benchmark-page').steps.plane.scatter.selection"
        )
        assert sorted(pool[i] for i in shown) == sorted(run.cycles[1].rows)
        page.keyboard.press("End")
        page.get_by_text("Cycle 4 of 4: 40 labels").wait_for()

        page.get_by_role("tab", name="Encoders").click()
        page.get_by_role("row", name="Classification").first.get_by_text("0.800").wait_for()


def test_without_a_run_the_page_says_how_to_make_one(
    project: Path, serving: Any, page: Page
) -> None:
    with serving(project) as url:
        page.goto(f"{url}/benchmark")
        page.get_by_text("No run of strategies yet").wait_for()
        page.get_by_text("antiphon bench al --preset hsn").wait_for()
