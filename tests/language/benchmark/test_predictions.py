from __future__ import annotations

import pytest

from antiphon.errors import FormatError
from antiphon.language.benchmark.predictions import read_predictions
from antiphon.language.benchmark.questions import by_question
from tests.language.benchmark.made import model, references, write_jsonl

NATURELM = {"prompt": "<Audio> What?", "lora_scale": 1.0, "dataset_name": "cbi"}


def test_naturelm_audios_file_of_a_run_carries_all_that_is_needed(tmp_path):
    rows = [
        {"prediction": "Ovenbird", "label": "Ovenbird", "id": "79e3", **NATURELM},
        {"prediction": None, "label": "Veery", "id": "09f0", **NATURELM},
    ]
    found = read_predictions(write_jsonl(tmp_path / "out.jsonl", rows), "NatureLM-audio")
    assert [(a.id, a.component, a.text) for a in found.answers] == [
        ("79e3", "cbi", "Ovenbird"),
        ("09f0", "cbi", ""),
    ]
    assert "1 answers are null or NaN" in found.notes[0]
    own = found.own_references()
    assert [row.truth for row in own.components["cbi"].rows] == [("Ovenbird",), ("Veery",)]


def test_naturelm_audios_file_of_a_folder_is_joined_by_file_name(tmp_path):
    rows = [{"audio_path": "/data/x/a.wav", "output": "#0.00s - 10.00s#: Ovenbird\n"}]
    found = read_predictions(write_jsonl(tmp_path / "inference_output.jsonl", rows))
    given, unused = by_question(found, references([("a.wav", "Ovenbird"), ("b.wav", "Veery")]))
    assert list(given["enabirds"]) == ["a.wav"]
    assert not unused


def test_scores_in_all_their_shapes(tmp_path):
    rows = [
        {"id": "1", "scores": {"a": -0.5, "b": None}},
        {"id": "2", "scores": [{"label": "a", "score": 0.25}]},
        {"id": "3", "scores": [["a", 1]], "text": "a"},
    ]
    found = read_predictions(write_jsonl(tmp_path / "p.jsonl", rows))
    assert [a.scores for a in found.answers] == [{"a": -0.5}, {"a": 0.25}, {"a": 1.0}]
    assert [a.text for a in found.answers] == [None, None, "a"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "1", "scores": 3}, "line 1: its scores are no object"),
        ({"id": "1", "scores": {"a": "x"}}, "the score of 'a' is 'x'"),
        ({"id": "1", "scores": {"a": float("inf")}}, "the score of 'a' is inf"),
        ({"id": "1", "scores": "{no"}, "its scores are not JSON"),
        ({"id": "1"}, "holds no answers .has neither an answer"),
    ],
)
def test_what_cannot_be_an_answer_is_named(tmp_path, row, said):
    with pytest.raises(FormatError, match=said):
        read_predictions(write_jsonl(tmp_path / "p.jsonl", [row]))


def test_none_and_nan_as_words_survive_csv(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,text\n1,None\n2,NaN\n3,\n")
    assert [a.text for a in read_predictions(path).answers] == ["None", "NaN", ""]


def test_a_list_as_an_answer_is_read_as_one(tmp_path):
    path = write_jsonl(tmp_path / "p.jsonl", [{"id": "1", "answer": ["a", "b"]}])
    assert read_predictions(path).answers[0].text == '["a", "b"]'


def test_answers_without_a_question_are_counted():
    given, unused = by_question(model("m", {"1": "a", "7": "b"}), references([("1", "a")]))
    assert list(given["enabirds"]) == ["1"]
    assert [r.reason for r in unused] == ["has an id that no reference has"]
    _, unused = by_question(model("m", {"1": "a"}, "cbi"), references([("1", "a")]))
    assert unused[0].reason == "is of cbi, which has no references"


def test_one_question_has_one_answer(tmp_path):
    twice = [{"id": "1", "text": "a"}, {"id": "1", "text": "b"}]
    truths = references([("1", "a")])
    with pytest.raises(FormatError, match=r"line 2: '1' has another answer in line 1"):
        by_question(read_predictions(write_jsonl(tmp_path / "p.jsonl", twice)), truths)
    same = write_jsonl(tmp_path / "p.jsonl", [twice[0], twice[0]])
    assert by_question(read_predictions(same), truths)[1][0].reason.startswith("is there twice")


def test_an_id_of_two_components_needs_the_component(tmp_path):
    truths = references([("1", "a")])
    more = references([("1", "b")], "cbi")
    both = type(truths)({**truths.components, **more.components})
    path = write_jsonl(tmp_path / "p.jsonl", [{"id": "1", "text": "a"}])
    with pytest.raises(FormatError, match=r"names 2 questions \(cbi, enabirds"):
        by_question(read_predictions(path), both)


def test_files_without_ids_follow_their_own_order(tmp_path):
    rows = [
        {"prediction": "a", "label": "a", "dataset_name": "esc50"},
        {"prediction": "a", "label": "b", "dataset_name": "esc50"},
    ]
    first = read_predictions(write_jsonl(tmp_path / "p.jsonl", rows))
    own = first.own_references()
    assert [len(v) for v in by_question(first, own)[0].values()] == [2]
    turned = read_predictions(write_jsonl(tmp_path / "q.jsonl", rows[::-1]))
    with pytest.raises(FormatError, match="its label is 'b', that of question 1 is 'a'"):
        by_question(turned, own)


def test_answers_without_truths_cannot_be_their_own_references():
    with pytest.raises(FormatError, match="carries no truths"):
        model("m", {"1": "a"}).own_references()
