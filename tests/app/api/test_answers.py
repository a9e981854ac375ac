"""Requests that answer windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.app.context import AppContext
from tests.app.conftest import LABELS

if TYPE_CHECKING:
    from tests.app.running import AppClient

ONE, TWO, THREE = LABELS


@pytest.fixture
def ben(project: Path) -> Iterator[AppClient]:
    """A second person on the same project, in an app of their own."""
    from tests.app.running import open_client

    with open_client(project, annotator="ben") as made:
        yield made


def window(context: AppContext, row: int = -1) -> dict[str, Any]:
    windows = context.windows()
    return {
        "recording": int(windows.recording_id[row]),
        "channel": int(windows.channel[row]),
        "start_s": float(windows.start_s[row]),
        "end_s": float(windows.end_s[row]),
    }


def test_an_answer_is_kept_with_all_that_was_said(client: AppClient) -> None:
    where = window(client.context)
    box = {
        "label": ONE,
        "start_s": where["start_s"] + 0.25,
        "end_s": where["start_s"] + 0.75,
        "low_hz": 500.0,
        "high_hz": 1500.0,
    }
    heard: list[Any] = []
    client.context.after_answer.append(heard.append)
    body = {
        "window": where,
        "unsure": [TWO],
        "complete": True,
        "boxes": [box],
        "note": "<b>far</b>",
        "key": "k1",
        "seen": 0,
        "seconds": 3.25,
        "suggested": [{"label": ONE, "probability": 0.75}],
    }
    response = client.post("/api/answers", json=body)
    assert response.status_code == 200
    kept = response.json()
    assert (kept["annotator"], kept["kind"], kept["present"]) == ("ann", "answer", [ONE])
    assert (kept["unsure"], kept["complete"], kept["boxes"]) == ([TWO], True, [box])
    assert (kept["note"], kept["seconds"], kept["window"]) == ("<b>far</b>", 3.25, where)
    assert kept["suggested"] == [{"label": ONE, "probability": 0.75}]
    known = client.context.folder.catalogue.label_names()
    assert kept["scope"] == [name for name in known if name not in (ONE, TWO)]
    # Sent again, it is the same answer, and nobody is told twice.
    assert client.post("/api/answers", json=body).json() == kept
    assert [one.id for one in heard] == [kept["id"]]
    asked = {name: where[name] for name in where}
    found = client.get("/api/answers", params=asked).json()
    assert found == {"answers": [kept], "standing": [kept], "withheld": 0}


def test_a_listener_that_fails_loses_no_answer(client: AppClient) -> None:
    def fail(_answer: object) -> None:
        raise RuntimeError("broken")

    heard: list[Any] = []
    client.context.after_answer += [fail, heard.append]
    body = {"window": window(client.context), "present": [ONE], "key": "k"}
    assert client.post("/api/answers", json=body).status_code == 200
    assert len(heard) == 1


def test_somebody_elses_answer_is_shown_before_it_is_passed_over(
    client: AppClient, ben: AppClient
) -> None:
    where = window(client.context)
    first = client.post(
        "/api/answers", json={"window": where, "present": [ONE], "key": "a", "seen": 0}
    ).json()
    mine = {"window": where, "absent": [ONE], "key": "b", "seen": 0}
    refused = ben.post("/api/answers", json=mine)
    assert refused.status_code == 409
    assert refused.json()["answers"] == [first]
    assert "ann answered" in refused.json()["error"]
    assert ben.post("/api/answers", json={**mine, "force": True}).status_code == 200
    both = client.get("/api/answers", params=where).json()["standing"]
    assert [one["annotator"] for one in both] == ["ann", "ben"]


def test_answers_are_taken_back_one_by_one(client: AppClient, ben: AppClient) -> None:
    where = window(client.context)
    ids = [
        client.post("/api/answers", json={"window": where, "present": [name], "key": name}).json()[
            "id"
        ]
        for name in (ONE, TWO)
    ]
    assert ben.post(f"/api/answers/{ids[1]}/undo", json={"key": "x"}).status_code == 400
    undone = client.post(f"/api/answers/{ids[1]}/undo", json={"key": "u"}).json()
    assert undone["retracted"]["replaces"] == ids[1]
    assert undone["standing"]["id"] == ids[0]
    assert undone["item"] is None
    again = client.post(f"/api/answers/{ids[1]}/undo", json={"key": "u"}).json()
    assert again["retracted"]["id"] == undone["retracted"]["id"]
    assert client.post(f"/api/answers/{ids[0]}/undo", json={"key": "v"}).json()["standing"] is None
    rows = client.get("/api/answers", params={"mine": True, "limit": 3}).json()["answers"]
    assert [row["kind"] for row in rows] == ["retract", "retract", "answer"]
    rest = client.get("/api/answers", params={"before": rows[-1]["id"]}).json()["answers"]
    assert [row["id"] for row in rest] == ids[:1]
    assert ben.get("/api/answers", params={"mine": True}).json()["answers"] == []


def test_who_may_settle(client: AppClient, project: Path) -> None:
    from antiphon.app.security import identity

    where = window(client.context)
    body = {"window": where, "present": [ONE], "kind": "settle", "key": "s"}
    # Without a login everybody manages; a plain annotator settles what others said.
    plain = identity.Person("ben", "annotator", client.context.token)
    client.app.dependency_overrides[identity.person_of] = lambda: plain
    refused = client.post("/api/answers", json=body)
    assert refused.status_code == 400
    assert "nothing to settle" in refused.json()["error"]
    client.app.dependency_overrides.clear()
    client.post("/api/answers", json={"window": where, "absent": [ONE], "key": "a"})
    client.app.dependency_overrides[identity.person_of] = lambda: plain
    assert client.post("/api/answers", json=body).json()["kind"] == "settle"


@pytest.mark.parametrize(
    "change",
    [
        {"window": {"recording": 2**70, "start_s": 0, "end_s": 1}},
        {"window": {"recording": "1; DROP TABLE answers", "start_s": 0, "end_s": 1}},
        {"window": {"recording": 1, "start_s": -1, "end_s": 1}},
        {"window": {"recording": 10**9, "start_s": 0, "end_s": 1}},
        {"kind": "retract"},
        {"present": ["no such label"]},
        {"present": [ONE], "absent": [ONE]},
        {"key": ""},
        {"key": "a\0b"},
        {"note": "x" * 10_001},
        {"other": 1},
        {"seconds": -1},
    ],
)
def test_what_makes_no_sense_is_refused(client: AppClient, change: dict[str, Any]) -> None:
    body = {"window": window(client.context), "present": [ONE], "key": "k", **change}
    response = client.post("/api/answers", json=body)
    assert response.status_code in (400, 422)
    assert client.get("/api/answers").json()["answers"] == []


def test_half_a_window_is_none(client: AppClient) -> None:
    response = client.get("/api/answers", params={"recording": 1})
    assert response.status_code == 400
    assert "start_s" in response.json()["error"]


def test_others_answers_to_windows_of_ones_own_queue_are_withheld(
    client: AppClient, ben: AppClient
) -> None:
    where = window(client.context)
    said = {"window": where, "present": [ONE], "key": "k1", "seen": 0}
    assert client.post("/api/answers", json=said).status_code == 200
    params = {**where}
    assert len(ben.get("/api/answers", params=params).json()["answers"]) == 1
    own = {"kind": "chosen", "n": 1, "mine": True, "windows": [where]}
    assert ben.post("/api/queues", json=own).status_code == 200
    found = ben.get("/api/answers", params=params).json()
    assert (found["answers"], found["standing"], found["withheld"]) == ([], [], 1)
    mine = {"window": where, "present": [TWO], "key": "k2", "seen": 0, "force": True}
    (item,) = ben.post(f"/api/queues/{queue_of(ben)}/next", json={"n": 1}).json()["items"]
    assert ben.post("/api/answers", json={**mine, "item": item["item"]}).status_code == 200
    assert len(ben.get("/api/answers", params=params).json()["standing"]) == 2


def test_a_conflict_shows_nothing_of_windows_that_wait_in_ones_own_queue(
    client: AppClient, ben: AppClient
) -> None:
    where = window(client.context)
    own = {"kind": "chosen", "n": 1, "mine": True, "windows": [where]}
    assert ben.post("/api/queues", json=own).status_code == 200
    said = {"window": where, "present": [ONE], "key": "k1"}
    assert client.post("/api/answers", json=said).status_code == 200
    mine = {"window": where, "present": [TWO], "key": "k2", "seen": 0}
    refused = ben.post("/api/answers", json=mine)
    assert refused.status_code == 409
    assert refused.json()["answers"] == []
    assert "waits in a queue of yours" in refused.json()["error"]
    assert ONE not in refused.text
    (item,) = ben.post(f"/api/queues/{queue_of(ben)}/next", json={"n": 1}).json()["items"]
    given = {**mine, "key": "k3", "item": item["item"]}
    assert ben.post("/api/answers", json=given).status_code == 200
    late = ben.post("/api/answers", json=mine).json()
    assert [one["present"] for one in late["answers"]] == [[ONE]]


def test_an_undone_settlement_shows_no_other_of_a_window_that_waits(
    client: AppClient, ben: AppClient
) -> None:
    where = window(client.context)
    settled = {"window": where, "kind": "settle"}
    assert client.post("/api/answers", json={**settled, "present": [ONE], "key": "a"}).is_success
    later = ben.post("/api/answers", json={**settled, "absent": [ONE], "key": "b"}).json()
    own = {"kind": "chosen", "n": 1, "mine": True, "windows": [where]}
    assert ben.post("/api/queues", json=own).status_code == 200
    undone = ben.post(f"/api/answers/{later['id']}/undo", json={"key": "u"})
    assert undone.status_code == 200
    assert undone.json()["standing"] is None


def queue_of(client: AppClient) -> int:
    (queue,) = [q for q in client.get("/api/queues").json() if q["kind"] == "chosen"]
    return int(queue["id"])
