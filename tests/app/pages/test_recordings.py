"""The page of recordings and detections in a browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

import pyarrow.csv as pa_csv

from antiphon.pipeline.browse.detections import DetectionFilter, select
from antiphon.pipeline.detect import load_detections
from antiphon.store.project import ProjectFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page

Serving = Callable[..., AbstractContextManager[str]]


def whole(text: str | None) -> int:
    return int((text or "").split()[0].replace(",", ""))


def test_from_a_day_to_a_clip_to_the_queue(page: Page, project: Path, serving: Serving) -> None:
    with serving(project) as url:
        page.goto(f"{url}/recordings")
        spans = page.locator(".day-span")
        spans.first.wait_for()
        assert whole(page.locator(".day .count").text_content()) > 0
        names = page.locator(".day-name").all_text_contents()
        said = [spans.nth(i).get_attribute("aria-label") or "" for i in range(spans.count())]
        assert {text.split(",")[0] for text in said} == set(names)

        # By keyboard: to the next detection, open it, step on, close.
        page.locator('.day-span[tabindex="0"]').focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        clip = page.locator(".clip")
        clip.wait_for()
        title = clip.locator("h2").text_content()
        page.locator(".spectrogram-view canvas").first.wait_for()
        if spans.count() > 2:
            clip.get_by_role("button", name="Next one").click()
            page.wait_for_function(
                "t => document.querySelector('.clip h2').textContent !== t", arg=title
            )
        alike = clip.get_by_role("link", name="More like this").get_attribute("href") or ""
        assert urlparse(alike).path == "/search"
        assert {"recording", "start_s", "end_s"} <= set(parse_qs(urlparse(alike).query))

        clip.get_by_role("button", name="Label this").click()
        page.wait_for_url("**/label?queue=*")
        queue = parse_qs(urlparse(page.url).query)["queue"][0]
        made = page.request.get(f"{url}/api/queues/{queue}").json()
        assert made["kind"] == "chosen"
        assert made["total"] >= 1


def test_detections_are_sorted_filtered_and_saved(
    page: Page, project: Path, serving: Serving, tmp_path: Path
) -> None:
    folder = ProjectFolder.open(project)
    found = load_detections(folder)
    folder.close()
    labels = found.column("label").to_pylist()
    label = max(set(labels), key=labels.count)
    with serving(project) as url:
        page.goto(f"{url}/recordings?part=detections")
        page.locator("tbody tr").first.wait_for()
        count = page.locator("#part .count")
        assert whole(count.text_content()) == found.num_rows
        page.locator("#only-label").select_option(label)
        page.wait_for_function(
            "n => document.querySelector('#part .count').textContent.startsWith(n + ' ')",
            arg=f"{labels.count(label):,}",
        )
        scores = [float(t) for t in page.locator("tbody td:nth-child(2)").all_text_contents()]
        assert scores == sorted(scores, reverse=True)
        assert f"label={label.split()[0]}" in page.url

        page.get_by_role("button", name="Export…").click()
        with page.expect_download() as caught:
            page.get_by_role("link", name="Download").click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        expected = select(found, DetectionFilter(labels=(label,)), spans=True).rows
        read = pa_csv.read_csv(path)
        assert read.column("start_s").to_pylist() == expected.column("start_s").to_pylist()
        assert set(read.column("label").to_pylist()) == {label}


def test_a_threshold_moves_without_requests_and_is_saved(
    page: Page, project: Path, serving: Serving
) -> None:
    with serving(project) as url:
        page.goto(f"{url}/recordings?part=thresholds")
        page.locator(".how .caution").wait_for()
        facts = page.locator(".cut-facts")
        before = whole(facts.locator("b").first.text_content())
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.locator("#cut").focus()
        page.keyboard.press("Home")
        assert page.locator(".cut-value").text_content() == "0.00"
        assert whole(facts.locator("b").first.text_content()) == 96 > before
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        value = page.locator(".cut-value").text_content()
        count = whole(facts.locator("b").first.text_content())
        assert [address for address in asked if "/api/" in address] == []
        assert "labelled window" in (facts.text_content() or "")

        label = page.locator("#cut-label").input_value()
        page.get_by_role("button", name="Save as the project's").click()
        page.locator(".head p", has_text="first thresholds 1").wait_for()
        state = page.request.get(f"{url}/api/detections/state").json()
        assert state["detector"] == state["run"] == "first thresholds 1"
        kept = {t["label"]: t["threshold"] for t in state["labels"]}
        assert f"{kept[label]:.2f}" == value
        rows = page.request.get(f"{url}/api/detections", params={"label": label}).json()
        assert rows["total"] == count


def test_activity_has_tables_and_hostile_names_stay_text(
    page: Page, project: Path, serving: Serving
) -> None:
    from sqlalchemy import update

    from antiphon.store.schema import Recording

    hostile = "<img src=x onerror=document.title='hit'>"
    folder = ProjectFolder.open(project)
    with folder.catalogue.database.write() as connection:
        connection.execute(update(Recording).where(Recording.id == 1).values(site=hostile))
        connection.execute(update(Recording).where(Recording.id == 2).values(start_time=None))
    folder.close()
    for file in (project / "detections").glob("*.parquet"):
        file.unlink()
    with serving(project) as url:
        page.goto(f"{url}/recordings?part=activity")
        page.locator("figure svg").first.wait_for()
        assert "1 recording without a start time" in (
            page.locator(".left-out").text_content() or ""
        )
        rows = page.locator("figure").first.locator("tbody tr")
        assert rows.count() == 24
        page.locator("figure", has_text=hostile).first.wait_for(state="attached")
        assert page.locator("figure", has_text=hostile).count() == 1
        assert page.locator("img[src='x']").count() == 0
        assert page.title() != "hit"

        # Nothing was detected yet: the page says so, and runs the detector.
        page.get_by_role("button", name="Detect now").click()
        page.locator(".head p", has_text="detected window").wait_for()
        page.get_by_role("tab", name="Recordings").click()
        page.locator("tbody td", has_text=hostile).first.wait_for()
        assert page.locator("tbody td", has_text=hostile).count() == 1
