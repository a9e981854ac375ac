from __future__ import annotations

import pytest

from antiphon.language.benchmark.structured import read_structured


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('["a", "b"]', ("a", "b")),
        ("['a', 'b']", ("a", "b")),
        ('{"label": "a"}', ("a",)),
        ('{"species": ["a", "b"], "reason": "loud"}', ("a", "b")),
        ('{"detections": [{"label": "a", "start": 1.0}, {"label": "b"}]}', ("a", "b")),
        ('[{"name": "a", "present": true}, {"name": "b", "present": false}]', ("a",)),
        ('```json\n{"answer": "a"}\n```', ("a",)),
        ('Answer: {"answer": "a"}', ("a",)),
        ('{"anything": "a"}', ("a",)),
        ("[]", ()),
        ('{"labels": null}', ()),
    ],
)
def test_names_of_a_structured_answer(text, names):
    found = read_structured(text)
    assert found is not None
    assert (found.names, found.scores) == (names, None)


def test_an_object_of_numbers_or_truths_is_scores():
    assert read_structured('{"a": 0.9, "b": 0.1}').scores == {"a": 0.9, "b": 0.1}
    assert read_structured("{'a': True, 'b': False}").scores == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize(
    "text",
    [
        "a, b",
        "[unfinished",
        '{"a": ',
        "The bird that can be heard [faintly] is a",
        "[[" * 500,
        '{"a": 1, "b": "x"}',
        "[1, 2]",
    ],
)
def test_other_texts_are_not_structured(text):
    assert read_structured(text) is None
