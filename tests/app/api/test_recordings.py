"""The list of recordings, a day, and activity over the clock."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from antiphon.pipeline.detect import load_detections
from antiphon.store.schema import Recording
from tests.app.running import open_client

if TYPE_CHECKING:
    from tests.app.running import AppClient


def ok(answer) -> dict:
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def changed(client: AppClient) -> Callable[..., None]:
    """Change what the catalogue says of a recording."""

    def change(recording: int, **facts) -> None:
        with client.context.folder.catalogue.database.write() as connection:
            connection.execute(update(Recording).where(Recording.id == recording).values(**facts))

    return change


def test_list_is_sorted_filtered_and_paged(client: AppClient) -> None:
    every = ok(client.get("/api/recordings", params={"sort": "detections", "descending": True}))
    counts = [row["detections"] for row in every["rows"]]
    found = load_detections(client.context.folder)
    assert every["total"] == len(every["rows"]) == 12
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == found.num_rows > 0
    assert all(row["windows"] == 8 for row in every["rows"])

    second = {"sort": "name", "limit": 5, "offset": 5}
    names = [row["name"] for row in ok(client.get("/api/recordings", params=second))["rows"]]
    assert names == sorted(row["name"] for row in every["rows"])[5:10]

    site = every["rows"][0]["site"]
    here = ok(client.get("/api/recordings", params={"site": site}))
    assert here["total"] == 4
    assert {row["site"] for row in here["rows"]} == {site}

    one = every["rows"][0]["name"]
    assert ok(client.get("/api/recordings", params={"text": one.upper()}))["total"] == 1
    assert ok(client.get("/api/recordings", params={"text": "%"}))["total"] == 0


def test_missing_and_unreadable_say_why(client: AppClient, changed: Callable[..., None]) -> None:
    changed(1, status="missing", problem=None)
    changed(2, status="unreadable", problem="the header is cut off")
    params = {"status": ["missing", "unreadable"], "sort": "status"}
    rows = ok(client.get("/api/recordings", params=params))["rows"]
    assert [(row["id"], row["problem"]) for row in rows] == [
        (1, "Its file is no longer in the audio folder."),
        (2, "the header is cut off"),
    ]
    tally = {
        t["name"]: t["recordings"] for t in ok(client.get("/api/recordings/places"))["statuses"]
    }
    assert tally == {"ok": 10, "missing": 1, "unreadable": 1}


def test_a_day_holds_its_recordings_with_joined_detections(client: AppClient) -> None:
    places = ok(client.get("/api/recordings/places"))
    (date,) = [d["name"] for d in places["dates"]]
    day = ok(client.get("/api/recordings/day", params={"date": date}))
    starts = [row["start_time"] for row in day["recordings"]]
    assert len(starts) == 12
    assert starts == sorted(starts)
    spans = [(row["id"], span) for row in day["recordings"] for span in row["detections"]]
    assert spans
    assert day["labels"] == sorted({span["label"] for _, span in spans})
    joined = {(i, s["label"], s["start_s"], s["end_s"]) for i, s in spans}
    touching = {(i, label, end) for i, label, _, end in joined}
    assert not any((i, label, start) in touching for i, label, start, _ in joined)
    other = ok(client.get("/api/recordings/day", params={"date": "1999-01-01"}))
    assert other["recordings"] == []


def test_activity_counts_what_has_no_start_time(
    client: AppClient, changed: Callable[..., None]
) -> None:
    before = ok(client.get("/api/recordings/activity"))
    assert before["minutes"] == pytest.approx(12 * 16 / 60)
    assert before["left_out"] == 0
    for chart in [*before["charts"], before["sites"]]:
        assert ET.fromstring(chart["svg"]).tag.endswith("svg")
        assert all(len(row) == len(chart["columns"]) for row in chart["rows"])
    by_hour = before["charts"][0]["rows"]
    assert sum(row[1] for row in by_hour) == pytest.approx(before["minutes"], abs=0.5)
    assert sum(row[2] for row in by_hour) == before["detections"]


def test_activity_names_recordings_without_a_start_time(project: Path) -> None:
    with open_client(project) as client:
        with client.context.folder.catalogue.database.write() as connection:
            connection.execute(update(Recording).where(Recording.id == 3).values(start_time=None))
        name = ok(client.get("/api/recordings/3"))["name"]
        said = ok(client.get("/api/recordings/activity"))
        assert said["left_out"] == 1
        assert said["left_out_names"] == [name]
        assert said["minutes"] == pytest.approx(11 * 16 / 60)
        undated = ok(client.get("/api/recordings/day"))
        assert [row["id"] for row in undated["recordings"]] == [3]


def test_time_that_was_not_searched_is_no_effort(project: Path) -> None:
    with open_client(project) as client:
        before = ok(client.get("/api/recordings/activity"))
        assert before["not_searched"] == 0
        with client.context.folder.catalogue.database.write() as connection:
            row = connection.execute(select(Recording.__table__).where(Recording.id == 1)).one()
            new = {**row._mapping, "id": 99, "path": "new.wav", "content_key": "of another file"}
            connection.execute(insert(Recording).values(**new))
    with open_client(project) as client:
        after = ok(client.get("/api/recordings/activity"))
    assert after == before | {"not_searched": 1}


def test_markup_in_a_site_is_text(client: AppClient, changed: Callable[..., None]) -> None:
    changed(4, site="<script>alert(1)</script>")
    said = ok(client.get("/api/recordings/activity"))
    assert "<script" not in said["sites"]["svg"]
    assert "<script>alert(1)</script>" in [row[0] for row in said["sites"]["rows"]]


@pytest.mark.parametrize("params", [{"sort": "name; DROP TABLE recordings"}, {"from_hour": 99}])
def test_what_makes_no_sense_is_refused(client: AppClient, params: dict) -> None:
    assert client.get("/api/recordings", params=params).status_code == 422


def test_an_unknown_recording_is_not_found(client: AppClient) -> None:
    assert client.get("/api/recordings/4711").status_code == 404
