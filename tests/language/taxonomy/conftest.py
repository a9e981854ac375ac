from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.language.taxonomy.checklists.detect import open_checklists
from antiphon.language.taxonomy.compile import compile_taxonomy
from antiphon.language.taxonomy.lookup import Taxonomy
from tests.language.taxonomy import replicas


@pytest.fixture(scope="session")
def gbif(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    """A few taxa of GBIF's archive, compiled."""
    folder = tmp_path_factory.mktemp("gbif")
    out = folder / "taxonomy.zip"
    compile_taxonomy(open_checklists([replicas.backbone(folder / "backbone.zip")]), out)
    return Taxonomy.open(out)


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    """eBird's taxa before GBIF's."""
    folder = tmp_path_factory.mktemp("both")
    birds = replicas.ebird(folder / "eBird_taxonomy_v2024.csv")
    archive = replicas.backbone(folder / "backbone.zip")
    compile_taxonomy(open_checklists([birds, archive]), folder / "taxonomy.zip")
    return Taxonomy.open(folder / "taxonomy.zip")


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Taxonomy]:
    """Compile rows of ``replicas.TAXA``'s form."""

    def make(*rows: tuple[object, ...]) -> Taxonomy:
        archive = replicas.backbone(tmp_path / "own.zip", list(rows))
        compile_taxonomy(open_checklists([archive]), tmp_path / "own-taxonomy.zip")
        return Taxonomy.open(tmp_path / "own-taxonomy.zip")

    return make
