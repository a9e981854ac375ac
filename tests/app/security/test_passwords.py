from __future__ import annotations

import importlib

import pytest

from antiphon.app.security import passwords
from antiphon.errors import UserError


@pytest.fixture
def strong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests that people get, in place of the tests' quick ones."""
    fresh = importlib.util.module_from_spec(passwords.__spec__)  # type: ignore[attr-defined]
    passwords.__spec__.loader.exec_module(fresh)  # type: ignore[union-attr]
    monkeypatch.setattr(passwords, "_hasher", fresh._hasher)
    monkeypatch.setattr(passwords, "_nobody", fresh._nobody)


@pytest.mark.usefixtures("strong")
def test_digests_are_argon2id_with_the_settings_of_rfc_9106() -> None:
    digest = passwords.hash_password("correct horse battery")
    assert digest.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords._nobody().startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not passwords.outdated(digest)
    assert passwords.verify_password(digest, "correct horse battery")
    assert not passwords.verify_password(digest, "correct horse batterz")
    assert digest != passwords.hash_password("correct horse battery")


def test_nobody_has_no_password() -> None:
    assert not passwords.verify_password(None, "nobody's password")
    assert not passwords.verify_password("not a digest", "x" * 10)
    assert not passwords.verify_password("", "x" * 10)


@pytest.mark.parametrize("password", ["", "123456789", "x" * 257])
def test_lengths_that_are_refused(password: str) -> None:
    with pytest.raises(UserError, match="10 to 256"):
        passwords.hash_password(password)


def test_the_name_is_no_password() -> None:
    with pytest.raises(UserError, match="must not be the name"):
        passwords.hash_password("Maximiliana", "maximiliana")


def test_a_longer_password_is_not_cut_to_one_that_fits() -> None:
    digest = passwords.hash_password("x" * 256)
    assert passwords.verify_password(digest, "x" * 256)
    assert not passwords.verify_password(digest, "x" * 257)
    assert not passwords.verify_password(digest, "x" * 2000)
