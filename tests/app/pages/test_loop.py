"""The page "Loop" in a browser: answers come in elsewhere, the curve moves here."""

from __future__ import annotations

import json
import urllib.request

from playwright.sync_api import expect

from antiphon.store.project import ProjectFolder

SETTLED = 60_000


def post(page, path, body):
    """Do what another person's page would do."""
    return page.evaluate(
        """async ([path, body]) => {
            const { api } = await import(window.antiphon.root + "/static/frame/api.js");
            return api("POST", path, body);
        }""",
        [path, body],
    )


def test_a_batch_of_answers_moves_the_curve_while_the_page_is_open(project, serving, page):
    with serving(project) as url:
        page.goto(f"{url}/loop")
        expect(page.get_by_role("heading", name="Loop", exact=True)).to_be_visible()
        expect(page.get_by_text("There is no queue of this loop yet.")).to_be_visible()

        # How it runs: a strategy explains itself, and settings are kept.
        page.get_by_label("Strategy").select_option("random")
        expect(page.get_by_text("Uniformly random windows.")).to_be_visible()
        batch = page.get_by_label("Answers in a batch")
        batch.fill("2")
        batch.press("Enter")
        expect(page.get_by_text("2 answers until the next training.")).to_have_count(0)
        page.get_by_role("button", name="New batch").click()
        expect(page.get_by_text("2 answers until the next training.")).to_be_visible(
            timeout=SETTLED
        )
        expect(page.get_by_text("4 windows to go")).to_be_visible()

        # Somebody answers; the page learns of it by itself.
        labels = [row["name"] for row in json.load(urllib.request.urlopen(f"{url}/api/labels"))]
        queue = json.load(urllib.request.urlopen(f"{url}/api/loop"))["queue"]["id"]
        items = post(page, f"/queues/{queue}/next", {"n": 3})["items"]
        for item in items[:2]:
            window = {k: item["window"][k] for k in ("recording", "channel", "start_s", "end_s")}
            said = {"present": [labels[0]], "complete": True, "seconds": 3}
            where = {"window": window, "item": item["item"], "key": f"key-{item['item']}"}
            post(page, "/answers", said | where)
        job = page.get_by_role("region", name="Training", exact=True)
        expect(job.get_by_role("status")).to_contain_text("Trained today", timeout=SETTLED)
        expect(job.get_by_role("listitem")).to_have_count(3)
        curve = page.get_by_role("img", name="Learning curve")
        expect(curve).to_be_visible()
        expect(page.get_by_text("The curve as a table")).to_be_visible()
        rows = page.get_by_role("region", name="Trainings", exact=True).locator("tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("itself")
        first = page.get_by_role("region", name="Labels", exact=True).locator("tbody tr").first
        expect(first).to_contain_text(labels[0])
        expect(page.get_by_role("region", name="Cost so far")).to_contain_text("ann")

        # The detections are still of the detector before; they are renewed when it is asked for.
        expect(job).to_contain_text("of an earlier detector, first")
        job.get_by_role("button", name="Renew them").click()
        expect(job).to_contain_text("The detections are renewed.", timeout=SETTLED)
        state = json.load(urllib.request.urlopen(f"{url}/api/detections/state"))
        assert state["current"]

        # A reload forgets nothing; a training can be started and cancelled by keyboard.
        page.reload()
        expect(page.get_by_role("img", name="Learning curve")).to_be_visible()
        expect(page.get_by_label("Strategy")).to_have_value("random")
        train = page.get_by_role("button", name="Train now")
        expect(train).to_be_enabled()
        train.focus()
        page.keyboard.press("Enter")
        cancel = page.get_by_role("button", name="Cancel")
        expect(cancel).to_be_visible(timeout=SETTLED)
        cancel.focus()
        page.keyboard.press("Enter")
        expect(job).to_contain_text("Cancelled by ann.", timeout=SETTLED)
        expect(train).to_be_enabled()

    folder = ProjectFolder.open(project)
    kept = folder.catalogue.events("loop settings")[-1].data
    folder.close()
    assert (kept["strategy"], kept["batch"]) == ("random", 2)
