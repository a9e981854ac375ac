"""Requests about queues: chosen, given out, answered, shared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.conftest import LABELS

if TYPE_CHECKING:
    from tests.app.running import AppClient

ONE = LABELS[0]


@pytest.fixture
def ben(project: Path) -> Iterator[AppClient]:
    """A second person on the same project, in an app of their own."""
    from tests.app.running import open_client

    with open_client(project, annotator="ben") as made:
        yield made


def make(client: AppClient, **wish: Any) -> dict[str, Any]:
    response = client.post("/api/queues", json={"kind": "random", "n": 6, "seed": 1, **wish})
    assert response.status_code == 200, response.text
    return dict(response.json())


def take(client: AppClient, queue: int, **body: Any) -> dict[str, Any]:
    response = client.post(f"/api/queues/{queue}/next", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_a_shared_queue_is_worked_off_by_two(client: AppClient, ben: AppClient) -> None:
    queue = make(client)
    assert (queue["total"], queue["left"], queue["owner"], queue["open"]) == (6, 6, None, True)
    mine, other = take(client, queue["id"], n=2), take(ben, queue["id"], n=9)
    places = [(i["window"]["recording"], i["window"]["start_s"]) for i in mine["items"]]
    assert (
        len(
            {*places, *((i["window"]["recording"], i["window"]["start_s"]) for i in other["items"])}
        )
        == 6
    )
    item = mine["items"][0]
    assert item["chance"] == 6 / len(client.context.windows())
    assert item["window"]["name"].endswith(".wav")
    assert item["window"]["duration_s"] == 16.0
    assert (item["answers"], item["seen"]) == ([], 0)
    body = {
        "window": {k: item["window"][k] for k in ("recording", "channel", "start_s", "end_s")},
        "present": [ONE],
        "key": "1",
        "item": item["item"],
        "seen": item["seen"],
    }
    kept = client.post("/api/answers", json=body).json()
    assert kept["item"] == item["item"]
    state = client.get(f"/api/queues/{queue['id']}").json()
    assert (state["done"], state["held"], state["left"]) == (1, 5, 5)
    undone = client.post(f"/api/answers/{kept['id']}/undo", json={"key": "2"}).json()
    assert undone["item"]["item"] == item["item"]
    assert undone["item"]["window"] == item["window"]
    ids = [i["item"] for i in other["items"]]
    assert ben.post(f"/api/queues/{queue['id']}/release", json={"items": ids}).json()["held"] == 2
    more = take(client, queue["id"], n=9, holding=[i["item"] for i in mine["items"]])
    assert {i["item"] for i in more["items"]} == set(ids)
    assert take(ben, queue["id"], n=1, holding=ids)["lost"] == ids


def test_a_queue_of_ones_own(client: AppClient, project: Path) -> None:
    from antiphon.app.security import identity

    queue = make(client, mine=True, name="mine")
    assert (queue["owner"], queue["name"]) == ("ann", "mine")
    other = identity.Person("ben", "annotator", client.context.token)
    client.app.dependency_overrides[identity.person_of] = lambda: other
    shared = make(client)
    assert [q["id"] for q in client.get("/api/queues").json()] == [shared["id"]]
    for method, path in (("GET", ""), ("POST", "/next"), ("POST", "/close")):
        response = client.request(
            method, f"/api/queues/{queue['id']}{path}", json={} if method == "POST" else None
        )
        assert response.status_code == 404
    assert client.post(f"/api/queues/{shared['id']}/close").status_code == 403
    client.app.dependency_overrides.clear()
    # Somebody who manages sees all of them, but does not answer in another's name.
    client.app.dependency_overrides[identity.person_of] = lambda: identity.Person(
        "boss", "manager", client.context.token
    )
    assert len(client.get("/api/queues").json()) == 2
    assert client.post(f"/api/queues/{queue['id']}/next", json={}).status_code == 403
    assert client.post(f"/api/queues/{queue['id']}/close").json()["open"] is False
    assert client.post(f"/api/queues/{shared['id']}/close").json()["open"] is False
    closed = client.post(f"/api/queues/{shared['id']}/next", json={})
    assert closed.status_code == 400
    assert "closed" in closed.json()["error"]


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "strategy", "strategy": "margin", "n": 5},
        {"kind": "strategy", "n": 5, "filter": {"hour": "0-23"}},
        {"kind": "stratified", "n": 10, "label": ONE},
        {"kind": "search", "n": 5, "filter": {"detected": [ONE], "min_score": 0.001}},
        {"kind": "search", "n": 5, "like": {"recording": 1, "start_s": 0.0, "end_s": 2.0}},
        {"kind": "search", "windows": [{"recording": 1, "start_s": 0.0, "end_s": 2.0}]},
    ],
)
def test_every_kind_of_queue(client: AppClient, wish: dict[str, Any]) -> None:
    queue = make(client, **wish)
    items = take(client, queue["id"], n=200)["items"]
    assert len(items) == queue["total"] == min(wish.get("n", 1), len(items))
    if queue["kind"] == "stratified":
        assert sum(1 / item["chance"] for item in items) == pytest.approx(
            len(client.context.windows())
        )
    else:
        assert all(item["chance"] is None for item in items)


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "other"},
        {"n": 0},
        {"n": 10**9},
        {"kind": "stratified", "label": "' OR 1=1 --"},
        {"filter": {"sites": ["'; DROP TABLE queues; --"]}},
        {"filter": {"hour": "soon"}},
        {"filter": {"path": "/etc"}},
        {"kind": "strategy", "strategy": "../x"},
        {"kind": "disagreement"},
        {"kind": "search", "windows": []},
        {"kind": "chosen", "windows": [{"recording": 10**9, "start_s": 0, "end_s": 1}]},
    ],
)
def test_what_makes_no_queue_is_refused(client: AppClient, wish: dict[str, Any]) -> None:
    response = client.post("/api/queues", json={"kind": "random", **wish})
    assert response.status_code in (400, 422)
    assert client.get("/api/queues").json() == []


def test_queues_that_are_not_there(client: AppClient) -> None:
    for queue in (99, 2**62):
        assert client.get(f"/api/queues/{queue}").status_code == 404
    assert client.get(f"/api/queues/{2**70}").status_code == 422
