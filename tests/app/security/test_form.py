"""The form to log in, as a browser without scripts uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.app.pages.login import router
from tests.app.running import AppClient
from tests.app.security.people import PASSWORDS, with_accounts

OWN = {"Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def form(project: Path) -> Iterator[AppClient]:
    with with_accounts(project) as client:
        client.app.include_router(router)  # type: ignore[attr-defined]
        client.follow_redirects = False
        yield client


def _send(client: AppClient, next: str = "", **fields: str) -> tuple[int, str]:
    filled = {"name": "mia", "password": PASSWORDS["mia"], "next": next, **fields}
    answer = client.post("/login", data=filled, headers=OWN)
    return answer.status_code, answer.headers.get("Location", answer.text)


def test_the_form_leads_to_where_one_wanted_to_go(form: AppClient) -> None:
    asked = form.get("/map?colour=site")
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/login?next=/map%3Fcolour%3Dsite"
    page = form.get(asked.headers["Location"])
    assert 'value="/map?colour=site"' in page.text
    assert _send(form, "/map?colour=site") == (303, "/map?colour=site")
    assert form.get("/login").headers["Location"] == "/"


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: x=1",
        "",
    ],
)
def test_it_never_leads_away(form: AppClient, address: str) -> None:
    assert _send(form, address) == (303, "/")


def test_a_wrong_password_keeps_the_name_and_says_so(form: AppClient) -> None:
    status, page = _send(form, password="not the password")
    assert status == 401
    assert "wrong" in page
    assert 'value="mia"' in page
    assert "not the password" not in page


def test_what_was_typed_is_shown_as_text(form: AppClient) -> None:
    evil = '"><script>alert(1)</script>'
    _, page = _send(form, f"/{evil}", name=evil, password="x")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_another_site_cannot_log_somebody_in_or_out(form: AppClient) -> None:
    filled = {"name": "mia", "password": PASSWORDS["mia"]}
    for path in ("/login", "/logout"):
        answer = form.post(path, data=filled, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers


def test_logging_out_by_form(form: AppClient) -> None:
    _send(form)
    assert form.get("/api/status").status_code == 200
    left = form.post("/logout", headers=OWN)
    assert left.headers["Location"] == "/login"
    assert form.get("/api/status").status_code == 401


def test_too_many_attempts_are_told_in_words(form: AppClient) -> None:
    for _ in range(6):
        _send(form, password="wrong again")
    answer = form.post("/login", data={"name": "mia", "password": "x"}, headers=OWN)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Too many attempts" in answer.text
