"""The table of detections, thresholds, a new run, and exports that are read again."""

from __future__ import annotations

import io
import re
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from antiphon.labels.formats.registry import read_annotations
from antiphon.pipeline.browse.detections import DetectionFilter, select
from antiphon.pipeline.detect import load_detections
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.export import annotation_table

if TYPE_CHECKING:
    from tests.app.running import AppClient


def ok(answer) -> dict:
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def busiest(client: AppClient) -> str:
    labels = load_detections(client.context.folder).column("label").to_pylist()
    return max(set(labels), key=labels.count)


def finished(client: AppClient) -> dict:
    for _ in range(1200):
        state = ok(client.get("/api/detections/state"))
        if not state["running"]:
            return state
        time.sleep(0.05)
    raise AssertionError("the run does not end")


def test_pages_cover_every_detection_once(client: AppClient) -> None:
    found = load_detections(client.context.folder)
    seen = []
    for offset in range(0, found.num_rows, 7):
        params = {"sort": "score", "descending": True, "offset": offset, "limit": 7}
        seen += ok(client.get("/api/detections", params=params))["rows"]
    scores = [row["score"] for row in seen]
    assert scores == sorted(scores, reverse=True)
    keys = ("recording", "channel", "start_s", "label")
    assert len({tuple(row[k] for k in keys) for row in seen}) == found.num_rows


def test_filters_hold_together(client: AppClient) -> None:
    label = busiest(client)
    every = ok(client.get("/api/detections", params={"limit": 1000}))["rows"]
    site = next(row["site"] for row in every if row["label"] == label)
    params = {"label": label, "site": site, "min_score": 0.6, "from_hour": 3, "to_hour": 20}
    some = ok(client.get("/api/detections", params={**params, "limit": 1000}))
    expected = [
        row
        for row in every
        if row["label"] == label
        and row["site"] == site
        and row["score"] >= np.float32(0.6)
        and 3 <= int(row["time"][11:13]) < 20
    ]
    assert some["total"] == len(expected) == len(some["rows"])
    assert some["recordings"] == len({row["recording"] for row in expected})
    nothing = ok(client.get("/api/detections", params={"label": "x' OR 1=1 --"}))
    assert nothing["total"] == 0


def test_an_unknown_run_is_a_sentence(client: AppClient) -> None:
    answer = client.get("/api/detections", params={"run": "../catalogue"})
    assert answer.status_code == 400
    assert "There are no detections called" in answer.json()["error"]


def test_counts_agree_with_the_scores_of_all_windows(client: AppClient) -> None:
    label = busiest(client)
    said = ok(client.get("/api/detections/thresholds", params={"label": label}))
    context = client.context
    windows, detector = context.windows(), current_detector(context.folder)
    score = score_windows(windows, detector, np.arange(len(windows)))[
        :, detector.labels.index(label)
    ]
    for at in range(0, len(said["thresholds"]), 9):
        over = score >= np.float32(said["thresholds"][at])
        assert said["windows"][at] == over.sum()
        assert said["recordings"][at] == len(set(windows.recording_id[over].tolist()))
        assert said["sites"][at] == len(set(windows.texts("site")[over].tolist()))
        if over.any():
            assert said["expected"][at] == pytest.approx(float(score[over].mean()), abs=1e-5)
    own = said["thresholds"].index(pytest.approx(said["threshold"], abs=1e-7))
    table = load_detections(context.folder).column("label").to_pylist()
    assert said["windows"][own] == table.count(label)


def test_precision_says_what_it_rests_on(client: AppClient) -> None:
    said = ok(client.get("/api/detections/precision", params={"label": busiest(client)}))
    assert said["problem"] is None
    assert said["labelled"][0] == said["windows"] > said["positives"] > 0
    for low, value, high in zip(said["low"], said["value"], said["high"], strict=True):
        assert (low is None) == (value is None) == (high is None)
        assert value is None or low <= value + 1e-9 <= high + 2e-9
    assert said["value"][0] == pytest.approx(said["positives"] / said["windows"])
    assert "no random sample" in said["how"]
    assert not said["weighted"]


def test_precision_of_an_unknown_label_is_a_sentence(client: AppClient) -> None:
    said = ok(client.get("/api/detections/precision", params={"label": "Nobody"}))
    assert "no label" in said["problem"]


