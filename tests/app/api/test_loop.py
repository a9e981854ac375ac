"""The loop through the interface: answers come in, the detector is trained, the queue renewed."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest


def wait_for(client, done, seconds: float = 120.0) -> dict[str, Any]:
    """Ask how the loop stands until something is so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = client.get("/api/loop").json()
        if done(now):
            return now
        time.sleep(0.1)
    raise AssertionError(f"it did not come about: {now}")


def idle(now: dict[str, Any]) -> bool:
    return now["job"] is None and now["last"] is not None


def change(client, **settings):
    answer = client.put("/api/loop/settings", json=settings)
    assert answer.status_code == 200, answer.text
    return answer.json()


def take(client, queue: int, n: int, holding: list[int] | None = None) -> list[dict[str, Any]]:
    body = {"n": n, "holding": holding or []}
    given = client.post(f"/api/queues/{queue}/next", json=body)
    assert given.status_code == 200, given.text
    return given.json()["items"]


def a_label(client) -> str:
    return client.get("/api/status").json()["labels"][0]


def say(client, item: dict[str, Any], **said: Any) -> dict[str, Any]:
    window = {k: item["window"][k] for k in ("recording", "channel", "start_s", "end_s")}
    said = said or {"present": [a_label(client)], "complete": True}
    body = {"window": window, "item": item["item"], "key": f"k{item['item']}", "seconds": 2.5}
    answer = client.post("/api/answers", json=body | said)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_batch_of_answers_trains_renews_the_queue_and_adds_a_point_to_the_curve(client):
    change(client, batch=3, strategy="margin-multilabel", auto=True)
    assert client.post("/api/loop/batch").status_code == 200
    now = wait_for(client, idle)
    queue = now["queue"]
    assert now["last"]["state"] == "done"
    assert (queue["left"], queue["since_training"]) == (6, 0)
    assert queue["strategy"] == "margin-multilabel"
    before = client.get("/api/loop/figures").json()

    held = take(client, queue["id"], 5)
    for item in held[:3]:
        say(client, item)
    now = wait_for(client, lambda now: idle(now) and now["last"]["kind"] == "train")
    job = now["last"]
    assert (job["state"], job["by"]) == ("done", None)
    assert [step["state"] for step in job["steps"]] == ["done"] * 3
    assert job["outcome"]["detector"] != "first"
    # Two windows are still held; six more wait.
    assert now["queue"]["id"] == queue["id"]
    assert (now["queue"]["left"], now["queue"]["done"], now["queue"]["held"]) == (8, 3, 2)
    assert now["queue"]["since_training"] == 0
    ids = {item["item"] for item in take(client, queue["id"], 9, [i["item"] for i in held[3:]])}
    assert len(ids) == 6
    assert not ids & {item["item"] for item in held}

    after = client.get("/api/loop/figures").json()
    assert len(after["points"]) == len(before["points"]) + 1
    assert after["points"][-1]["labels"] == after["labels_spent"] > before["labels_spent"]
    assert after["quality"]["value"] == pytest.approx(after["points"][-1]["value"])
    assert "<svg" in after["chart"]
    assert after["cost"]["answers"] == after["cost"]["events"] == 3
    assert after["cost"]["seconds"] == pytest.approx(7.5)
    assert after["cost"]["per_answer"] == pytest.approx(2.5)
    one, earlier = after["labels"][0], before["labels"][0]
    assert one["name"] == a_label(client)
    assert one["present"] == earlier["present"] + 3
    assert one["average_precision"]["value"] > 0


def test_answers_that_are_taken_back_do_not_count_for_a_batch(client):
    change(client, batch=2, auto=False)
    client.post("/api/loop/batch")
    queue = wait_for(client, idle)["queue"]["id"]
    items = take(client, queue, 3)
    first = say(client, items[0])
    client.post(f"/api/answers/{first['id']}/undo", json={"key": "u"})
    say(client, items[1])
    say(client, items[2], present=[], kind="skip", seconds=1.0)
    now = client.get("/api/loop").json()
    assert now["queue"]["since_training"] == 1
    assert now["job"] is None
    cost = client.get("/api/loop/figures").json()["cost"]
    assert (cost["answers"], cost["skips"], cost["retracted"]) == (2, 1, 1)


