"""bench language, as a user calls it."""

from __future__ import annotations

import json

import pytest

from tests.language.benchmark.made import write_jsonl

QUICK = ("--resamples", 20)


@pytest.fixture
def files(tmp_path):
    truths = [
        {"id": "1", "dataset_name": "dcase", "output": "Ovenbird, Veery"},
        {"id": "2", "dataset_name": "dcase", "output": "None"},
        {"id": "3", "dataset_name": "call-type", "output": "song"},
    ]
    said = [
        {"id": "1", "dataset_name": "dcase", "prediction": "Veery, Ovenbird"},
        {"id": "2", "dataset_name": "dcase", "prediction": "None"},
        {"id": "3", "dataset_name": "call-type", "prediction": "Gesang"},
        {"id": "9", "dataset_name": "call-type", "prediction": "call"},
    ]
    (tmp_path / "syn.csv").write_text("name,label\nGesang,song\n")
    write_jsonl(tmp_path / "truths.jsonl", truths)
    write_jsonl(tmp_path / "mine.jsonl", said)
    write_jsonl(tmp_path / "other.jsonl", [{**row, "prediction": "asdf"} for row in said[:3]])
    write_jsonl(tmp_path / "corpus.jsonl", [{"id": "x", "url": "https://a.org/b"}])
    return tmp_path


def test_from_answers_to_a_report(antiphon, files):
    ran = antiphon(
        "bench", "language", files / "mine.jsonl", files / "other.jsonl", "--references",
        files / "truths.jsonl", "--synonyms", files / "syn.csv", "--corpus", files / "corpus.jsonl",
        "--out", files / "out", *QUICK,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    rows = {(row[0], row[1]): row for row in ran.rows("component")}
    assert rows["dcase", "mine"][2:4] == ["macro F1", "1.000 [1.000, 1.000]"]
    assert rows["call-type", "mine"][3] == "1.000"
    assert rows["dcase", "other"][3].startswith("0.000")
    assert "mine: 1 rows not used: each has an id that no reference has." in ran.err
    assert (files / "out" / "report.html").is_file()
    assert "dcase: mine - other: +1.000" in ran.out


def test_one_component_as_json(antiphon, files):
    given = (
        "--references",
        files / "truths.jsonl",
        "--component",
        "dcase",
        "--name",
        "M",
        "--json",
    )
    ran = antiphon("bench", "language", files / "mine.jsonl", *given, *QUICK)
    assert ran.code == 0, ran.err
    body = json.loads(ran.out)
    assert [(r["model"], r["component"]) for r in body["results"]] == [("M", "dcase")]


def test_a_file_that_carries_its_truths_needs_nothing_else(antiphon, files):
    rows = [{"prediction": "song", "label": "song", "dataset_name": "call-type"}] * 3
    path = write_jsonl(files / "own.jsonl", rows)
    ran = antiphon("bench", "language", path, *QUICK)
    assert ran.code == 0, ran.err
    assert ran.rows("component")[0][3] == "1.000 [1.000, 1.000]"


def test_the_components_are_listed(antiphon):
    assert len(antiphon("bench", "language", "--components").rows("name")) == 22
    assert json.loads(antiphon("bench", "language", "--components", "--json").out)[0]["name"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Which answers?"),
        (["mine.jsonl"], "carries no truths"),
        (["none.jsonl"], "no such file"),
        (["mine.jsonl", "--references", "truths.jsonl", "--data", "."], "not both"),
        (["mine.jsonl", "--references", "truths.jsonl", "--component", "dcas"], "'dcase'"),
        (["mine.jsonl", "--references", "truths.jsonl", "--corpus-audio"], "add --corpus"),
        (["mine.jsonl", "--name", "a", "--name", "b"], "but 2 names"),
        (["corpus.jsonl", "--references", "truths.jsonl"], "holds no answers"),
    ],
)
def test_mistakes_are_told_in_a_sentence(antiphon, files, monkeypatch, arguments, said):
    monkeypatch.chdir(files)
    ran = antiphon("bench", "language", *arguments)
    assert ran.code == 2
    assert said in ran.err