def test_a_new_threshold_is_a_new_detector_and_a_new_run(client: AppClient) -> None:
    label = busiest(client)
    said = ok(client.get("/api/detections/thresholds", params={"label": label}))
    at = next(i for i, n in enumerate(said["windows"]) if 0 < n < said["windows"][0] // 2)
    value = said["thresholds"][at]
    asked = {"detector": "first", "values": {label: value}}
    saved = ok(client.post("/api/detections/thresholds", json=asked))
    state = finished(client)
    assert state["error"] is None
    assert state["detector"] == saved["detector"] != "first"
    assert state["current"]
    threshold = {t["label"]: t for t in state["labels"]}[label]
    assert threshold["threshold"] == pytest.approx(value)
    assert threshold["note"] == "Set by ann."
    total = ok(client.get("/api/detections", params={"label": label}))["total"]
    assert total == said["windows"][at]
    # The old one and its detections are as they were.
    names = [row.name for row in client.context.folder.catalogue.detectors()]
    assert names == ["first", saved["detector"]]
    assert "first" in state["runs"]

    again = client.post("/api/detections/thresholds", json=asked)
    assert again.status_code == 400
    assert "now, not 'first'" in again.json()["error"]


def test_annotators_may_not_change_thresholds(client: AppClient) -> None:
    from antiphon.app.security.identity import Person, person_of

    client.app.dependency_overrides[person_of] = lambda: Person(
        "ben", "annotator", client.context.token
    )
    asked = {"detector": "first", "values": {busiest(client): 0.9}}
    assert client.post("/api/detections/thresholds", json=asked).status_code == 403
    assert client.post("/api/detections/run").status_code == 403
    assert not ok(client.get("/api/detections/state"))["manager"]


def test_without_detections_they_can_be_made(client: AppClient) -> None:
    for file in client.context.folder.detections_dir.glob("*.parquet"):
        file.unlink()
    before = ok(client.get("/api/detections/state"))
    assert before["run"] is None
    assert before["detector"] == "first"
    assert ok(client.get("/api/detections"))["total"] == 0
    refused = client.get("/api/detections/export")
    assert refused.status_code == 400
    assert "antiphon detect" in refused.json()["error"]
    ok(client.post("/api/detections/run"))
    after = finished(client)
    assert after["run"] == "first"
    assert after["detections"] > 0


def saved(client: AppClient, tmp_path: Path, **params) -> tuple[Path, int]:
    answer = client.get("/api/detections/export", params=params)
    assert answer.status_code == 200, answer.text
    disposition = answer.headers["Content-Disposition"]
    name = disposition.split("filename=")[1].strip('"')
    assert "/" not in name
    if name.endswith(".zip"):
        folder = tmp_path / "unpacked"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert all(not n.startswith("/") and ".." not in n for n in archive.namelist())
            archive.extractall(folder)
        return folder, int(answer.headers["X-Rows"])
    path = tmp_path / name
    path.write_bytes(answer.content)
    return path, int(answer.headers["X-Rows"])


def said_in(path: Path) -> list[tuple]:
    """Read label tables with the project's own readers: start, end and label of each row."""
    table = read_annotations(path).table
    columns = (table.column(name).to_pylist() for name in ("start_s", "end_s", "label"))
    return sorted((round(a, 3), round(b, 3), label) for a, b, label in zip(*columns, strict=True))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_tables_hold_the_filtered_rows(client: AppClient, tmp_path: Path, format: str) -> None:
    found = load_detections(client.context.folder)
    label = busiest(client)
    expected = select(found, DetectionFilter(labels=(label,), min_score=0.6)).rows
    asked = {"format": format, "label": label, "min_score": 0.6, "spans": False}
    path, rows = saved(client, tmp_path, **asked)
    assert rows == expected.num_rows > 0
    read = pq.read_table(path) if format == "parquet" else pa_csv.read_csv(path)
    for name in ("path", "label", "start_s", "end_s"):
        assert read.column(name).to_pylist() == expected.column(name).to_pylist()
    assert read.column("probability").to_pylist() == pytest.approx(
        expected.column("probability").to_pylist(), abs=1e-6
    )


@pytest.mark.parametrize("format", ["raven", "audacity"])
def test_zips_hold_the_same_rows(client: AppClient, tmp_path: Path, format: str) -> None:
    expected = select(load_detections(client.context.folder), DetectionFilter(), spans=True).rows
    path, rows = saved(client, tmp_path, format=format)
    read = said_in(path)
    assert rows == len(read) == expected.num_rows > 0
    wanted = sorted(
        zip(
            (round(v, 3) for v in expected.column("start_s").to_pylist()),
            (round(v, 3) for v in expected.column("end_s").to_pylist()),
            expected.column("label").to_pylist(),
            strict=True,
        )
    )
    assert read == wanted


def test_raven_tables_are_for_people_to_read(client: AppClient, tmp_path: Path) -> None:
    path, _ = saved(client, tmp_path, format="raven", spans=False)
    for table in path.rglob("*.txt"):
        header, *lines = (line.split("\t") for line in table.read_text().splitlines())
        assert header[-2:] == ["Annotation", "Confidence"]
        for line in lines:
            cells = dict(zip(header, line, strict=True))
            for name in ("Begin Time (s)", "End Time (s)", "File Offset (s)", "Confidence"):
                assert re.fullmatch(r"\d+(\.\d{1,6})?", cells[name])


@pytest.mark.parametrize("format", ["csv", "parquet", "raven", "audacity"])
def test_annotations_of_a_site(client: AppClient, tmp_path: Path, format: str) -> None:
    every = annotation_table(client.context.folder)
    site = ok(client.get("/api/recordings"))["rows"][0]["site"]
    names = {r["name"] for r in ok(client.get("/api/recordings", params={"site": site}))["rows"]}
    label = next(
        name
        for recording, name in zip(
            every.column("recording").to_pylist(), every.column("label").to_pylist(), strict=True
        )
        if recording in names and name is not None
    )
    asked = {"format": format, "what": "annotations", "site": site, "label": label}
    path, rows = saved(client, tmp_path, **asked)
    expected = [
        (recording, round(start, 3), round(end, 3))
        for recording, start, end, name in zip(
            *(every.column(c).to_pylist() for c in ("recording", "start_s", "end_s", "label")),
            strict=True,
        )
        if recording in names and name == label
    ]
    assert rows == len(expected) > 0
    if format == "parquet":
        table = pq.read_table(path)
        read = [round(v, 3) for v in table.column("start_s").to_pylist()]
    else:
        read = [row[0] for row in said_in(path)]
    assert sorted(read) == sorted(start for _, start, _ in expected)


def test_an_export_leaves_nothing_behind(
    client: AppClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    saved(client, tmp_path, format="raven")
    assert client.get("/api/detections/export", params={"run": "nobody"}).status_code == 400
    assert list(own.iterdir()) == []
