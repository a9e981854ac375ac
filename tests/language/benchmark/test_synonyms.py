from __future__ import annotations

import pytest

from antiphon.errors import FileError, FormatError
from antiphon.language.benchmark.synonyms import read_synonyms


def test_names_from_tables_and_json(tmp_path):
    (tmp_path / "s.csv").write_text("name,label\nTurdus merula,Blackbird\n")
    assert read_synonyms(tmp_path / "s.csv") == {"Turdus merula": "Blackbird"}
    (tmp_path / "s.json").write_text('{"Blackbird": ["Turdus merula", "Amsel"], "Merle": "X"}')
    assert read_synonyms(tmp_path / "s.json") == {
        "Turdus merula": "Blackbird",
        "Amsel": "Blackbird",
        "Merle": "X",
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.csv", "name,label\na,\n", "lacks a name or its label"),
        ("s.csv", "name,label\na,b\na,c\n", "'a' is given for 'b' and for 'c'"),
        ("s.csv", "name,label\n", "holds no names"),
        ("s.json", '{"a": 1}', "neither a label nor a list"),
        ("s.json", "[]", "is no JSON object"),
        ("s.json", "{", "is not JSON"),
    ],
)
def test_mistakes_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=said):
        read_synonyms(tmp_path / name)


def test_a_missing_file(tmp_path):
    for name in ("s.json", "s.csv"):
        with pytest.raises(FileError, match="no such file"):
            read_synonyms(tmp_path / name)
