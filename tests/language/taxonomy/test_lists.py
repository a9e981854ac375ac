from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.language.taxonomy import lists
from antiphon.language.taxonomy.lists import read_names, resolve_file

NAMES = ["Parus major", "Parus caeruleus", "", "Oenanthe"]


def names_of(path, column=None):
    return [name for part in read_names(path, column) for name in part.to_pylist()]


def test_lists_of_all_kinds(tmp_path):
    (tmp_path / "n.txt").write_text("\ufeff" + "\n".join(NAMES) + "\n", encoding="utf-8")
    (tmp_path / "n.csv").write_text("id,Scientific_Name\n" + "".join(f"1,{n}\n" for n in NAMES))
    (tmp_path / "n.tsv").write_text("bird\tid\n" + "".join(f"{n}\t1\n" for n in NAMES))
    pq.write_table(pa.table({"taxon": NAMES}), tmp_path / "n.parquet")
    for name, column in (("n.txt", None), ("n.csv", None), ("n.tsv", "bird"), ("n.parquet", None)):
        assert names_of(tmp_path / name, column) == NAMES


def test_wrong_lists(tmp_path, gbif):
    (tmp_path / "n.csv").write_text("id,bird\n1,x\n")
    with pytest.raises(FormatError, match=r"has no column for names \(.*\); it has id, bird"):
        names_of(tmp_path / "n.csv")
    with pytest.raises(FormatError, match="has no column 'tit'"):
        names_of(tmp_path / "n.csv", "tit")
    with pytest.raises(FileError, match="cannot be read"):
        names_of(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(FileError, match="holds no names"):
        resolve_file(gbif, tmp_path / "empty.txt", tmp_path / "out.csv")
    with pytest.raises(UserError, match=r"\.csv or \.parquet"):
        resolve_file(gbif, tmp_path / "empty.txt", tmp_path / "out.xlsx")
    assert not (tmp_path / "out.csv").exists()


def test_files_in_parts(tmp_path, gbif, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 3)
    (tmp_path / "n.txt").write_text("\n".join(NAMES) + "\n")
    for out in (tmp_path / "out.csv", tmp_path / "out.parquet"):
        counts = resolve_file(gbif, tmp_path / "n.txt", out)
        assert counts == {"exact": 1, "synonym": 1, "homonym": 1, "suggestion": 0, "unknown": 1}
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [row["given"] for row in rows] == NAMES
    assert rows[1]["name"] == "Cyanistes caeruleus"
    assert rows[3]["alternatives"] == "Oenanthe (Animalia, genus); Oenanthe (Plantae, genus)"
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("alternatives").to_pylist()[3] == rows[3]["alternatives"].split("; ")
    assert "row" not in table.column_names
