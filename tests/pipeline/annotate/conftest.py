"""Projects for answers and queues, in SQLite and, where there is one, in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.store.project import ProjectFolder
from tests.pipeline.annotate.making import empty, make

URL = os.environ.get("ANTIPHON_TEST_DATABASE")
"""An empty PostgreSQL database, where there is one: all tests of this folder run on it as well."""


@pytest.fixture(params=["sqlite", "postgresql"] if URL else ["sqlite"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProjectFolder]:
    """A project of ten recordings and the labels dove, finch and toad."""
    url = URL if request.param == "postgresql" else None
    if url is not None:
        empty(url)
    made = make(tmp_path, url)
    yield made
    made.close()
