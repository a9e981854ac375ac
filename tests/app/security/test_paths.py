"""No path, name or condition of a request reaches the file system or a query as it is."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.app.running import AppClient

UP = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\..\\etc\\passwd",
    "%5c..%5c..%5cetc%5cpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "..%252f..%252fetc%252fpasswd",
    "%00/etc/passwd",
    "antiphon.toml",
    "../antiphon.toml",
    "../catalogue.db",
]
SQL = [
    "x' OR '1'='1",
    "'; DROP TABLE recordings; --",
    "1 UNION SELECT password_hash FROM users",
    "%",
]


def _get(url: str, path: str) -> tuple[int, bytes]:
    """Ask for a path exactly as it is written; other clients clean it up first."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    try:
        connection.putrequest("GET", path)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_no_address_leads_to_a_file_of_the_machine_or_the_project(
    serving: Callable[..., AbstractContextManager[str]], project: Path
) -> None:
    bases = ["/static/", "/", "/api/", "/api/media/", "/api/recordings/", "/api/queues/"]
    bases += ["/_nicegui/3/static/", "/_nicegui/3/components/", "/_nicegui/3/resources/x/"]
    with serving(project) as url:
        status, own = _get(url, "/static/frame/app.css")
        assert status == 200
        assert b"--accent" in own
        for base in bases:
            for path in UP:
                status, body = _get(url, base + path.replace("\\", "%5c"))
                assert status in (303, 400, 401, 404, 405, 422), (base + path, status)
                assert b"root:" not in body
                assert b"[catalogue]" not in body
                assert b"SQLite format" not in body
        # The address is told back as text at most.
        _, body = _get(url, "/<script>alert(1)</script>")
        assert b"<script>alert" not in body


def test_ids_are_numbers(client: AppClient) -> None:
    wrong = ["..", "1;", "1 OR 1=1", "0x1", "-1", "9" * 40, "1.5", "NaN", "%00", "etc/passwd"]
    for path, methods in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        if "{" not in path:
            continue
        start, _, rest = path.partition("{")
        end = rest.partition("}")[2]
        for method in methods:
            for value in wrong:
                address = start + quote(value, safe="") + end
                answer = client.request(method.upper(), address)
                assert 400 <= answer.status_code < 500, (method, address, answer.status_code)


@pytest.mark.parametrize("value", ["../../etc/passwd", "/etc/passwd", "1 OR 1=1", "-1", "9" * 30])
def test_media_are_by_number_of_the_catalogue_only(client: AppClient, value: str) -> None:
    for kind in ("audio", "spectrogram", "thumbnail"):
        query = {"recording": value, "channel": "-1", "start_s": "0", "end_s": "2"}
        answer = client.get(f"/api/media/{kind}", params=query)
        assert 400 <= answer.status_code < 500
        assert not answer.headers["Content-Type"].startswith(("audio", "image"))


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_condition_is_a_name_that_nothing_has(client: AppClient, text: str) -> None:
    before = client.get("/api/status").json()
    for path in ("/api/recordings", "/api/detections", "/api/answers", "/api/labels/suggest"):
        for name in ("site", "sites", "label", "labels", "q", "order", "sort", "date", "before"):
            answer = client.get(path, params={name: text})
            assert answer.status_code < 500, (path, name, answer.text)
    for condition in ({"sites": [text]}, {"labels": [text]}, {"detected": [text]}, {"hour": text}):
        answer = client.post(
            "/api/queues", json={"kind": "random", "n": 5, "mine": True, "filter": condition}
        )
        assert 400 <= answer.status_code < 500, (condition, answer.text)
    assert client.get("/api/status").json() == before


def test_a_sentence_about_a_wrong_request_does_not_repeat_it(client: AppClient) -> None:
    answer = client.get("/api/media/audio", params={"recording": "<script>", "start_s": "x"})
    assert answer.status_code == 422
    assert "recording" in answer.json()["error"]
    assert "script" not in answer.text
