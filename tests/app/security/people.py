"""Accounts for tests, and clients that are logged in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from antiphon.app.security.passwords import hash_password
from antiphon.store.accounts import Accounts
from antiphon.store.project import ProjectFolder
from tests.app.running import AppClient, open_client

PASSWORDS = {"mia": "correct horse battery", "ben": "another long password"}


def add_people(project: Path) -> None:
    """Make the manager mia and the annotator ben."""
    folder = ProjectFolder.open(project)
    accounts = Accounts(folder.catalogue.database)
    for name, password in PASSWORDS.items():
        role = "manager" if name == "mia" else "annotator"
        accounts.add_user(name, hash_password(password, name), role)
    folder.close()


@contextmanager
def with_accounts(project: Path, **settings: object) -> Iterator[AppClient]:
    """Open the interface with both accounts; the client is not logged in."""
    add_people(project)
    with open_client(project, accounts=True, annotator="", **settings) as client:
        del client.headers["X-Antiphon-Token"]
        yield client


def another(client: AppClient) -> AppClient:
    """Return a second browser on the same app."""
    made = AppClient(client.app, base_url=str(client.base_url), client=("127.0.0.1", 50_001))
    made.context = client.context
    return made


def log_in(client: TestClient, name: str, password: str | None = None) -> str:
    """Log in and return the token of the session."""
    answer = client.post("/api/login", json={"name": name, "password": password or PASSWORDS[name]})
    assert answer.status_code == 200, answer.text
    token = str(answer.json()["token"])
    client.headers["X-Antiphon-Token"] = token
    return token
