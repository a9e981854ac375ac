"""The picture of a day through the interface."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest

from tests.app.running import AppClient


def ready(client: AppClient, **query: Any) -> Any:
    for _ in range(300):
        state = client.get("/api/media/day", params=query).json()
        if state["done"]:
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def test_a_day_is_made_in_the_background_and_drawn(client: AppClient) -> None:
    rows = client.context.folder.catalogue.recordings().to_pylist()
    site, begin = rows[0]["site"], rows[0]["start_time"]
    query = {"site": site, "date": begin.date().isoformat()}
    image = pytest.importorskip("PIL.Image")
    blank = client.get("/api/media/day/picture", params=query)
    assert blank.status_code == 200
    state = ready(client, **query)
    same = [r for r in rows if (r["site"], r["start_time"].date()) == (site, begin.date())]
    assert [p["recording"] for p in state["parts"]] == [r["id"] for r in same]
    assert (state["ready"], state["failed"], state["duration_s"]) == (len(same), 0, 86_400)
    first = state["parts"][0]
    assert first["begin_s"] == begin.hour * 3600 + begin.minute * 60 + begin.second
    assert first["end_s"] - first["begin_s"] == pytest.approx(16.0)
    picture = client.get("/api/media/day/picture", params={**query, "width": 1440})
    values = np.asarray(image.open(io.BytesIO(picture.content)))
    there = np.flatnonzero((values != 255).any(axis=0))
    assert there.tolist() == sorted({int(p["begin_s"] // 60) for p in state["parts"]})
    tag = picture.headers["ETag"]
    again = client.get(
        "/api/media/day/picture", params={**query, "width": 1440}, headers={"If-None-Match": tag}
    )
    assert again.status_code == 304
    # Derived, and in the project: another start of the app finds it.
    assert len(list((client.context.folder.root / "derived" / "overviews").iterdir())) == len(same)


def test_one_recording_is_drawn_over_its_own_time(client: AppClient) -> None:
    state = ready(client, recording=2)
    assert state["duration_s"] == pytest.approx(16.0)
    answer = client.get("/api/media/day/picture", params={"recording": 2, "scale": "mel"})
    assert (answer.headers["X-Ready"], answer.headers["X-High-Hz"]) == ("1", "12000")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 422, "Ask for a date"),
        ({"recording": 1, "date": "2026-05-04"}, 422, "Ask for a date"),
        ({"date": "1999-01-01"}, 404, "without a site"),
        ({"date": "1999-01-01", "site": "' OR 1=1 --"}, 404, "no recording at the site"),
        ({"recording": 777}, 404, "no recording 777"),
        ({"date": "yesterday"}, 422, None),
    ],
)
def test_what_is_not_there_is_said(
    client: AppClient, query: dict[str, Any], status: int, said: str | None
) -> None:
    for route in ("day", "day/picture"):
        answer = client.get(f"/api/media/{route}", params=query)
        assert answer.status_code == status
        if said is not None:
            assert said in answer.json()["error"]
