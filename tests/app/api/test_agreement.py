"""Requests about agreement: who said what, how far people agree, what is settled, what is blind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tests.app.conftest import LABELS
from tests.app.security.people import another, log_in, with_accounts

if TYPE_CHECKING:
    from tests.app.running import AppClient

ONE, TWO, THREE = LABELS
_keys = itertools.count()


@pytest.fixture
def ben(project: Path) -> Iterator[AppClient]:
    """A second person on the same project, in an app of their own."""
    from tests.app.running import open_client

    with open_client(project, annotator="ben") as made:
        yield made


def fresh(client: AppClient) -> list[dict[str, Any]]:
    """Return windows of the recordings that no table speaks of."""
    windows = client.context.windows()
    told = client.context.folder.catalogue.annotations().column("recording_id").to_numpy()
    rows = np.flatnonzero(~np.isin(windows.recording_id, told))
    return [
        {
            "recording": int(windows.recording_id[i]),
            "channel": int(windows.channel[i]),
            "start_s": float(windows.start_s[i]),
            "end_s": float(windows.end_s[i]),
        }
        for i in rows
    ]


def say(client: AppClient, window: dict[str, Any], *present: str, **more: Any) -> dict[str, Any]:
    body = {"window": window, "present": present, "key": f"k{next(_keys)}", **more}
    body.setdefault("complete", not more.get("absent"))
    response = client.post("/api/answers", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def get(client: AppClient, path: str, **asked: Any) -> Any:
    response = client.get(f"/api/agreement{path}", params=asked)
    assert response.status_code == 200, response.text
    return response.json()


def place(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row["window"][name] for name in ("recording", "channel", "start_s", "end_s")}


def test_who_labelled_what_and_when(client: AppClient, ben: AppClient) -> None:
    first, second, *_ = fresh(client)
    say(client, first, ONE, seconds=4.0)
    say(client, second, seconds=8.0)
    mine = say(ben, first, TWO, seconds=5.0)
    ben.post(f"/api/answers/{mine['id']}/undo", json={"key": "undo"})
    work = get(client, "/work")
    by = {day["person"]: day for day in work["days"]}
    assert (by["ann"]["answers"], by["ann"]["windows"], by["ann"]["per_answer"]) == (2, 2, 6.0)
    assert (by["ben"]["answers"], by["ben"]["retracted"], by["ben"]["seconds"]) == (1, 1, 5.0)
    assert {one["person"] for one in work["tables"]} == {"truth"}
    assert sum(one["recordings"] for one in work["tables"]) == 8
    assert get(client, "")["people"] == ["ann", "ben", "truth"]


def test_measures_are_those_of_what_was_said(client: AppClient, ben: AppClient) -> None:
    windows = fresh(client)[:12]
    said = {
        "ann": [0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0],
        "ben": [0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0],
    }
    for who, user in (("ann", client), ("ben", ben)):
        for window, present in zip(windows, said[who], strict=True):
            say(user, window, *([ONE] if present else []))
    found = get(client, "/measures")
    assert (found["windows"], found["recordings"]) == (12, 2)
    row = next(one for one in found["labels"] if one["label"] == ONE)
    (pair,) = row["pairs"]
    assert (pair["first"], pair["second"], pair["units"]) == ("ann", "ben", 12)
    assert pair["kappa"] == pytest.approx(cohen_kappa_score(said["ann"], said["ben"]))
    assert pair["observed"] == pytest.approx(10 / 12)
    assert row["positive"] == pytest.approx(2 * 4 / 10)
    assert row["low"] <= row["alpha"] <= row["high"]
    # Twelve windows of two recordings say little, and no label that nobody heard has an alpha.
    assert not row["enough"]
    assert next(one for one in found["labels"] if one["label"] == THREE)["alpha"] is None


def test_between_tables_a_manager_settles(client: AppClient, tmp_path: Path) -> None:
    from antiphon.api import Project
    from antiphon.app.security import identity

    folder = client.context.folder
    truth = folder.catalogue.annotations().to_pylist()
    known = {row["recording_id"] for row in truth}
    recordings = folder.catalogue.recordings().to_pylist()
    path = next(row["path"] for row in recordings if row["id"] in known)
    # Whatever the first table says of these two seconds, it does not hear all three.
    rows = [f"{path},0,2,{label}" for label in (ONE, TWO, THREE)]
    (tmp_path / "other.csv").write_text("recording,start_s,end_s,label\n" + "\n".join(rows) + "\n")
    project = Project(folder.root)
    project.import_labels(tmp_path / "other.csv", annotator="other")
    (row,) = get(client, "/disagreements")["rows"]
    assert row["may_settle"]
    body = {"window": place(row), "present": [ONE], "kind": "settle", "key": "s"}
    plain = identity.Person("ben", "annotator", client.context.token)
    client.app.dependency_overrides[identity.person_of] = lambda: plain
    assert not get(client, "/disagreements")["rows"][0]["may_settle"]
    refused = client.post("/api/answers", json=body)
    assert refused.status_code == 400
    assert "a manager settles it" in refused.json()["error"]
    client.app.dependency_overrides.clear()
    say(client, place(row), ONE)
    client.app.dependency_overrides[identity.person_of] = lambda: plain
    assert get(client, "/disagreements")["rows"][0]["may_settle"]
    assert client.post("/api/answers", json=body).status_code == 200


def test_a_disagreement_is_settled_and_nothing_is_overwritten(
    client: AppClient, ben: AppClient
) -> None:
    window = fresh(client)[0]
    one = say(client, window, ONE)
    two = say(ben, window, TWO)
    rows = get(client, "/disagreements")
    (row,) = rows["rows"]
    assert place(row) == window
    assert rows["people"] == ["ann", "ben"]
    assert {d["label"]: (d["present"], d["absent"]) for d in row["labels"]} == {
        ONE: (["ann"], ["ben"]),
        TWO: (["ben"], ["ann"]),
    }
    assert get(client, "/disagreements", label=THREE)["total"] == 0
    seen = get(ben, "/history", **window)["seen"]
    assert seen == two["id"]
    kept = say(ben, window, ONE, absent=[TWO], kind="settle", seen=seen)
    assert get(client, "/disagreements")["total"] == 0
    (row,) = get(client, "/disagreements", state="settled")["rows"]
    assert row["settlement"]["annotator"] == "ben"
    past = get(client, "/history", **window)
    assert [
        (e["answer"]["annotator"], e["answer"]["kind"], e["state"]) for e in past["events"]
    ] == [
        ("ann", "answer", "stands"),
        ("ben", "answer", "stands"),
        ("ben", "settle", "stands"),
    ]
    assert past["settlement"]["id"] == kept["id"]
    ben.post(f"/api/answers/{kept['id']}/undo", json={"key": "undo settle"})
    past = get(client, "/history", **window)
    assert [e["state"] for e in past["events"]] == ["stands", "stands", "taken back", ""]
    assert past["events"][0]["answer"]["id"] == one["id"]
    assert get(client, "/disagreements")["total"] == 1
    made = client.post("/api/queues", json={"kind": "disagreement", "n": 100}).json()
    assert made["total"] == 1


def test_the_history_tells_of_tables_and_of_corrections(client: AppClient) -> None:
    windows = client.context.windows()
    told = client.context.folder.catalogue.annotations().column("recording_id")[0].as_py()
    at = int(np.flatnonzero(windows.recording_id == told)[0])
    window = {
        "recording": told,
        "channel": -1,
        "start_s": float(windows.start_s[at]),
        "end_s": float(windows.end_s[at]),
    }
    say(client, window, ONE)
    say(client, window, TWO)
    past = get(client, "/history", **window)
    assert [e["state"] for e in past["events"]] == ["replaced", "stands"]
    assert {row["person"] for row in past["tables"]} == {"truth"}
    log = get(client, "/log", limit=1)
    assert (log["events"][0]["state"], log["next"]) == ("stands", log["events"][0]["answer"]["id"])
    older = get(client, "/log", before=log["next"])
    assert [e["state"] for e in older["events"]] == ["replaced"]
    assert (
        client.get("/api/agreement/history", params={**window, "recording": 999}).status_code == 404
    )


def test_the_same_queue_for_several_is_blind(project: Path) -> None:
    with with_accounts(project) as mia:
        log_in(mia, "mia")
        ben = another(mia)
        log_in(ben, "ben")
        assert get(mia, "")["may_label"] == ["ben", "mia"]
        wish = {"people": ["mia", "ben"], "kind": "strategy", "n": 5, "seed": 3}
        assert ben.post("/api/agreement/queues", json=wish).status_code == 403
        unknown = mia.post("/api/agreement/queues", json={**wish, "people": ["mia", "eve"]})
        assert (unknown.status_code, "eve" in unknown.json()["error"]) == (400, True)
        made = mia.post("/api/agreement/queues", json=wish)
        assert made.status_code == 200, made.text
        queues = {queue["owner"]: queue for queue in made.json()["queues"]}
        # A strategy's queue would be renewed for each alone; these windows stay the same.
        assert {queue["kind"] for queue in queues.values()} == {"chosen"}
        items = {
            name: user.post(f"/api/queues/{queues[name]['id']}/next", json={"n": 5}).json()["items"]
            for name, user in (("mia", mia), ("ben", ben))
        }
        assert [place(i) for i in items["mia"]] == [place(i) for i in items["ben"]]
        assert get(ben, "")["waiting"] == 5
        window = place(items["mia"][0])
        say(mia, window, ONE, item=items["mia"][0]["item"])
        # Ben has still to say what he hears, so he is not told what mia heard.
        refused = ben.get("/api/agreement/history", params=window)
        assert refused.status_code == 403
        assert get(ben, "/log")["events"] == []
        assert get(ben, "/log")["hidden"] == 1
        say(ben, window, TWO, item=items["ben"][0]["item"])
        assert len(get(ben, "/history", **window)["events"]) == 2
        assert get(ben, "/disagreements")["total"] == 1
        (shared,) = get(mia, "/queues")
        assert [(q["owner"], q["done"], q["total"]) for q in shared["queues"]] == [
            ("mia", 1, 5),
            ("ben", 1, 5),
        ]
