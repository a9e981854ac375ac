from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("argon2", reason="needs the extra app (pip install 'antiphon[app]')")

from antiphon.store.accounts import Accounts
from antiphon.store.project import ProjectFolder
from tests.cli.conftest import Ran

Antiphon = Callable[..., Ran]


@pytest.fixture
def users(
    antiphon: Antiphon, _labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run ``antiphon users VERB PROJECT ARGUMENTS``; ``typed`` is what standard input holds."""
    import shutil

    project = Path(shutil.copytree(_labelled, tmp_path / "project"))

    def run(verb: str, *arguments: str, typed: str | None = None) -> Ran:
        if typed is not None:
            monkeypatch.setattr("sys.stdin", io.StringIO(typed))
            arguments = (*arguments, "--password-stdin")
        return antiphon("users", verb, str(project), *arguments)

    return run


def _accounts(users: Callable[..., Ran], tmp_path: Path) -> Accounts:
    return Accounts(ProjectFolder.open(tmp_path / "project").catalogue.database)


def test_the_first_account_is_a_manager_and_others_annotators(
    users: Callable[..., Ran], tmp_path: Path
) -> None:
    assert users("list").code == 0
    assert users("add", "mia", typed="correct horse battery\n").code == 0
    assert users("add", "ben", typed="another long password\r\n").code == 0
    assert users("add", "eve", "--role", "manager", typed="and one more of them").code == 0
    rows = users("list").rows("name")
    assert [row[:3] for row in rows] == [
        ["ben", "annotator", "active"],
        ["eve", "manager", "active"],
        ["mia", "manager", "active"],
    ]
    from antiphon.app.security.passwords import verify_password

    user = _accounts(users, tmp_path).user("ben")
    assert user is not None
    assert verify_password(user.password_hash, "another long password")


def test_roles_shutting_out_and_letting_in(users: Callable[..., Ran], tmp_path: Path) -> None:
    users("add", "mia", typed="correct horse battery")
    users("add", "ben", typed="another long password")
    assert "only manager" in users("disable", "mia").err
    assert users("role", "ben", "manager").code == 0
    assert users("disable", "mia").code == 0
    assert users("list").rows("name")[1][2] == "disabled"
    assert users("disable", "mia", "--undo").code == 0
    assert users("list").rows("name")[1][2] == "active"
    before = _accounts(users, tmp_path).user("ben")
    assert users("password", "ben", typed="a newer password").code == 0
    after = _accounts(users, tmp_path).user("ben")
    assert before is not None
    assert after is not None
    assert before.password_hash != after.password_hash


def test_what_is_refused(users: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "10 to 256" in users("add", "mia", typed="short").err
    assert users("list").out == "name\trole\tstate\tsince\n"
    users("add", "mia", typed="correct horse battery")
    assert "already" in users("add", "Mia", typed="correct horse battery").err
    assert "no account" in users("password", "ben", typed="correct horse battery").err
    assert "no account" in users("role", "ben", "manager").err
    assert users("role", "mia", "king").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    refused = users("add", "ben")
    assert refused.code == 2
    assert "--password-stdin" in refused.err
