from __future__ import annotations

import pytest

from antiphon.app.security import passwords


@pytest.fixture(autouse=True)
def quick_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make digests of passwords with little memory; test_passwords.py makes its own."""
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    nobody = quick.hash("nobody's password")
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    monkeypatch.setattr(passwords, "_nobody", lambda: nobody)
