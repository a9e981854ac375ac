"""Databases for tests: a file of SQLite and, where there is a server, PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

URL = os.environ.get("ANTIPHON_TEST_DATABASE")
"""A database of a PostgreSQL server whose user may make further ones."""

KINDS = ("sqlite", "postgresql") if URL else ("sqlite",)
"""For fixtures: where there is a server, their tests run on it as well."""

needs_postgresql = pytest.mark.skipif(
    URL is None, reason="needs PostgreSQL: its URL in ANTIPHON_TEST_DATABASE"
)


@contextmanager
def fresh() -> Iterator[str]:
    """Make an empty database, and drop it afterwards whoever still has it open."""
    assert URL is not None
    url = make_url(URL)
    name = f"{url.database}_{uuid.uuid4().hex[:12]}"
    run(URL, f'CREATE DATABASE "{name}"')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        run(URL, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of an empty database, None for a file."""
    if request.param == "sqlite":
        yield None
        return
    with fresh() as made:
        yield made


def run(url: str, statement: str) -> None:
    """Run a statement outside a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
