from __future__ import annotations

import json

import numpy as np
import pytest

from antiphon.pipeline.colouring import by_site
from antiphon.pipeline.mapping import keep_umap, layout_path, pca_layout
from antiphon.pipeline.windows import load_windows


def unpack(content):
    size = int.from_bytes(content[:4], "little")
    facts = json.loads(content[4 : 4 + size])
    at, arrays = 4 + size, {}
    for one in facts["arrays"]:
        dtype = np.dtype("<" + one["dtype"])
        arrays[one["name"]] = np.frombuffer(content, dtype, one["count"], at)
        at += -(-one["count"] * dtype.itemsize // 4) * 4
    assert at == len(content)
    return facts, arrays


@pytest.fixture
def windows(client):
    return load_windows(client.context.folder, client.context.table())


@pytest.fixture
def version(client):
    return client.get("/api/map").json()["version"]


def get(client, path, **asked):
    answer = client.get(f"/api/map{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return unpack(answer.content)


def test_positions_are_those_of_the_pipeline_scaled_alike(client, windows, version):
    facts, arrays = get(client, "/points", version=version)
    xy = arrays["xy"].reshape(-1, 2)
    expected = pca_layout(windows).position[:, :2]
    assert xy.shape == expected.shape
    assert np.abs(xy).max() == pytest.approx(1.0)
    low, high = expected.min(axis=0), expected.max(axis=0)
    scaled = (expected - (low + high) / 2) * 2 / (high - low).max()
    np.testing.assert_allclose(xy, scaled, atol=1e-5)
    assert facts["fitted"] == len(windows)
    assert 0 < facts["share"][1] <= facts["share"][0] < 1
    assert layout_path(windows.view, "pca").exists()


def test_colours_come_with_their_legend(client, windows, version):
    facts, arrays = get(client, "/colours", version=version, by="site")
    expected = by_site(windows)
    assert (arrays["codes"] == expected.codes).all()
    assert [(e["name"], e["count"]) for e in facts["entries"]] == list(expected.entries)
    assert facts["unknown"]["count"] == 0


def test_every_colouring_that_the_page_offers_works(client, version):
    known = client.get("/api/map").json()
    wanted = [("labels", ""), ("hour", ""), ("date", ""), ("cluster", "4"), ("round", "")]
    wanted += [("label", known["labels"][0]), ("score", known["detector"][0]), ("queue", "1")]
    for by, value in wanted:
        facts, arrays = get(client, "/colours", version=version, by=by, value=value)
        assert len(arrays["codes"]) == known["windows"]
        counted = sum(e["count"] for e in facts["entries"]) + facts["unknown"]["count"]
        if facts["kind"] == "categories":
            assert counted == known["windows"]


@pytest.mark.parametrize(
    ("by", "value"),
    [("cluster", "x"), ("cluster", "400"), ("label", "<script>"), ("score", "dodo"), ("age", "")],
)
def test_colourings_that_are_not_there_are_a_sentence(client, version, by, value):
    answer = client.get("/api/map/colours", params={"version": version, "by": by, "value": value})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_points_are_told_by_their_number(client, windows, version):
    rows = [5, 0, len(windows) - 1]
    told = client.post("/api/map/windows", json={"version": version, "rows": rows}).json()
    assert [one["row"] for one in told] == rows
    for one in told:
        assert one["window"]["recording"] == windows.recording_id[one["row"]]
        assert one["window"]["start_s"] == windows.start_s[one["row"]]
    beyond = {"version": version, "rows": [len(windows)]}
    assert client.post("/api/map/windows", json=beyond).status_code == 400


def test_a_map_of_other_windows_is_refused(client):
    answer = client.get("/api/map/points", params={"version": "spectral-1-2-3"})
    assert answer.status_code == 409
    assert "load the map again" in answer.json()["error"]


def test_umap_says_what_to_install(client, version, monkeypatch):
    monkeypatch.setattr("antiphon.pipeline.mapping_umap.can_umap", lambda: False)
    monkeypatch.setattr("antiphon.app.api.map.can_umap", lambda: False)
    state = client.get("/api/map").json()["umap"]
    assert state == {"state": "missing", "share": 0.0, "problem": "", "installed": False}
    answer = client.post("/api/map/umap", params={"version": version})
    assert answer.status_code == 501
    assert "antiphon[umap]" in answer.json()["error"]
    missing = client.get("/api/map/points", params={"version": version, "method": "umap"})
    assert missing.status_code == 400


def test_a_umap_of_too_few_windows_is_refused(client, version, monkeypatch):
    monkeypatch.setattr("antiphon.pipeline.mapping_umap.can_umap", lambda: True)
    monkeypatch.setattr("antiphon.pipeline.mapping_umap.FEWEST", 10**6)
    answer = client.post("/api/map/umap", params={"version": version})
    assert answer.status_code == 400
    assert "needs at least 1000000 windows" in answer.json()["error"]


def test_umap_is_computed_in_the_background_and_kept(client, windows, version, monkeypatch):
    place = np.random.default_rng(0).normal(size=(len(windows), 2)).astype(np.float32)
    told = []

    def fit(components, *, progress, stop):
        assert len(components) == len(windows)
        progress(0.5)
        told.append(client.get("/api/map/umap", params={"version": version}).json())
        return place

    for name in ("antiphon.pipeline.mapping_umap", "antiphon.app.api.map"):
        monkeypatch.setattr(f"{name}.can_umap", lambda: True)
    monkeypatch.setattr("antiphon.app.services.maps.fit_umap", fit)
    client.post("/api/map/umap", params={"version": version})
    for _ in range(200):
        state = client.get("/api/map/umap", params={"version": version}).json()
        if state["state"] != "running":
            break
    assert state["state"] == "done", state
    assert [(one["state"], one["share"]) for one in told] == [("running", 0.5)]
    _, arrays = get(client, "/points", version=version, method="umap")
    xy = arrays["xy"].reshape(-1, 2)
    assert np.corrcoef(xy[:, 0], place[:, 0])[0, 1] == pytest.approx(1.0)
    # Another run of the app finds it in the project.
    assert layout_path(windows.view, "umap").exists()


def test_a_kept_umap_is_offered(client, windows, version):
    keep_umap(windows, np.zeros((len(windows), 2), np.float32))
    assert client.get("/api/map").json()["umap"]["state"] == "done"


def test_a_umap_that_fails_says_why(client, version, monkeypatch):
    from antiphon.errors import AntiphonError

    def fit(_components, **_more):
        raise AntiphonError("UMAP ended with the code 1: no luck.")

    monkeypatch.setattr("antiphon.pipeline.mapping_umap.can_umap", lambda: True)
    monkeypatch.setattr("antiphon.app.services.maps.fit_umap", fit)
    client.post("/api/map/umap", params={"version": version})
    for _ in range(200):
        state = client.get("/api/map/umap", params={"version": version}).json()
        if state["state"] != "running":
            break
    assert (state["state"], state["problem"]) == ("failed", "UMAP ended with the code 1: no luck.")
