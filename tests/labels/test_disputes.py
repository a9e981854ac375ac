"""Where named people contradict each other a label is unknown, until somebody settles it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.labels.disputes import judge_windows, votes
from antiphon.labels.targets import directly_said, window_targets

NAN = math.nan
LABELS = ["a", "b"]
SCHEMA = pa.schema(
    [
        ("recording_id", pa.int64()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("low_hz", pa.float64()),
        ("channel", pa.int16()),
        ("label", pa.string()),
        ("presence", pa.string()),
        ("scope", pa.list_(pa.string())),
        ("annotator", pa.string()),
        ("source", pa.string()),
        ("batch", pa.string()),
    ]
)


def row(presence: str, label: str | None = "a", **more: Any) -> dict[str, Any]:
    base = dict.fromkeys(SCHEMA.names) | {"recording_id": 1, "start_s": 0.0, "end_s": 2.0}
    return base | {"label": label, "presence": presence} | more


def answered(who: str, presence: str, label: str | None = "a", **more: Any) -> dict[str, Any]:
    return row(presence, label, **({"annotator": who, "batch": f"answer {hash(who)}"} | more))


def settled(presence: str, label: str | None = "a", **more: Any) -> dict[str, Any]:
    return row(presence, label, **({"annotator": "boss", "batch": "settle 9"} | more))


def judge(
    *rows: dict[str, Any], at: tuple[float, float] = (0.0, 2.0)
) -> tuple[list[Any], list[Any]]:
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    found = judge_windows([1], [at[0]], [at[1]], [-1], table, LABELS)
    return found.targets[0].tolist(), found.disputed[0].tolist()


def same(found: list[Any], expected: list[float]) -> None:
    np.testing.assert_array_equal(np.array(found, float), np.array(expected, float))


def test_two_people_who_disagree_leave_the_label_unknown() -> None:
    targets, disputed = judge(
        answered("kim", "present"),
        answered("lee", "absent"),
        answered("kim", "absent", "b"),
        answered("lee", "absent", "b"),
    )
    same(targets, [NAN, 0])
    assert disputed == [True, False]


def test_there_is_no_majority() -> None:
    rows = [answered(who, "present") for who in ("kim", "lee", "max")]
    same(judge(*rows)[0], [1, NAN])
    targets, disputed = judge(*rows, answered("pat", "absent"))
    same(targets, [NAN, NAN])
    assert disputed == [True, False]


def test_somebody_unsure_contradicts_nobody() -> None:
    targets, disputed = judge(answered("kim", "present"), answered("lee", "unsure"))
    same(targets, [1, NAN])
    assert disputed == [False, False]
    targets, disputed = judge(answered("kim", "absent"), answered("lee", "unsure"))
    same(targets, [NAN, NAN])
    assert disputed == [False, False]


@pytest.mark.parametrize(("word", "target"), [("present", 1), ("absent", 0), ("unsure", NAN)])
def test_a_settlement_decides_the_labels_it_names(word: str, target: float) -> None:
    targets, disputed = judge(
        answered("kim", "present"),
        answered("lee", "absent"),
        answered("kim", "present", "b"),
        answered("lee", "absent", "b"),
        settled(word),
    )
    same(targets, [target, NAN])
    assert disputed == [False, True]


def test_a_settlement_corrects_a_table_without_a_name() -> None:
    table = row("present", source="t.csv")
    same(judge(table, answered("kim", "absent"))[0], [1, NAN])
    assert judge(table, answered("kim", "absent"))[1] == [False, False]
    same(judge(table, answered("kim", "absent"), settled("absent"))[0], [0, NAN])


def test_tables_of_different_people_disagree_and_of_one_person_do_not() -> None:
    one = row("present", annotator="kim", source="kim.csv")
    whole = {"start_s": None, "end_s": None}
    other = row("absent", None, scope=["a", "b"], annotator="lee", source="lee.csv", **whole)
    targets, disputed = judge(one, other)
    same(targets, [NAN, 0])
    assert disputed == [True, False]
    targets, disputed = judge(one, {**other, "annotator": "kim"})
    same(targets, [1, 0])
    assert disputed == [False, False]


def test_the_absences_of_a_table_of_several_people_are_nobodys() -> None:
    whole = {"start_s": None, "end_s": None}
    rows = [
        row("present", annotator="kim", source="t.csv"),
        row("present", annotator="lee", source="t.csv", recording_id=2),
        row("absent", None, scope=["a", "b"], annotator="team", source="t.csv", **whole),
    ]
    targets, disputed = judge(*rows)
    same(targets, [1, 0])
    assert disputed == [False, False]
    # Plain rows of one table under two names are two opinions.
    rows.append(row("absent", "a", annotator="lee", source="t.csv"))
    assert judge(*rows)[1] == [True, False]


def test_an_answer_to_a_window_that_overlaps_is_no_word_on_this_one() -> None:
    other = answered("kim", "present", start_s=1.0, end_s=3.0)
    same(judge(other)[0], [1, NAN])
    targets, disputed = judge(other, answered("lee", "absent"))
    same(targets, [0, NAN])
    assert disputed == [False, False]
    # Nor is it one's own, and nor is an "unsure".
    same(judge(other, answered("kim", "absent"))[0], [0, NAN])
    unsure = answered("kim", "unsure", start_s=1.0, end_s=3.0)
    same(judge(unsure, answered("lee", "absent"))[0], [0, NAN])
    # A box says where the sound is.
    box = answered("kim", "present", start_s=1.0, end_s=1.5, low_hz=10.0)
    assert judge(box, answered("lee", "absent"))[1] == [True, False]
    # A settlement of the other window does not decide what people said of this one.
    far = settled("present", start_s=1.0, end_s=3.0)
    same(judge(far, answered("lee", "absent"))[0], [0, NAN])
    same(judge(far)[0], [1, NAN])


def test_votes_are_those_of_each_person_alone() -> None:
    table = pa.Table.from_pylist(
        [
            answered("kim", "present"),
            answered("lee", "absent", "b"),
            settled("absent"),
            row("present"),
        ],
        SCHEMA,
    )
    found = votes([1], [0.0], [2.0], [-1], table, LABELS)
    assert sorted(found) == ["kim", "lee"]
    same(found["kim"][0].tolist(), [1, NAN])
    same(found["lee"][0].tolist(), [NAN, 0])


SPAN = st.tuples(st.integers(0, 8), st.integers(1, 8)).map(lambda p: (p[0], p[0] + p[1]))


@st.composite
def annotation(draw: Any) -> dict[str, Any]:
    start, end = draw(SPAN)
    answer = draw(st.booleans())
    who = draw(st.sampled_from(["kim", "lee", None]))
    return row(
        draw(st.sampled_from(["present", "absent", "unsure"])),
        draw(st.sampled_from(LABELS)),
        start_s=start / 4,
        end_s=end / 4,
        annotator=who,
        batch="answer 1" if answer and who else None,
        source=draw(st.sampled_from(["t.csv", "u.csv"])),
    )


@given(st.lists(annotation(), max_size=8), st.lists(SPAN, min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_agrees_with_the_rule_one_by_one(
    rows: list[dict[str, Any]], spans: list[tuple[int, int]]
) -> None:
    table = pa.Table.from_pylist(rows, SCHEMA)
    start, end = np.array(spans).T / 4
    where = (np.ones(len(spans), int), start, end, np.full(len(spans), -1))
    found = judge_windows(*where, table, LABELS)
    together = window_targets(*where, table, LABELS)
    shown = directly_said(*where, table, LABELS)
    alone = {
        who: window_targets(
            *where,
            pa.Table.from_pylist([r for r in rows if r["annotator"] == who], SCHEMA),
            LABELS,
            shown=shown,
        )
        for who in ("kim", "lee")
    }
    for i in range(len(spans)):
        for j in range(2):
            pair = {alone["kim"][i, j], alone["lee"][i, j]}
            assert found.disputed[i, j] == (pair == {0.0, 1.0})
            expected = NAN if found.disputed[i, j] else together[i, j]
            np.testing.assert_equal(float(found.targets[i, j]), float(expected))
