from __future__ import annotations

from datetime import date

import pytest

from antiphon.errors import UserError
from antiphon.pipeline.filters import parse_dates, parse_hours


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("5", (5.0, 6.0)),
        ("4-7", (4.0, 7.0)),
        ("22-4", (22.0, 4.0)),
        ("4:30-6:15", (4.5, 6.25)),
        ("0-24", (0.0, 24.0)),
        ("23", (23.0, 24.0)),
    ],
)
def test_hours(text: str, span: tuple[float, float]) -> None:
    assert parse_hours(text) == span


@pytest.mark.parametrize("text", ["", "25", "4-4", "4-25", "four", "4:70-5", "1-2-3", "-4"])
def test_impossible_hours_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--hour"):
        parse_hours(text)


def test_dates() -> None:
    assert parse_dates("2026-05-01") == (date(2026, 5, 1), date(2026, 5, 1))
    assert parse_dates("2026-05-01..2026-06-02") == (date(2026, 5, 1), date(2026, 6, 2))


@pytest.mark.parametrize("text", ["", "1.5.2026", "2026-05-02..2026-05-01", "2026-02-30"])
def test_impossible_dates_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--date"):
        parse_dates(text)
