from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FileError, FormatError
from antiphon.language.benchmark.rows import missing, read_rows, tables_in, text_of

TABLE = pa.table({"id": ["a", "b"], "output": ["None", None], "audio": [[0.0] * 9, [1.0]]})


def values(path, columns=("id", "output")):
    return [row for _, row in read_rows(path, columns)]


def test_none_and_nan_survive_csv(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text('id,output\n1,None\n2,NaN\n3,NA\n4,\n"5","a, b"\n', encoding="utf-8")
    assert [row["output"] for row in values(path)] == ["None", "NaN", "NA", "", "a, b"]


def test_columns_that_are_not_asked_for_are_not_read(tmp_path):
    pq.write_table(TABLE, tmp_path / "r.parquet")
    expected = [{"id": "a", "output": "None"}, {"id": "b", "output": None}]
    assert values(tmp_path / "r.parquet") == expected
    for name, writer in (("s.arrow", pa.ipc.new_stream), ("f.arrow", pa.ipc.new_file)):
        with pa.OSFile(str(tmp_path / name), "wb") as file, writer(file, TABLE.schema) as out:
            out.write_table(TABLE)
        assert values(tmp_path / name) == expected


def test_jsonl_keeps_null_apart_from_words(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": "a", "output": null}\n\n{"id": "b", "output": NaN}\n{"id": "c"}\n')
    rows = list(read_rows(path, ["id", "output"]))
    assert [where for where, _ in rows] == ["line 1", "line 3", "line 4"]
    assert [missing(row.get("output")) for _, row in rows] == [True, True, True]
    assert not missing("NaN")
    assert text_of("NaN") == "NaN"
    assert text_of(float("nan")) is text_of("  ") is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", "{}\nno\n", "line 2 is not JSON"),
        ("a.jsonl", "[]\n", "line 1 is no JSON object"),
        ("a.csv", "id,id\n", "two columns 'id'"),
        ("a.csv", "id,output\n1,a,b\n", "line 2 has 3 cells"),
        ("a.parquet", "no table", "cannot be read"),
        ("a.xls", "", "not known"),
    ],
)
def test_mistakes_name_the_line(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises((FormatError, FileError), match=said):
        list(read_rows(tmp_path / name, ["id"]))


def test_a_missing_file_and_a_folders_tables(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        list(read_rows(tmp_path / "a.csv", ["id"]))
    (tmp_path / "data").mkdir()
    (tmp_path / ".cache").mkdir()
    for name in ("data/b.csv", "a.jsonl", ".cache/c.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in tables_in(tmp_path)] == ["a.jsonl", "b.csv"]
