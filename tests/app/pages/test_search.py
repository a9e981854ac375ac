from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from antiphon.pipeline.windows import load_windows, targets
from antiphon.store.project import ProjectFolder

TILE = "#search-page .tile"


@pytest.fixture
def folder(project):
    opened = ProjectFolder.open(project)
    yield opened
    opened.close()


@pytest.fixture
def windows(folder):
    return load_windows(folder, folder.table())


def said(folder, windows, label):
    return targets(folder, windows, [label])[:, 0]


def counted(page, text):
    page.wait_for_function(
        "text => document.querySelector('#search-page .count')?.textContent.includes(text)",
        arg=text,
    )


def clip_of(folder, windows, row, tmp_path):
    """Cut a stored window out of its recording into a file of its own."""
    (facts,) = [
        r
        for r in folder.catalogue.recordings().to_pylist()
        if r["id"] == int(windows.recording_id[row])
    ]
    source = folder.recording_path(facts["root"], facts["path"])
    rate = facts["sample_rate"]
    audio, _ = soundfile.read(
        source, start=round(windows.start_s[row] * rate), stop=round(windows.end_s[row] * rate)
    )
    path = tmp_path / "<img src=x onerror=stop()>.wav"
    soundfile.write(path, audio, rate, subtype="FLOAT")
    return path


def test_a_sound_is_sought_and_its_like_are_labelled_by_keyboard(
    project, folder, windows, serving, page, tmp_path
):
    label = folder.catalogue.label_names()[0]
    before = said(folder, windows, label)
    with serving(project) as url:
        page.goto(f"{url}/search")
        counted(page, f"48 of {len(windows)} windows that match")
        page.set_input_files("#clip-file", clip_of(folder, windows, 70, tmp_path))
        counted(page, "the most similar first")
        first = page.locator(TILE).first
        key = f"recording={windows.recording_id[70]}&channel=-1&start_s={windows.start_s[70]:g}&"
        assert key in first.locator("a.alike").get_attribute("href")
        assert first.locator(".score").text_content() == "1.00"
        # A file's name is text, whatever is in it.
        assert page.locator(".example .name").text_content() == "<img src=x onerror=stop()>.wav"
        page.get_by_role("button", name="Show more").click()
        counted(page, f"{len(windows)} of {len(windows)}")

        free = int(np.isnan(targets(folder, windows, folder.catalogue.label_names())).all(1).sum())
        page.get_by_label("without any label").check()
        counted(page, f"of {free} windows")
        first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        chosen = page.locator(f'{TILE}[aria-selected="true"]')
        assert chosen.count() == 3
        hrefs = [one.get_attribute("href") for one in chosen.locator("a.alike").all()]
        page.keyboard.press("l")
        page.keyboard.type(label)
        page.keyboard.press("Enter")
        page.get_by_text(f"{label} is present in 3 windows").wait_for()
        rows = [i for i in range(len(windows)) if any(_names(windows, i, href) for href in hrefs)]
        now = said(folder, windows, label)
        assert len(rows) == 3
        assert (now[rows] == 1.0).all()
        others = np.setdiff1d(np.arange(len(windows)), rows)
        np.testing.assert_array_equal(now[others], before[others])
        page.wait_for_function(
            "label => [...document.querySelectorAll('.tile[aria-selected=\"true\"] .chips')]"
            ".every((chips) => chips.textContent.includes(label))",
            arg=label,
        )
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("3 answers taken back").wait_for()
        np.testing.assert_array_equal(said(folder, windows, label), before)


def _names(windows, i, href):
    asked = dict(part.split("=") for part in href.partition("?")[2].split("&"))
    return windows.recording_id[i] == int(asked["recording"]) and windows.start_s[i] == float(
        asked["start_s"]
    )


def test_conditions_narrow_the_search_and_what_is_found_goes_to_a_queue(
    project, windows, serving, page, tmp_path
):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"not a sound")
    site = sorted({s for s in windows.texts("site") if s})[1]
    here = int((windows.texts("site") == site).sum())
    with serving(project) as url:
        page.goto(f"{url}/search")
        counted(page, f"of {len(windows)} windows")
        page.locator(f'input[type="checkbox"][value="{site}"]').check()
        counted(page, f"{here} of {here} windows")
        page.reload()
        counted(page, f"{here} of {here} windows")
        page.set_input_files("#clip-file", broken)
        page.get_by_text("is not a recording that can be read").wait_for()
        page.get_by_label("Hour").fill("99")
        page.get_by_label("Hour").press("Enter")
        counted(page, "is not an hour or a span of hours")
        page.get_by_label("Hour").fill("")
        page.get_by_label("Hour").press("Enter")
        counted(page, f"{here} of {here} windows")
        page.get_by_role("button", name="Select all shown").click()
        page.get_by_role("button", name="Send to a queue").click()
        link = page.get_by_role("link", name="Label them")
        link.wait_for()
        queue = int(link.get_attribute("href").partition("queue=")[2])
        made = page.request.get(f"{url}/api/queues/{queue}").json()
        assert (made["kind"], made["total"]) == ("chosen", here)


def test_a_sound_from_the_microphone_is_made_into_a_file_and_sought(project, serving, page):
    page.add_init_script(
        """navigator.mediaDevices.getUserMedia = async () => {
          const context = new AudioContext();
          await context.resume();
          const tone = context.createOscillator();
          tone.frequency.value = 1000;
          const out = context.createMediaStreamDestination();
          tone.connect(out);
          tone.start();
          return out.stream;
        };"""
    )
    with serving(project) as url:
        page.goto(f"{url}/search")
        counted(page, "windows that match")
        page.get_by_role("button", name="Record").click()
        page.wait_for_function(
            "parseFloat(document.querySelector('.said').textContent.split(' ').at(-2)) >= 1"
        )
        page.get_by_role("button", name="Stop").click()
        counted(page, "the most similar first")
        assert page.locator(".example .name").text_content() == "From the microphone"
        content = page.evaluate(
            """async () => {
              const audio = document.querySelector(".example audio");
              const bytes = await (await fetch(audio.src)).arrayBuffer();
              return [...new Uint8Array(bytes)];
            }"""
        )
    samples, rate = soundfile.read(io.BytesIO(bytes(content)))
    assert len(samples) >= 0.9 * rate
    late = samples[len(samples) // 2 :]
    power = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    assert np.argmax(power) * rate / len(late) == pytest.approx(1000, abs=5)
