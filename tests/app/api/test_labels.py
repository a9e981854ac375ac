"""Requests about labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.app.running import AppClient


def test_labels_are_listed_with_how_often_they_are_present(client: AppClient) -> None:
    found = client.get("/api/labels").json()
    catalogue = client.context.folder.catalogue
    assert [one["name"] for one in found] == catalogue.label_names()
    for one in found:
        said = catalogue.annotations(labels=[one["name"]], presence=["present"])
        assert one["present"] == said.num_rows


def test_a_label_is_added_and_suggested(client: AppClient) -> None:
    new = {"name": "<i>Wren</i>", "scientific_name": "Troglodytes troglodytes", "rank": "species"}
    added = client.post("/api/labels", json=new).json()
    assert added == {**new, "common_name": None, "synonyms": [], "present": 0}
    assert client.post("/api/labels", json={"name": new["name"]}).json() == added
    (found,) = client.get("/api/labels/suggest", params={"q": "troglo"}).json()
    assert (found["name"], found["source"]) == (new["name"], "project")
    known = len(client.get("/api/labels").json())
    assert len(client.get("/api/labels/suggest", params={"n": 100}).json()) == known


def test_what_is_no_label_is_refused(client: AppClient) -> None:
    before = client.get("/api/labels").json()
    for name in ("", "nothing", "a\tb", "x" * 300, before[0]["name"].upper()):
        assert client.post("/api/labels", json={"name": name}).status_code in (400, 422)
    assert client.get("/api/labels").json() == before
