"""Which requests pass: token, Host, Origin, Sec-Fetch-Site, proxies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.running import AppClient, open_client

LABEL = {"name": "Zipper Frog 2"}
FOREIGN = "http://evil.example"


def test_a_change_without_the_token_is_refused_and_changes_nothing(client: AppClient) -> None:
    before = client.get("/api/labels").json()
    for token in ("", "wrong", "ä"):
        answer = client.post(
            "/api/labels", json=LABEL, headers={"X-Antiphon-Token": token.encode("latin-1")}
        )
        assert answer.status_code == 403
        assert answer.headers["X-Antiphon-Stale"] == "token"
    assert client.get("/api/labels").json() == before
    assert client.post("/api/labels", json=LABEL).status_code < 300


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8321"},
        {"Origin": "http://127.0.0.1.evil.example:8321"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_forged_change_is_refused_even_with_the_token(
    client: AppClient, headers: dict[str, str]
) -> None:
    answer = client.post("/api/labels", json=LABEL, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]


def test_a_change_from_the_own_page_passes(client: AppClient) -> None:
    headers = {"Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/labels", json=LABEL, headers=headers).status_code < 300


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "", "192.168.1.7:8321"]
)
def test_another_name_for_this_machine_is_refused(client: AppClient, host: str) -> None:
    answer = client.get("/api/status", headers={"Host": host})
    assert answer.status_code == 403
    assert "--host-name" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "LOCALHOST", "[::1]:8321"])
def test_the_own_names_pass(client: AppClient, host: str) -> None:
    assert client.get("/api/status", headers={"Host": host}).status_code == 200


def test_host_names_that_were_given_pass(project: Path) -> None:
    with open_client(project, hosts=("Birds.example.org",)) as client:
        assert client.get("/api/health", headers={"Host": "birds.example.org"}).status_code == 200
        assert client.get("/api/health", headers={"Host": "x.example.org"}).status_code == 403


def test_where_other_machines_may_come_any_number_is_a_name(project: Path) -> None:
    with open_client(project, host="0.0.0.0") as client:
        assert client.get("/api/health", headers={"Host": "192.168.1.7:8321"}).status_code == 200
        assert client.get("/api/health", headers={"Host": "evil.example"}).status_code == 403


def test_another_site_may_link_here_but_not_embed(client: AppClient) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}
    link = {**cross, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    frame = {**cross, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    image = {**cross, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert client.get("/api/status", headers=link).status_code == 200
    assert client.get("/api/status", headers=frame).status_code == 403
    assert client.get("/api/status", headers=image).status_code == 403


def test_no_other_site_is_allowed_to_read(client: AppClient) -> None:
    answer = client.get("/api/session", headers={"Origin": FOREIGN})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
def test_without_accounts_nobody_comes_through_a_proxy(client: AppClient, name: str) -> None:
    answer = client.get("/api/status", headers={name: "127.0.0.1"})
    assert answer.status_code == 403
    assert "users add" in answer.json()["error"]


def test_every_answer_carries_the_headers(client: AppClient) -> None:
    for path in ("/api/status", "/api/nothing", "/api/docs", "/api/openapi.json"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_the_nonce_is_new_each_time(client: AppClient) -> None:
    pages = [client.get("/api/docs") for _ in range(2)]
    policies = [page.headers["Content-Security-Policy"] for page in pages]
    assert policies[0] != policies[1]
    for page, policy in zip(pages, policies, strict=True):
        nonce = policy.split("'nonce-")[1].split("'")[0]
        assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') == 1


def test_the_page_of_the_interface_needs_no_other_site(client: AppClient) -> None:
    page = client.get("/api/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert "POST /api/answers" in page
