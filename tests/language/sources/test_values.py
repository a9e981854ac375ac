"""Values as publishers write them."""

from __future__ import annotations

import pytest

from antiphon.language.sources import values
from antiphon.language.sources.findings import BadValueError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2015-06-23", "2015-06-23"),
        ("2018-09-05T14:06:00+02:00", "2018-09-05"),
        ("2018-09-05 12:06:00 UTC", "2018-09-05"),
        ("2010-00-00", "2010"),
        ("2010-07-00", "2010-07"),
        ("0000-00-00", None),
        ("1988", "1988"),
        ("03-Oct-1988", "1988-10-03"),
        ("2009-06-01/2009-06-09", "2009-06"),
        ("2009-06-01/2010-06-01", None),
        ("", None),
        ("NA", None),
        (None, None),
    ],
)
def test_dates(given, expected):
    assert values.date(given) == expected


@pytest.mark.parametrize("given", ["2021-02-30", "2021-13-01", "1799-01-01", "9999-01-01", "May"])
def test_impossible_dates(given):
    with pytest.raises(BadValueError) as caught:
        values.date(given)
    assert caught.value.reason == "impossible_date"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("07:17", "07:17"),
        ("7:05 pm", "19:05"),
        ("12:30 a.m.", "00:30"),
        ("12:06:00Z", "12:06"),
        ("2018-09-05T14:06:00+02:00", "14:06"),
        ("2018-09-05", None),
        ("?", None),
    ],
)
def test_times(given, expected):
    assert values.time_of_day(given) == expected


@pytest.mark.parametrize("given", ["25:00", "12:61", "dawn"])
def test_impossible_times(given):
    with pytest.raises(BadValueError) as caught:
        values.time_of_day(given)
    assert caught.value.reason == "impossible_time"


def test_lengths_of_time():
    assert values.seconds("4:13") == 253.0
    assert values.seconds("1:02:03.5") == 3723.5
    assert values.seconds("12.5") == 12.5
    assert values.seconds("nan") is None
    for wrong in ("-3", "a:b", "long"):
        with pytest.raises(BadValueError):
            values.seconds(wrong)


def test_coordinates():
    assert values.latitude("43.6571") == 43.6571
    assert values.longitude("-180") == -180.0
    for read, wrong in ((values.latitude, "90.1"), (values.longitude, 181), (values.latitude, "N")):
        with pytest.raises(BadValueError) as caught:
            read(wrong)
        assert caught.value.reason == "impossible_coordinates"


def test_numbers():
    assert values.number(" 3.5 ") == 3.5
    assert values.number("NA") is None
    assert values.number(float("nan")) is None
    assert values.positive("0") is None
    for read, wrong in ((values.number, "inf"), (values.integer, "2.5"), (values.positive, "-1")):
        with pytest.raises(BadValueError):
            read(wrong)


def test_the_word_none_is_text():
    assert values.text("None") == "None"
    assert values.split(",")("None, song,, song") == ("None", "song")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Turdus merula Linnaeus, 1758", "Turdus merula"),
        ("Turdus merula merula", "Turdus merula merula"),
        ("Parus (Cyanistes) caeruleus L.", "Parus caeruleus"),
        ("Pteroptyx sp.", "Pteroptyx"),
        ("", None),
    ],
)
def test_names_without_authors(given, expected):
    assert values.without_authors(given) == expected


def test_ranks_of_names():
    assert values.ranks_of("Turdus") == {}
    assert values.ranks_of("Turdus merula")["rank"] == "species"
    assert values.ranks_of("Turdus merula merula") == {
        "genus": "Turdus",
        "species": "Turdus merula",
        "subspecies": "Turdus merula merula",
        "rank": "subspecies",
    }
