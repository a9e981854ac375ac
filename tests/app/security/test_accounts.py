"""Logging in and out, roles, revoked sessions; the form and the interface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from antiphon.app.security.sessions import cookie_name, digest
from antiphon.app.security.throttle import BY_NAME, Throttle
from antiphon.store.schema import LoginSession, User
from tests.app.running import AppClient, open_client
from tests.app.security.people import PASSWORDS, another, log_in, with_accounts


def _cookie(client: AppClient) -> str:
    return str(client.cookies[cookie_name(client.context)])


def test_without_a_session_nothing_is_told(project: Path) -> None:
    with with_accounts(project) as client:
        for path in ("/api/status", "/api/session", "/api/users", "/api/docs", "/api/openapi.json"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.json() == {"error": "Log in first."}
        assert client.post("/api/labels", json={"name": "x"}).status_code == 401
        assert client.get("/api/health").status_code == 200


def test_every_route_needs_a_session(project: Path) -> None:
    with with_accounts(project) as client:
        for path, methods in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
            if path in ("/api/health", "/api/login"):
                continue
            for method in methods:
                answer = client.request(method.upper(), path.replace("{", "").replace("}", ""))
                assert answer.status_code == 401, (method, path)


def test_a_session_is_a_cookie_that_scripts_cannot_read(project: Path) -> None:
    with with_accounts(project) as client:
        answer = client.post("/api/login", json={"name": "mia", "password": PASSWORDS["mia"]})
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert "Max-Age=" in cookie
        assert client.get("/api/session").json()["name"] == "mia"


def test_behind_tls_the_cookie_is_secure(project: Path) -> None:
    with with_accounts(project, hosts=("birds.example.org",), root_path="/owls") as client:
        answer = client.post(
            "/owls/api/login",
            json={"name": "mia", "password": PASSWORDS["mia"]},
            headers={
                "Host": "127.0.0.1:8321",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "birds.example.org",
                "Origin": "https://birds.example.org",
            },
        )
        assert answer.status_code == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "Path=/owls" in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in answer.headers


def test_only_digests_are_kept(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "mia")
        token = _cookie(client)
        with client.context.folder.catalogue.database.read() as connection:
            kept = [*connection.execute(select(LoginSession.token_hash)).scalars()]
            hashes = [*connection.execute(select(User.password_hash)).scalars()]
        assert kept == [digest(token)]
        assert all(h.startswith("$argon2id$") for h in hashes)
        assert not any(p in h for h in hashes for p in PASSWORDS.values())


def test_wrong_name_wrong_password_and_disabled_account_read_the_same(project: Path) -> None:
    with with_accounts(project) as client:
        client.context.accounts.set_disabled("ben", True)
        answers = [
            client.post("/api/login", json={"name": name, "password": password})
            for name, password in (
                ("nobody", PASSWORDS["mia"]),
                ("mia", PASSWORDS["ben"]),
                ("ben", PASSWORDS["ben"]),
                ("mia' OR '1'='1", PASSWORDS["mia"]),
            )
        ]
        assert {a.status_code for a in answers} == {401}
        assert len({a.text for a in answers}) == 1
        assert not any("Set-Cookie" in a.headers for a in answers)


def test_an_unknown_name_costs_a_verification_too(project: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from antiphon.app.security import sessions

    checked = []

    def verify(known: str | None, password: str) -> bool:
        checked.append(known)
        return False

    monkeypatch.setattr(sessions, "verify_password", verify)
    with with_accounts(project) as client:
        for name in ("mia", "nobody"):
            client.post("/api/login", json={"name": name, "password": "x" * 12})
    assert len(checked) == 2
    assert checked[1] is None


def test_the_token_of_another_session_does_not_fit(project: Path) -> None:
    with with_accounts(project) as mia:
        ben = another(mia)
        theirs = log_in(mia, "mia")
        log_in(ben, "ben")
        ben.headers["X-Antiphon-Token"] = theirs
        assert ben.post("/api/labels", json={"name": "forged"}).status_code == 403
        assert ben.get("/api/session").json()["name"] == "ben"


def test_annotators_do_not_manage(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "ben")
        assert client.get("/api/users").status_code == 403
        new = {"name": "eve", "password": "a long password", "role": "manager"}
        assert client.post("/api/users", json=new).status_code == 403
        me = client.context.accounts.user("ben")
        assert me is not None
        change = client.patch(f"/api/users/{me.id}", json={"role": "manager"})
        assert change.status_code == 403
        assert client.get("/api/session").json()["role"] == "annotator"


def test_logging_out_ends_the_session_on_the_server(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "mia")
        cookie = _cookie(client)
        assert client.post("/api/logout").status_code == 204
        stolen = another(client)
        stolen.cookies.set(cookie_name(client.context), cookie)
        assert stolen.get("/api/status").status_code == 401


def test_a_new_password_ends_all_other_sessions(project: Path) -> None:
    with with_accounts(project) as here:
        elsewhere = another(here)
        log_in(here, "ben")
        log_in(elsewhere, "ben")
        wrong = here.post("/api/password", json={"old": "nonsense", "new": "x" * 12})
        assert wrong.status_code == 403
        assert elsewhere.get("/api/status").status_code == 200
        change = {"old": PASSWORDS["ben"], "new": "my new password"}
        assert here.post("/api/password", json=change).status_code == 204
        assert elsewhere.get("/api/status").status_code == 401
        assert here.get("/api/status").status_code == 200
        log_in(elsewhere, "ben", "my new password")


def test_guesses_at_a_name_do_not_log_its_owner_out(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "ben")
        for _ in range(6):
            client.context.throttle.begin("ben", "192.0.2.1")
        assert client.context.throttle.begin("ben", "192.0.2.1") > 0.0
        change = {"old": PASSWORDS["ben"], "new": "my new password"}
        assert client.post("/api/password", json=change).status_code == 204
        assert client.get("/api/session").json()["name"] == "ben"


def test_who_finds_an_open_session_cannot_guess_the_password(project: Path) -> None:
    with with_accounts(project) as client:
        client.context.session_throttle = Throttle(lambda: 0.0)
        log_in(client, "ben")
        change = {"old": "nonsense", "new": "my new password"}
        for _ in range(BY_NAME.free):
            assert client.post("/api/password", json=change).status_code == 403
        right = {**change, "old": PASSWORDS["ben"]}
        refused = client.post("/api/password", json=right)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        # The owner logs in elsewhere as ever.
        log_in(another(client), "ben")


def test_a_short_password_is_refused_in_words(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "mia")
        for password in ("short", "x" * 300):
            answer = client.post("/api/users", json={"name": "eve", "password": password})
            assert answer.status_code == 400
            assert "10 to 256" in answer.json()["error"]
        assert client.context.accounts.user("eve") is None


def test_a_manager_shuts_somebody_out_at_once(project: Path) -> None:
    with with_accounts(project) as mia:
        ben = another(mia)
        log_in(mia, "mia")
        log_in(ben, "ben")
        number = next(u["id"] for u in mia.get("/api/users").json() if u["name"] == "ben")
        assert mia.patch(f"/api/users/{number}", json={"disabled": True}).json()["disabled"]
        assert ben.get("/api/status").status_code == 401
        assert mia.patch("/api/users/9999", json={"disabled": True}).status_code == 404


def test_the_last_manager_stays(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "mia")
        number = next(u["id"] for u in client.get("/api/users").json() if u["name"] == "mia")
        for change in ({"disabled": True}, {"role": "annotator"}):
            answer = client.patch(f"/api/users/{number}", json=change)
            assert answer.status_code == 400
            assert "only manager" in answer.json()["error"]


def test_an_expired_session_is_none(project: Path) -> None:
    with with_accounts(project) as client:
        log_in(client, "mia")
        past = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None)
        with client.context.folder.catalogue.database.write() as connection:
            connection.execute(update(LoginSession).values(expires_at=past))
        assert client.get("/api/status").status_code == 401


def test_a_cookie_of_another_project_does_not_fit(project: Path) -> None:
    with with_accounts(project) as client:
        client.cookies.set("antiphon-00000000", "x" * 43)
        client.cookies.set(cookie_name(client.context), "x" * 5000)
        assert client.get("/api/status").status_code == 401


def test_without_accounts_there_is_nothing_to_log_in_to(client: AppClient, project: Path) -> None:
    answer = client.post("/api/login", json={"name": "mia", "password": "x" * 12})
    assert answer.status_code == 409
    session = client.get("/api/session").json()
    assert session["name"] == "ann"
    assert session["token"] == client.context.token
    with open_client(project) as second:
        assert second.context.token != client.context.token
