from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FileError, FormatError
from antiphon.language.benchmark.references import read_references
from tests.language.benchmark.made import references, write_jsonl

FIELDS = {
    "source_dataset": "Xeno-canto",
    "created_at": "2025-03-13",
    "file_name": "XC1234.wav",
    "instruction": "<Audio> Which?",
    "instruction_text": "Which?",
    "license": "CC-BY-NC",
}


def beans_zero(**own) -> dict[str, object]:
    return {**FIELDS, "metadata": json.dumps({"url": "https://xeno-canto.org/1234"}), **own}


def test_rows_of_the_published_fields_from_parquet(tmp_path):
    rows = [
        beans_zero(id="1", dataset_name="dcase", task="detection", output="Ovenbird, Veery"),
        beans_zero(id="2", dataset_name="dcase", task="detection", output="None"),
        beans_zero(
            id="1", dataset_name="unseen-family-sci", task="x", output="Alytes obstetricans"
        ),
        beans_zero(id="9", dataset_name="captioning", task="captioning", output="A frog, calling."),
    ]
    for row in rows:
        row["audio"] = [0.0, 0.5]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "shard_0.parquet")
    found = read_references(tmp_path)
    assert list(found.components) == ["dcase", "unseen-family-sci", "captioning"]
    assert len(found) == 4
    dcase = found.components["dcase"]
    assert dcase.task == "detection"
    assert [row.truth for row in dcase.rows] == [("Ovenbird", "Veery"), ()]
    assert dcase.labels == ("Ovenbird", "Veery")
    assert dcase.licences == {"CC-BY-NC": 2}
    assert dcase.rows[0].facts["url"] == "https://xeno-canto.org/1234"
    assert found.components["unseen-family-sci"].task == "classification"
    assert found.components["captioning"].rows[0].truth == ("A frog, calling.",)


def test_a_label_with_a_comma_is_one_label(tmp_path):
    rows = [{"id": "1", "dataset_name": "watkins", "output": "Fin, Finback Whale"}]
    found = read_references(write_jsonl(tmp_path / "r.jsonl", rows))
    assert found.components["watkins"].rows[0].truth == ("Fin, Finback Whale",)
    (tmp_path / "labels.json").write_text('{"whales": ["Fin, Finback Whale", "Beluga"]}')
    rows = [
        {"id": "1", "dataset_name": "whales", "task": "detection", "output": "Beluga, Fin, "
         "Finback Whale"},
    ]  # fmt: skip
    found = read_references(write_jsonl(tmp_path / "r.jsonl", rows))
    assert set(found.components["whales"].rows[0].truth) == {"Beluga", "Fin, Finback Whale"}


def test_words_for_nothing_survive_csv(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("file_name,task,label\na.wav,detection,None\nb.wav,detection,NaN\nc.wav,,\n")
    found = read_references(path)
    (component,) = found.components.values()
    assert component.name == "mine"
    assert [row.truth for row in component.rows] == [(), ("NaN",)]
    assert [r.reason for r in found.rejected] == ["has no truth (null, NaN or an empty cell)"]


def test_the_published_configuration_gives_labels_and_nothing(tmp_path):
    config = {
        "metadata": {
            "components": [
                {"name": "frogs", "task": "detection", "labels": ["a", "b"], "unknown_label": None}
            ]
        }
    }
    (tmp_path / "beans_zero_dataset_config.json").write_text(json.dumps(config))
    write_jsonl(tmp_path / "r.jsonl", [{"id": "1", "dataset_name": "frogs", "output": "c"}])
    frogs = read_references(tmp_path).components["frogs"]
    assert frogs.task == "detection"
    assert frogs.labels == ("a", "b", "c")
    assert "1 true labels are not in the given label set" in frogs.notes[0]


def test_lists_make_a_set_of_several_labels(tmp_path):
    rows = [{"id": "1", "labels": ["a", "b"]}, {"id": "2", "labels": []}]
    (mine,) = read_references(write_jsonl(tmp_path / "r.jsonl", rows)).components.values()
    assert mine.task == "detection"
    assert [row.truth for row in mine.rows] == [("a", "b"), ()]


def test_captions_of_one_id_are_several_references():
    rows = [("1", "A frog."), ("1", "One frog calls."), ("2", "A bird.")]
    (mine,) = references(rows, "captioning").components.values()
    assert [row.truth for row in mine.rows] == [("A frog.", "One frog calls."), ("A bird.",)]


def test_an_id_with_two_truths_is_an_error_and_one_repeated_is_counted():
    with pytest.raises(FormatError, match="there twice, as Ovenbird and as Veery"):
        references([("1", "Ovenbird"), ("1", "Veery")])
    found = references([("1", "Ovenbird"), ("1", "Ovenbird")])
    assert [r.reason for r in found.rejected] == ["is there twice, with the same truth"]


def test_groups_are_what_all_rows_have():
    rows = [("1", "a"), ("2", "b"), ("3", "a")]
    (mine,) = references(rows, groups=["x", "x", "y"]).components.values()
    assert mine.groups() == ("group", ["x", "x", "y"])
    (mine,) = references(rows).components.values()
    assert mine.groups() == ("row", ["row 0", "row 1", "row 2"])
    assert mine.groups("site")[0] == "row"


def test_nothing_to_read_is_an_error(tmp_path):
    path = write_jsonl(tmp_path / "r.jsonl", [{"output": "a"}])
    with pytest.raises(FileError, match=r"no row with an id and a truth \(has no id"):
        read_references(path)
    (tmp_path / "labels.json").write_text("[1]")
    with pytest.raises(FormatError, match="holds no label sets"):
        read_references(path)
