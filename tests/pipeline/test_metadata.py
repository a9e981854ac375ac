from __future__ import annotations

from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest

from antiphon.errors import FormatError
from antiphon.pipeline.metadata import read_metadata


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_known_columns_are_parsed_and_others_are_kept_as_text(tmp_path: Path) -> None:
    table = read_metadata(
        write(
            tmp_path / "m.csv",
            "Filename,Site,start_time,lat,lon,License,fold,source\n"
            "a/x.wav,Marsh,2026-05-01T04:30:00,52.5,-1.25,CC0,1,None\n"
            "y.wav,,,,,,2,007\n",
        )
    )
    row = table.find(PurePosixPath("a/x.wav"))
    assert row is not None
    assert (row.site, row.start_time) == ("Marsh", datetime(2026, 5, 1, 4, 30))
    assert (row.latitude, row.longitude, row.licence) == (52.5, -1.25, "CC0")
    assert row.extra == {"fold": "1", "source": "None"}
    other = table.find(PurePosixPath("deep/y.wav"))
    assert other is not None
    assert other.site is None
    assert other.extra["source"] == "007"


def test_a_longer_path_wins_over_a_file_name_and_stems_match(tmp_path: Path) -> None:
    table = read_metadata(
        write(tmp_path / "m.csv", "file,site\nB/r.wav,b\nr.wav,other\nnight,n\nnever.wav,-\n")
    )
    found = [table.find(PurePosixPath(p)) for p in ("B/r.wav", "A/r.wav", "A/night.flac")]
    assert [row.site for row in found if row] == ["b", "other", "n"]
    assert table.find(PurePosixPath("absent.wav")) is None
    assert table.unused == ["never.wav"]


def test_a_byte_order_mark_tabs_and_backslashes_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes("\ufefffile\tsite\r\nA\\r.wav\tS\r\n".encode())
    row = read_metadata(path).find(PurePosixPath("A/r.wav"))
    assert row is not None
    assert row.site == "S"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("site,lat\nA,1\n", "no column names the recording"),
        ("file,lat\na.wav,91\n", "row 2: latitude is '91'"),
        ("file,lon\na.wav,east\n", "row 2: longitude is 'east'"),
        ("file,start_time\na.wav,01/05/2026\n", "row 2: start_time is '01/05/2026'"),
        ("file,site\na.wav,A\na.wav,B\n", "row 3 names 'a.wav' a second time"),
        ("file,site\na.wav,A,extra\n", "row 2 has 3 cells"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_metadata(write(tmp_path / "m.csv", text))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not there"):
        read_metadata(tmp_path / "no.csv")
