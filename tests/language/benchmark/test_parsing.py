"""Answers as models write them, hand-worked."""

from __future__ import annotations

import pytest

from antiphon.language.benchmark.labels import LabelSet
from antiphon.language.benchmark.parsing import MEANING, from_scores, parse_one, parse_several

BIRDS = LabelSet(["Wood Thrush", "Song Sparrow", "Ovenbird", "Fin, Finback Whale", "None"])
CALLS = LabelSet(["call", "song"])


@pytest.mark.parametrize(
    ("text", "labels", "how"),
    [
        ("Wood Thrush", ("Wood Thrush",), "exact"),
        ("Fin, Finback Whale", ("Fin, Finback Whale",), "exact"),
        ("The focal species is the song sparrow.", ("Song Sparrow",), "sentence"),
        ("It is a Song Sparrow (Melospiza melodia).", ("Song Sparrow",), "sentence"),
        ("Answer: Ovenbird", ("Ovenbird",), "sentence"),
        ("It is most likely an Ovenbrd.", ("Ovenbird",), "sentence"),
        ("I hear an Ovenbird far away", ("Ovenbird",), "sentence"),
        ("It's not a Wood Thrush, I hear an Ovenbird", ("Ovenbird",), "sentence"),
        ("It is not a Wood Thrush but a Song Sparrow.", ("Song Sparrow",), "sentence"),
        ("Wood Thrush or Ovenbird", (), "several"),
        ("It is an Ovenbird. It is a Wood Thrush.", (), "several"),
        ('["Wood Thrush", "Ovenbird"]', (), "several"),
        ('{"label": "Ovenbird"}', ("Ovenbird",), "structured"),
        ('{"Ovenbird": 0.7, "Wood Thrush": 0.2}', ("Ovenbird",), "scores"),
        ("None", (), "nothing"),
        ("There is no bird.", (), "nothing"),
        ("asdf qwer", (), "unknown"),
        ("Great Tit", (), "unknown"),
        ("", (), "empty"),
        ("  \n", (), "empty"),
        ("...", (), "empty"),
        (None, (), "empty"),
        ("<|eot_id|>Ovenbird", (), "empty"),
    ],
)
def test_one_label(text, labels, how):
    found = parse_one(text, BIRDS)
    assert (found.labels, found.how) == (labels, how)
    assert found.answered == (how in ("nothing",) or bool(labels))
    assert how in MEANING


def test_words_of_the_question_do_not_stand_in_the_way():
    assert parse_one("The call type is song", CALLS).labels == ("song",)
    assert parse_one("The call is a song.", CALLS).labels == ("song",)
    assert parse_one("a song call", CALLS).how == "several"


def test_windows_of_a_recording_vote_for_one_label():
    text = "#0.00s - 10.00s#: song\n#10.00s - 20.00s#: call\n#20.00s - 30.00s#: song\n"
    assert parse_one(text, CALLS).labels == ("song",)
    assert parse_one(text[: text.index("#20")], CALLS).how == "tie"


@pytest.mark.parametrize(
    ("text", "labels", "others"),
    [
        ("Wood Thrush, Ovenbird", {"Wood Thrush", "Ovenbird"}, 0),
        ("Ovenbird,Wood Thrush", {"Wood Thrush", "Ovenbird"}, 0),
        ("1. Ovenbrd\n2. Wood Thrush\n", {"Wood Thrush", "Ovenbird"}, 0),
        ("Fin, Finback Whale, Ovenbird", {"Fin, Finback Whale", "Ovenbird"}, 0),
        ("Wood Thrush and Ovenbird", {"Wood Thrush", "Ovenbird"}, 0),
        ("Wood Thrush, Great Tit", {"Wood Thrush"}, 1),
        ("Wood Thrush, None", {"Wood Thrush"}, 0),
        ("I hear a Wood Thrush in the back, and wind in the trees", {"Wood Thrush"}, 0),
        ("No Ovenbird, but a Wood Thrush", {"Wood Thrush"}, 0),
        ("It is not a Wood Thrush but a Song Sparrow.", {"Song Sparrow"}, 0),
        ("Song Sparow", {"Song Sparrow"}, 0),
        ('{"species": ["Ovenbird", "Great Tit"]}', {"Ovenbird"}, 1),
        ('{"Ovenbird": 0.9, "Wood Thrush": 0.1}', {"Ovenbird"}, 0),
        ("#0.00s - 10.00s#: None\n#10.00s - 20.00s#: Ovenbird", {"Ovenbird"}, 0),
    ],
)
def test_several_labels(text, labels, others):
    found = parse_several(text, BIRDS)
    assert set(found.labels) == labels
    assert len(found.labels) == len(labels)
    assert len(found.others) == others
    assert found.answered


@pytest.mark.parametrize("text", ["None", "none.", "[]", "There are no birds here", "nothing"])
def test_nothing_is_an_answer(text):
    found = parse_several(text, BIRDS)
    assert (found.labels, found.how) == ((), "nothing")
    assert found.answered


@pytest.mark.parametrize("text", ["", None, "asdf", "Great Tit, Blue Tit", "I do not know"])
def test_junk_is_no_answer_and_not_nothing(text):
    found = parse_several(text, BIRDS)
    assert found.labels == ()
    assert not found.answered


def test_the_best_score_wins_and_ties_are_no_answer():
    assert from_scores({"call": -0.1, "song": -2.0}, CALLS, one=True).labels == ("call",)
    assert from_scores({"call": 0.5, "song": 0.5}, CALLS, one=True).how == "tie"
    assert from_scores({"call": 0.2, "None": 0.8}, CALLS, one=True).labels == ()
    assert from_scores({"dog": 1.0}, CALLS, one=True).how == "unknown"
    assert from_scores({"call": 0.7, "song": 0.6}, CALLS, one=False).labels == ("call", "song")
