"""What stands follows from the rows alone, whatever was answered and taken back."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.store.answers import AnswerRow, piles


def row(number: int, who: str, kind: str, replaces: int | None) -> AnswerRow:
    return AnswerRow(
        number,
        1,
        0.0,
        3.0,
        -1,
        who,
        kind,
        {},
        replaces,
        None,
        None,
        None,
        datetime.min,
        str(number),
    )


STEP = st.tuples(
    st.sampled_from(["kim", "lee"]),
    st.sampled_from(["answer", "skip", "settle", "undo", "undo settle"]),
)


@given(st.lists(STEP, max_size=30))
@settings(deadline=None)
def test_piles_agree_with_stacks(steps: list[tuple[str, str]]) -> None:
    rows: list[AnswerRow] = []
    stacks: dict[str | None, list[AnswerRow]] = {"kim": [], "lee": [], None: []}
    for who, what in steps:
        pile = None if "settle" in what else who
        stack, number = stacks[pile], len(rows) + 1
        if what.startswith("undo"):
            if not stack:
                continue
            rows.append(row(number, stack[-1].annotator, "retract", stack.pop().id))
            continue
        new = row(number, who, what, stack[-1].id if stack else None)
        stack.append(new)
        rows.append(new)
    found = piles(rows)
    assert found.tops == {pile: stack[-1] for pile, stack in stacks.items() if stack}
    expected = [
        next((r for r in reversed(stack) if r.kind != "skip"), None) for stack in stacks.values()
    ]
    kept = sorted((r for r in expected if r is not None), key=lambda r: r.id)
    assert found.all_standing() == kept
