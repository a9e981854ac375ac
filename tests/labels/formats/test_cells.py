from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.labels.formats.cells import join_answers, join_labels, parse_answer, split_labels
from tests.labels.formats.examples import labels


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", []),
        ("  ", []),
        ("wren", ["wren"]),
        ("wren; robin ;blackbird", ["wren", "robin", "blackbird"]),
        ("wren;;wren;", ["wren"]),
        ('"a; b"; c', ["a; b", "c"]),
        ('say "hi"', ['say "hi"']),
        ('"open; end', ['"open', "end"]),
        ('-"a"?', ['-"a"?']),
    ],
)
def test_split_labels(cell: str, expected: list[str]) -> None:
    assert split_labels(cell) == expected


@given(st.lists(labels(), unique=True))
def test_joined_labels_are_split_into_the_same(names: list[str]) -> None:
    assert split_labels(join_labels(names)) == names
    assert parse_answer(join_answers(names)) == [(name, "present") for name in names]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", []),
        (" ; ", []),
        ("A; B", [("A", "present"), ("B", "present")]),
        ("-A", [("A", "absent")]),
        ("- A ; B ?", [("A", "absent"), ("B", "unsure")]),
        ("nothing", [(None, "absent")]),
        (" None ", [(None, "absent")]),
        ("A; A", [("A", "present")]),
        ('"-A"; "B?"', [("-A", "present"), ("B?", "present")]),
        ('-"-A"', [("-A", "absent")]),
        ('"B?"?', [("B?", "unsure")]),
        ('"nothing"', [("nothing", "present")]),
        ("Black-headed gull", [("Black-headed gull", "present")]),
    ],
)
def test_answers(cell: str, expected: list[tuple[str | None, str]]) -> None:
    assert parse_answer(cell) == expected


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("A; -A", "present and absent"),
        ("A; A?", "present and unsure"),
        ("-A?", "absent and unsure"),
        ("-", "without a label"),
        ("A; ?", "without a label"),
        ("A; nothing", "beside labels"),
        ("-nothing", "no meaning"),
        ("none?", "no meaning"),
        ("#NAME?", "formula"),
    ],
)
def test_answers_that_cannot_be_meant(cell: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_answer(cell)
