"""The spectrogram in a real browser: shown, heard, drawn on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from antiphon.app.media.picture import COLOURS, palette
from antiphon.audio.features.mel import hz_to_mel, mel_to_hz
from tests.app import running

if TYPE_CHECKING:
    from playwright.sync_api import Page

WINDOW = {"recording": 1, "channel": -1, "start_s": 4.0, "end_s": 7.0}
KNOWN = {"sample_rate": 24_000, "duration_s": 16.0, "name": "a <b>name</b>"}
# The plot within the element: what is left after the margins of the axes.
LEFT, TOP, WIDTH, HEIGHT = 46 + 20, 20 + 20, 1000 - 56, 300 - 44
PAGE = """<!doctype html><html lang="en"><title>view</title><body style="margin:20px">
<div id="view" style="width:1000px;height:300px"></div><script type="module">
import * as media from "/static/media/spectrogram.js";
window.antiphon = { root: "", token: "" };
window.view = new media.SpectrogramView(document.getElementById("view"));
window.heard = [];
for (const name of ["box", "boxchange", "boxselect", "seek", "shown", "play", "stop", "error"])
  view.on(name, (detail) => heard.push([name, detail]));
window.media = media;
</script>"""


@pytest.fixture(scope="module")
def address(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over a project that no test here changes."""
    project = shutil.copytree(trained, tmp_path_factory.mktemp("view") / "project")
    with running.serving(Path(project)) as url:
        yield url


@pytest.fixture
def view(page: Page, address: str) -> Page:
    """A page that holds nothing but a view."""
    page.route("**/only-a-view", lambda r: r.fulfill(body=PAGE, content_type="text/html"))
    page.goto(f"{address}/only-a-view")
    page.wait_for_function("window.media")
    return page


def show(page: Page, window: dict[str, Any] | None = None, **settings: Any) -> Any:
    answer = page.evaluate(
        "([window, settings]) => view.show(window, settings)",
        [{**WINDOW, **KNOWN, **(window or {})}, settings],
    )
    page.evaluate("heard.length = 0")
    return answer


def events(page: Page, name: str) -> list[Any]:
    return [d for n, d in page.evaluate("heard") if n == name]