def test_a_queue_that_was_skipped_to_its_end_is_filled_again(client):
    change(client, batch=2, auto=True)
    client.post("/api/loop/batch")
    queue = wait_for(client, idle)["queue"]["id"]
    for item in take(client, queue, 4):
        say(client, item, kind="skip")
    now = wait_for(client, lambda now: idle(now) and now["queue"]["left"] > 0)
    assert now["last"]["kind"] == "batch"
    assert now["queue"]["skipped"] == 4


def test_a_job_can_be_cancelled_and_only_one_runs(client):
    job = client.post("/api/loop/train").json()
    assert job["state"] == "running"
    again = client.post("/api/loop/train")
    assert again.status_code == 409
    assert "running already" in again.json()["error"]
    assert client.post("/api/loop/cancel").json() == {"cancelled": True}
    last = wait_for(client, idle)["last"]
    assert (last["id"], last["state"]) == (job["id"], "cancelled")
    assert last["error"] == "Cancelled by ann."
    assert client.post("/api/loop/cancel").json() == {"cancelled": False}
    # The project is as it was, and the next one can start.
    assert [row.name for row in client.context.folder.catalogue.detectors()] == ["first"]
    assert client.post("/api/loop/batch").status_code == 200
    assert wait_for(client, lambda now: idle(now) and now["last"]["kind"] == "batch")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_worker_that_is_killed_is_reported(client):
    from antiphon.app.jobs.runner import runner_of

    client.post("/api/loop/train")
    os.kill(runner_of(client.context).worker_pid(), signal.SIGKILL)
    last = wait_for(client, idle)["last"]
    assert last["state"] == "failed"
    assert "was killed (SIGKILL)" in last["error"]
    assert client.get("/api/loop/jobs").json()[0]["error"] == last["error"]


def test_too_few_labels_are_said_plainly_and_labelling_goes_on(client):
    catalogue = client.context.folder.catalogue
    catalogue.remove_annotations(ids=catalogue.annotations().column("id").to_pylist())
    assert client.post("/api/loop/train").status_code == 200
    now = wait_for(client, idle)
    assert now["last"]["state"] == "waiting"
    assert now["last"]["error"] is None
    assert "No window carries a label yet" in now["last"]["outcome"]["notes"][0]
    assert now["queue"]["left"] == now["settings"]["batch"] * 2
    figures = client.get("/api/loop/figures").json()
    assert figures["labelled"] == 0
    assert figures["limits"][0].startswith(f"No example yet of {a_label(client)}")
    assert "three trainings" in figures["ahead"]["missing"]

    # All of one recording: still not enough, and the reason is another one.
    items = take(client, now["queue"]["id"], 40)
    one = [i for i in items if i["window"]["recording"] == items[0]["window"]["recording"]]
    say(client, one[0])
    say(client, one[1], present=[], complete=True)
    client.post("/api/loop/train")
    last = wait_for(client, lambda new: idle(new) and new["last"]["id"] != now["last"]["id"])
    assert "come from one recording" in last["last"]["outcome"]["notes"][0]


def test_settings_are_kept_in_the_project_and_checked(client):
    assert change(client, batch=7, target=0.8)["batch"] == 7
    assert change(client, auto=False)["batch"] == 7
    from antiphon.app.jobs.preferences import load_preferences

    kept = load_preferences(client.context.folder)
    assert (kept.batch, kept.target, kept.auto) == (7, 0.8, False)
    wrong = client.put("/api/loop/settings", json={"strategy": "margn"})
    assert wrong.status_code == 400
    assert "Did you mean 'margin'?" in wrong.json()["error"]
    wrong = client.put("/api/loop/settings", json={"batch": 0})
    assert wrong.status_code == 400
    assert "batch" in wrong.json()["error"]
    names = [one["name"] for one in client.get("/api/loop/strategies").json()]
    assert {"antiphon", "random", "margin"} <= set(names)


def test_changes_need_the_token_and_a_manager(client):
    from antiphon.app.security.identity import Person, person_of

    bare = {"X-Antiphon-Token": "wrong"}
    assert client.post("/api/loop/train", headers=bare).status_code == 403
    client.app.dependency_overrides[person_of] = lambda: Person(
        "eva", "annotator", client.context.token
    )
    assert client.get("/api/loop").json()["may_change"] is False
    assert client.put("/api/loop/settings", json={"batch": 3}).status_code == 403
    for action in ("train", "batch", "cancel"):
        assert client.post(f"/api/loop/{action}").status_code == 403
    assert client.get("/api/loop/figures").status_code == 200
