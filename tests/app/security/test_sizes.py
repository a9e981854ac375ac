from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running import AppClient, open_client
from tests.app.security.people import with_accounts


@pytest.fixture
def small(project: Path) -> Iterator[AppClient]:
    with open_client(project, max_upload_bytes=10_000) as client:
        yield client


def _pieces(count: int) -> Iterator[bytes]:
    yield b'{"name": "'
    for _ in range(count):
        yield b"x" * 1000
    yield b'"}'


def test_a_body_that_says_it_is_too_large(small: AppClient) -> None:
    answer = small.post("/api/labels", json={"name": "x" * 20_000})
    assert answer.status_code == 413
    assert "10 KiB" in answer.json()["error"]


def test_a_body_that_does_not_say_how_large_it_is(small: AppClient) -> None:
    before = small.get("/api/labels").json()
    answer = small.post(
        "/api/labels", content=_pieces(20), headers={"Content-Type": "application/json"}
    )
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413
    assert small.get("/api/labels").json() == before


def test_a_sound_that_does_not_say_how_large_it_is(small: AppClient) -> None:
    answer = small.post(
        "/api/search/clip", content=_pieces(20), headers={"Content-Type": "audio/wav"}
    )
    assert answer.status_code == 413
    assert "10 KiB" in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "many", "1e9"])
def test_a_length_that_is_no_length(small: AppClient, length: str) -> None:
    answer = small.post("/api/labels", content=b"{}", headers={"Content-Length": length})
    assert answer.status_code == 413


def test_what_fits_passes(small: AppClient) -> None:
    answer = small.post(
        "/api/labels",
        content=iter([b'{"name": ', b'"Hinge Crake"}']),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code < 300


def test_strangers_send_little(project: Path) -> None:
    with with_accounts(project) as client:
        answer = client.post("/api/login", json={"name": "mia", "password": "x" * 100_000})
        assert answer.status_code == 413