def drag(page: Page, *points: tuple[float, float], release: bool = True) -> None:
    """Move the mouse over shares of the plot with its button held."""
    places = [(LEFT + x * WIDTH, TOP + y * HEIGHT) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    if release:
        page.mouse.up()


def test_windows_are_shown_prefetched_and_heard(view: Page) -> None:
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    first = show(view, context_s=1.0)
    assert (first["cached"], "error" in first) == (False, False)
    facts = view.evaluate("view.facts")
    assert (facts["start_s"], facts["high_hz"], facts["unit"]) == (3.0, 12_000, "dB")
    label = view.get_by_role("application").get_attribute("aria-label")
    assert label == "Spectrogram of a <b>name</b>, 4.0 to 7.0 seconds, 0 Hz to 12 kHz"
    # The context is darker than the window.
    shades = view.evaluate(
        """() => { const ctx = view.canvas.getContext("2d");
        return [0.05, 0.5, 0.95].map((share) => { const data =
          ctx.getImageData(46 + share * 944 - 20, 20, 40, 200).data;
          return data.reduce((sum, value, i) => sum + (i % 4 < 3 ? value : 0), 0); }); }"""
    )
    assert shades[0] < 0.75 * shades[1]
    assert shades[2] < 0.75 * shades[1]

    following = {"start_s": 8.0, "end_s": 11.0}
    view.evaluate("(w) => view.prefetch(w)", {**WINDOW, **KNOWN, **following})
    view.wait_for_load_state("networkidle")
    asked.clear()
    assert show(view, following)["cached"] is True
    view.evaluate("view.play()")
    view.wait_for_function("view.playing && view.cursor > 8.2")
    # Neither picture nor sound was asked for again.
    assert [url for url in asked if "/api/media/" in url] == []

    view.evaluate("view.loop = true; view.rate = 2; view.bandPass(2000, 5000)")
    view.wait_for_function("view.playing && view.cursor > 10")
    view.wait_for_function("view.playing && view.cursor < 9.5")
    assert any("low_hz=2000&high_hz=5000" in url for url in asked)
    # Another setting is heard at once, from where it was.
    with view.expect_request(lambda request: "slow=2" in request.url):
        view.evaluate("view.update({ slow: 2 })")
    view.wait_for_function("view.listening.player.playing")
    view.evaluate("view.toggle()")
    assert view.evaluate("view.playing") is False
    assert events(view, "stop")[-1]["time_s"] == view.evaluate("view.cursor")

    # A click moves the cursor; without loop it ends by itself.
    view.evaluate("view.loop = false")
    drag(view, (0.75, 0.5))
    assert events(view, "seek")[-1]["time_s"] == pytest.approx(7 + 0.75 * 5, abs=0.02)
    view.evaluate("view.play()")
    view.wait_for_function("!view.playing")
    assert view.evaluate("view.cursor") == 8.0

    gone = view.evaluate("view.show({recording: 999, channel: -1, start_s: 0, end_s: 3})")
    assert "error" in gone
    assert "There is no recording 999" in view.locator("#view [role=status]").inner_text()
    view.evaluate("view.destroy()")
    assert view.locator("#view > *").count() == 0


def test_boxes_by_mouse_keys_and_touch(view: Page) -> None:
    show(view)
    view.evaluate("view.boxLabel = 'Strix'")
    drag(view, (0.2, 0.75), (0.5, 0.25))
    (drawn,) = events(view, "box")
    expected = {"start_s": 4.6, "end_s": 5.5, "low_hz": 3_000, "high_hz": 9_000}
    for side, value in expected.items():
        assert drawn["box"][side] == pytest.approx(value, rel=0.01), side
    assert (drawn["box"]["label"], view.evaluate("view.selectedBox")) == ("Strix", 0)
    assert "Strix, 4.60 to 5.50 seconds" in view.locator("#view [aria-live]").inner_text()

    # By its right edge, a corner, and as a whole.
    drag(view, (0.5, 0.5), (0.7, 0.5))
    drag(view, (0.2, 0.25), (0.1, 0.125))
    drag(view, (0.3, 0.5), (0.2, 0.5))
    assert [e["change"] for e in events(view, "boxchange")] == ["resized", "resized", "moved"]
    (box,) = view.evaluate("view.boxes")
    assert box["end_s"] == pytest.approx(4 + 3 * 0.6, abs=0.02)
    assert box["high_hz"] == pytest.approx(10_500, rel=0.01)
    assert box["low_hz"] == pytest.approx(3_000, rel=0.01)
    assert box["start_s"] == pytest.approx(4.0, abs=0.02)

    # Keys: nudge, resize, give up a drag, forget the selection, remove.
    before = box
    view.evaluate("view.focus()")
    view.keyboard.press("ArrowRight")
    view.keyboard.press("Shift+ArrowUp")
    (box,) = view.evaluate("view.boxes")
    assert box["start_s"] == pytest.approx(before["start_s"] + 0.03, abs=1e-6)
    assert box["low_hz"] == before["low_hz"]
    assert box["high_hz"] == pytest.approx(before["high_hz"] + 120, abs=1)
    drag(view, (0.4, 0.5), (0.8, 0.8), release=False)
    view.keyboard.press("Escape")
    view.mouse.up()
    assert view.evaluate("view.boxes") == [box]
    view.keyboard.press("Escape")
    assert view.evaluate("view.selectedBox") == -1
    view.keyboard.press("Delete")
    assert len(view.evaluate("view.boxes")) == 1
    drag(view, (0.8, 0.2), (0.9, 0.4), release=False)
    view.keyboard.press("Escape")
    view.mouse.up()
    assert len(view.evaluate("view.boxes")) == 1
    view.evaluate("view.selectBox(0)")
    view.keyboard.press("Delete")
    assert view.evaluate("view.boxes") == []
    view.evaluate("view.addBox()")
    assert len(view.evaluate("view.boxes")) == 1

    # By touch; another window begins without boxes.
    show(view, {"start_s": 9.0, "end_s": 12.0}, scale="mel")
    assert view.evaluate("view.boxes") == []
    session = view.context.new_cdp_session(view)
    for kind, share in (("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.6)):
        at = {"x": LEFT + share * WIDTH, "y": TOP + share * HEIGHT}
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    (box,) = view.evaluate("view.boxes")
    assert (box["start_s"], box["end_s"]) == pytest.approx((9.6, 10.8), abs=0.02)
    mel = hz_to_mel(12_000.0)
    expected_hz = mel_to_hz(np.array([0.4, 0.8]) * mel)
    assert [box["low_hz"], box["high_hz"]] == pytest.approx(expected_hz.tolist(), rel=0.01)


def test_colours_are_those_of_the_server(view: Page) -> None:
    tables = view.evaluate(
        """async () => { const { MAPS, colours } = await import("/static/media/colours.js");
        return Object.fromEntries(MAPS.map((name) => [name, colours(name)])); }"""
    )
    assert sorted(tables) == sorted(COLOURS)
    for name in COLOURS:
        assert np.abs(np.array(tables[name]) - palette(name)).max() <= 1
    url = view.evaluate("(w) => media.thumbnailUrl(w, {colours: 'magma'})", WINDOW)
    view.evaluate(
        "(url) => { const i = new Image(); i.id = 'small'; i.src = url; document.body.append(i); }",
        url,
    )
    view.wait_for_function("document.getElementById('small').naturalWidth === 200")
