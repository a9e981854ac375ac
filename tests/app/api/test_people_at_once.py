"""People who do the same thing at the same moment, over each kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.store.moving import move
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS
from tests.store.databases import url

if TYPE_CHECKING:
    from tests.app.running import AppClient

__all__ = ["url"]

NAMES = ("ann", "ben", "cem", "dot", "eva", "fay")


@pytest.fixture
def people(project: Path, url: str | None) -> Iterator[dict[str, AppClient]]:
    """Six people, each in an app and with connections of their own."""
    from tests.app.running import open_client

    if url is not None:
        move(ProjectFolder.open(project), url)
    with ExitStack() as stack:
        yield {n: stack.enter_context(open_client(project, annotator=n)) for n in NAMES}


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls at the same moment and return their results."""
    ready = threading.Barrier(len(calls))

    def call(f: Callable[[], Any]) -> Any:
        ready.wait()
        return f()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def posting(client: AppClient, path: str, body: dict[str, Any]) -> Callable[[], Any]:
    return lambda: client.post(path, json=body)


def place(client: AppClient, row: int) -> dict[str, Any]:
    windows = client.context.windows()
    return {
        "recording": int(windows.recording_id[row]),
        "channel": int(windows.channel[row]),
        "start_s": float(windows.start_s[row]),
        "end_s": float(windows.end_s[row]),
    }


def test_of_several_on_one_clip_one_is_first(people: dict[str, AppClient]) -> None:
    for row in range(4):
        body = {"window": place(people["ann"], row), "present": [LABELS[0]], "seen": 0}
        sent = [
            posting(client, "/api/answers", {**body, "key": f"{row} {name}"})
            for name, client in people.items()
        ]
        replies = together(*sent)
        assert sorted(reply.status_code for reply in replies) == [200] + [409] * 5
        (kept,) = [reply.json() for reply in replies if reply.status_code == 200]
        # Whoever was later is shown what the first one said, and nothing else is there.
        assert all(r.json()["answers"] == [kept] for r in replies if r.status_code == 409)
        found = people["eva"].get("/api/answers", params=body["window"]).json()
        assert found["answers"] == [kept]


def test_an_answer_that_is_sent_several_times_at_once_is_kept_once(
    people: dict[str, AppClient],
) -> None:
    ann = people["ann"]
    body = {"window": place(ann, 0), "present": [LABELS[0]], "key": "k", "seen": 0}
    replies = together(*[posting(ann, "/api/answers", body)] * 5)
    assert [reply.status_code for reply in replies] == [200] * 5
    assert len({reply.json()["id"] for reply in replies}) == 1
    undo = posting(ann, f"/api/answers/{replies[0].json()['id']}/undo", {"key": "u"})
    undone = together(*[undo] * 5)
    assert [reply.status_code for reply in undone] == [200] * 5
    assert len({reply.json()["retracted"]["id"] for reply in undone}) == 1


def test_a_shared_queue_gives_each_window_to_one_person(people: dict[str, AppClient]) -> None:
    wish = {"kind": "random", "n": 24, "seed": 1}
    queue = people["ann"].post("/api/queues", json=wish).json()
    path = f"/api/queues/{queue['id']}/next"
    replies = together(*[posting(client, path, {"n": 5}) for client in people.values()])
    given = [item["item"] for reply in replies for item in reply.json()["items"]]
    assert len(given) == len(set(given)) == 24
    answered = []
    for name, reply in zip(people, replies, strict=True):
        for item in reply.json()["items"]:
            window = {k: item["window"][k] for k in ("recording", "channel", "start_s", "end_s")}
            body = {"window": window, "complete": True, "item": item["item"], "seen": item["seen"]}
            key = f"{name} {item['item']}"
            answered.append(posting(people[name], "/api/answers", {**body, "key": key}))
    assert {reply.status_code for reply in together(*answered)} == {200}
    state = people["fay"].get(f"/api/queues/{queue['id']}").json()
    assert (state["total"], state["done"], state["held"]) == (24, 24, 0)


def test_a_label_that_several_add_at_once_is_one(people: dict[str, AppClient]) -> None:
    replies = together(*[posting(c, "/api/labels", {"name": "owl"}) for c in people.values()])
    assert {reply.status_code for reply in replies} <= {200, 400, 409}
    names = [label["name"] for label in people["ann"].get("/api/labels").json()]
    assert names.count("owl") == 1
