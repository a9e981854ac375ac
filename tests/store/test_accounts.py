"""Accounts and sessions of the web app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from antiphon.errors import UserError
from antiphon.store.accounts import Accounts
from antiphon.store.catalogue import Catalogue
from antiphon.store.schema import LoginSession
from antiphon.store.work import now


@pytest.fixture
def accounts(catalogue: Catalogue) -> Accounts:
    return Accounts(catalogue.database)


SOON = timedelta(hours=1)


def test_an_account_is_found_by_its_name(accounts: Accounts) -> None:
    assert accounts.count() == 0
    kim = accounts.add_user(" Kim ", "hash", "manager")
    assert (kim.name, kim.password_hash, kim.role, kim.disabled) == (
        "Kim",
        "hash",
        "manager",
        False,
    )
    accounts.add_user("Änne", "other")
    assert accounts.user("Kim") == kim
    assert accounts.user("kim") is None
    assert [user.name for user in accounts.users()] == ["Kim", "Änne"]
    assert accounts.count() == 2


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\0b"])
def test_a_name_must_be_one(accounts: Accounts, name: str) -> None:
    with pytest.raises(UserError, match="cannot be a user's name"):
        accounts.add_user(name, "hash")
    assert accounts.count() == 0


def test_names_differ_by_more_than_case(accounts: Accounts) -> None:
    accounts.add_user("Kim", "hash")
    with pytest.raises(UserError, match="account 'Kim' already"):
        accounts.add_user("kIM", "hash")
    with pytest.raises(UserError, match="no role 'boss'"):
        accounts.add_user("Lee", "hash", "boss")


def test_there_is_always_a_manager(accounts: Accounts) -> None:
    accounts.add_user("Kim", "hash", "manager")
    accounts.add_user("Lee", "hash")
    for change in (
        lambda: accounts.set_role("Kim", "annotator"),
        lambda: accounts.set_disabled("Kim", True),
    ):
        with pytest.raises(UserError, match="only manager"):
            change()
    assert accounts.set_role("Lee", "manager").role == "manager"
    assert accounts.set_disabled("Kim", True).disabled
    with pytest.raises(UserError, match="only manager"):
        accounts.set_role("Lee", "annotator")
    assert not accounts.set_disabled("Kim", False).disabled
    for missing in (
        lambda: accounts.set_role("Max", "manager"),
        lambda: accounts.set_disabled("Max", True),
        lambda: accounts.set_password_hash("Max", "x"),
    ):
        with pytest.raises(UserError, match="no account 'Max'"):
            missing()


def test_a_session_ends(accounts: Accounts, catalogue: Catalogue) -> None:
    kim = accounts.add_user("Kim", "hash")
    session = accounts.add_session(kim.id, "digest", "csrf", now() + SOON)
    assert accounts.session("digest") == session
    assert (session.user, session.csrf) == (kim, "csrf")
    assert accounts.session("other") is None
    accounts.extend_session("digest", now() - SOON)
    assert accounts.session("digest") is None
    # What has ended is cleared away when the next one begins.
    accounts.add_session(kim.id, "second", "csrf", now() + SOON)
    with catalogue.database.read() as connection:
        count = select(func.count()).select_from(LoginSession)
        assert connection.execute(count).scalar_one() == 1
    accounts.end_session("second")
    assert accounts.session("second") is None


def test_times_with_a_zone_are_understood(accounts: Accounts) -> None:
    kim = accounts.add_user("Kim", "hash")
    end = datetime.now(timezone(timedelta(hours=9))) + SOON
    session = accounts.add_session(kim.id, "digest", "csrf", end)
    assert session.expires_at == end.astimezone(UTC).replace(tzinfo=None)


def test_a_new_password_and_being_shut_out_end_sessions(accounts: Accounts) -> None:
    accounts.add_user("Kim", "hash", "manager")
    lee = accounts.add_user("Lee", "hash")
    for end in (
        lambda: accounts.set_password_hash("Lee", "new"),
        lambda: accounts.set_disabled("Lee", True),
        lambda: accounts.end_sessions(lee.id),
    ):
        accounts.set_disabled("Lee", False)
        accounts.add_session(lee.id, "digest", "csrf", now() + SOON)
        end()
        assert accounts.session("digest") is None
    accounts.set_disabled("Lee", False)
    accounts.add_session(lee.id, "digest", "csrf", now() + SOON)
    accounts.set_password_hash("Lee", "same in a newer kind", keep_sessions=True)
    found = accounts.session("digest")
    assert found is not None
    assert found.user.password_hash == "same in a newer kind"
    assert accounts.set_role("Lee", "manager").role == accounts.session("digest").user.role
    accounts.set_disabled("Lee", True)
    with pytest.raises(UserError, match="disabled"):
        accounts.add_session(lee.id, "late", "csrf", now() + SOON)
