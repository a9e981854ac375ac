from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.language.taxonomy.checklists.detect import open_checklists
from tests.language.taxonomy import replicas


def test_kinds_names_and_order(tmp_path):
    birds = replicas.ebird(tmp_path / "birds.csv")
    backbone = replicas.backbone(tmp_path / "b.zip")
    simple = replicas.simple(tmp_path / "s.txt.gz")
    readers = open_checklists(
        [birds, backbone, simple, Path(f"own={backbone}")], versions={"gbif-2": "1", "own": "2"}
    )
    assert [reader.name for reader in readers] == ["ebird", "gbif", "gbif-2", "own"]
    assert [reader.version for reader in readers] == ["", "2023-08-28", "1", "2"]


def test_what_does_not_fit(tmp_path):
    backbone = replicas.backbone(tmp_path / "b.zip")
    with pytest.raises(FileError, match="is not there"):
        open_checklists([tmp_path / "none.zip"])
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(FormatError, match="no checklist that is known"):
        open_checklists([tmp_path / "x.csv"])
    with pytest.raises(UserError, match="given for ebird, but the checklists are gbif"):
        open_checklists([backbone], versions={"ebird": "2024"})
    with pytest.raises(UserError, match="no eBird table"):
        open_checklists([backbone], translations={"de": tmp_path / "x.csv"})
    with pytest.raises(UserError, match="none is given"):
        open_checklists([replicas.ebird(tmp_path / "e.csv")], common=tmp_path / "x.csv")
