"""Projects for answers and queues, in SQLite and, where there is one, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.store.project import ProjectFolder
from tests.pipeline.annotate.making import make
from tests.store.databases import url

__all__ = ["url"]


@pytest.fixture
def folder(url: str | None, tmp_path: Path) -> Iterator[ProjectFolder]:
    """A project of ten recordings and the labels dove, finch and toad."""
    made = make(tmp_path, url)
    yield made
    made.close()
