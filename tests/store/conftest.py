"""Catalogues in SQLite and, where there is a server, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon.store.catalogue import Catalogue
from tests.store.databases import url

__all__ = ["url"]

Open = Callable[..., Catalogue]


@pytest.fixture
def open_catalogue(url: str | None, tmp_path: Path) -> Iterator[Open]:
    """Open the same catalogue each time, as another process would."""
    made: list[Catalogue] = []

    def open_it(**options: float) -> Catalogue:
        made.append(Catalogue.open(tmp_path / "catalogue.db", url, **options))
        return made[-1]

    yield open_it
    for catalogue in made:
        catalogue.close()


@pytest.fixture
def catalogue(open_catalogue: Open) -> Catalogue:
    return open_catalogue()
