from __future__ import annotations

import math

import numpy as np
import pytest

from antiphon.pipeline.windows import load_windows, targets
from antiphon.store.project import ProjectFolder

SCATTER = "document.getElementById('map-page').scatter"


@pytest.fixture
def folder(project):
    opened = ProjectFolder.open(project)
    yield opened
    opened.close()


@pytest.fixture
def windows(folder):
    return load_windows(folder, folder.table())


def ready(page):
    page.wait_for_function("document.getElementById('map-page')?.scatter?.xy.length > 0")
    page.locator("#map-page .legend h2").wait_for()


def inside(x, y, polygon):
    """Say whether a point lies in a polygon, by the angles under which it sees the sides."""
    turned = 0.0
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        ax, ay, bx, by = ax - x, ay - y, bx - x, by - y
        turned += math.atan2(ax * by - ay * bx, ax * bx + ay * by)
    return abs(turned) > math.pi


def star(middle, size):
    return [
        (
            middle[0] + size * (0.45 + 0.55 * (i % 2)) * math.cos(i * math.pi / 7),
            middle[1] + size * (0.45 + 0.55 * (i % 2)) * math.sin(i * math.pi / 7),
        )
        for i in range(14)
    ]


def drag(page, path, shift=False):
    if shift:
        page.keyboard.down("Shift")
    page.mouse.move(*path[0])
    page.mouse.down()
    for point in path[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


@pytest.mark.parametrize("draw", ["webgl", "plain"])
def test_the_lasso_takes_exactly_the_points_inside_and_labels_them(
    project, folder, windows, serving, page, draw
):
    label = folder.catalogue.label_names()[0]
    with serving(project) as url:
        page.goto(f"{url}/map?draw={draw}")
        ready(page)
        assert (
            page.evaluate(f"{SCATTER}.drawer.name")
            == {"webgl": "WebGL", "plain": "2D canvas"}[draw]
        )
        box = page.locator("#map-page .plot").bounding_box()
        script = f"Array.from({{length: {len(windows)}}}, (_, i) => {SCATTER}.toScreen(i))"
        places = np.array(page.evaluate(script)) + np.array([box["x"], box["y"]])
        page.locator("#map-page .plot").focus()
        page.keyboard.press("l")
        middle = np.median(places, axis=0)
        first = star(middle, 160.0)
        drag(page, first)
        expected = [i for i, (x, y) in enumerate(places) if inside(x, y, first)]
        assert 3 < len(expected) < len(windows)
        assert page.evaluate(f"{SCATTER}.selection") == expected
        second = star(places[np.argmax(np.hypot(*(places - middle).T))], 60.0)
        drag(page, second, shift=True)
        both = [i for i, (x, y) in enumerate(places) if inside(x, y, first) or inside(x, y, second)]
        assert len(both) > len(expected)
        assert page.evaluate(f"{SCATTER}.selection") == both

        page.get_by_label("Label for the selected windows").fill(label)
        page.get_by_role("button", name="Unsure").click()
        page.get_by_text(f"{label} is unsure in {len(both)} windows").wait_for()
        answers = page.request.get(f"{url}/api/answers?mine=true&limit=500").json()
        answers = answers["answers"] if isinstance(answers, dict) else answers
        assert len(answers) == len(both)
        page.get_by_role("button", name="Absent").click()
        page.get_by_text(f"{label} is absent in {len(both)} windows").wait_for()
        said = targets(folder, windows, [label])[:, 0]
        free = [i for i in both if said[i] != 1.0]
        assert (said[free] == 0.0).all()


def test_the_map_is_walked_and_heard_by_keyboard_and_its_names_are_hidden(
    project, windows, serving, page
):
    with serving(project) as url:
        page.goto(f"{url}/map")
        ready(page)
        plot = page.locator("#map-page .plot")
        plot.focus()
        page.keyboard.press("ArrowRight")
        start = page.evaluate(f"{SCATTER}.focused")
        assert start >= 0
        walked = [start]
        for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown"):
            before = page.evaluate(f"{SCATTER}.toScreen({walked[-1]})")
            page.keyboard.press(key)
            walked.append(page.evaluate(f"{SCATTER}.focused"))
            if walked[-1] == walked[-2]:
                continue
            after = page.evaluate(f"{SCATTER}.toScreen({walked[-1]})")
            moved = np.subtract(after, before)
            along = {"ArrowLeft": -moved[0], "ArrowUp": -moved[1], "ArrowDown": moved[1]}[key]
            assert along > 0
            assert along >= np.abs(moved).max() - 1e-6
        assert len(set(walked)) > 2
        with page.expect_request("**/api/media/audio**") as heard:
            page.keyboard.press("Enter")
        row = walked[-1]
        assert f"recording={windows.recording_id[row]}&" in heard.value.url
        assert f"start_s={windows.start_s[row]:g}&" in heard.value.url
        name = windows.texts("name")[row].split("/")[-1]
        page.locator(".card .name", has_text=name).wait_for()
        page.keyboard.press("Space")
        assert page.evaluate(f"{SCATTER}.selection") == [row]
        page.keyboard.press("Control+a")
        assert page.evaluate(f"{SCATTER}.selected") == len(windows)
        page.keyboard.press("Escape")
        assert page.evaluate(f"{SCATTER}.selected") == 0

        site = sorted({s for s in windows.texts("site") if s})[0]
        here = int((windows.texts("site") == site).sum())
        page.get_by_label("Colour by").select_option("site")
        line = page.locator(".legend li", has_text=site)
        line.wait_for()
        assert line.locator(".entry-count").text_content() == str(here)
        line.locator("button").click()
        assert page.evaluate(f"{SCATTER}.selected") == here
        line.locator("input").uncheck()
        assert page.evaluate(f"{SCATTER}.selected") == 0
        page.locator("#map-page .plot").focus()
        page.keyboard.press("Control+a")
        assert page.evaluate(f"{SCATTER}.selected") == len(windows) - here
        summary = page.locator("#map-summary").text_content()
        assert f"{len(windows)} windows of 12 recordings from 3 sites." in summary
        assert f"{site} {here}" in summary
