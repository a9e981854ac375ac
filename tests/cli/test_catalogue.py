from __future__ import annotations

from collections.abc import Callable

import pytest

from antiphon.api import Project
from tests.cli.conftest import Ran
from tests.store.databases import fresh, needs_postgresql

Antiphon = Callable[..., Ran]


def test_where_the_catalogue_is(antiphon: Antiphon, labelled: Project) -> None:
    ran = antiphon("catalogue", labelled.path)
    assert ran.code == 0
    assert str(labelled.path / "catalogue.db") in ran.out.replace("\n", "")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///other.db", "moved to PostgreSQL only"),
        ("no url at all", "not a database URL"),
        ("postgresql://kim:secret@127.0.0.1:1/owls", "psycopg|cannot be reached"),
    ],
)
def test_where_it_cannot_go(antiphon: Antiphon, labelled: Project, url: str, sentence: str) -> None:
    import re

    ran = antiphon("catalogue", labelled.path, "--move-to", url)
    assert ran.code == 2
    assert re.search(sentence, ran.err.replace("\n", " "))
    assert "secret" not in ran.err
    assert "url" not in (labelled.path / "antiphon.toml").read_text()


@needs_postgresql
def test_a_project_goes_on_in_postgresql(antiphon: Antiphon, labelled: Project) -> None:
    project = labelled.path
    labelled.folder.close()
    spent = labelled.folder.catalogue.labels_spent()
    with fresh() as url:
        ran = antiphon("catalogue", project, "--move-to", url)
        assert ran.code == 0
        assert "16 recordings" in ran.out.replace("\n", " ")
        assert antiphon("train", project, "--name", "second").code == 0
        assert antiphon("detect", project).code == 0
        assert antiphon("status", project).code == 0
        moved = Project(project)
        assert moved.folder.catalogue.database.is_postgresql
        assert moved.folder.catalogue.labels_spent() == spent
        assert [row.name for row in moved.folder.catalogue.detectors()] == ["second"]
        moved.folder.close()
        assert antiphon("catalogue", project, "--move-to", url).code == 2
