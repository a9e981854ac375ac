"""Soundscapes with boxes, whole and cut into windows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FormatError

HEADER = "Filename,Start Time (s),End Time (s),Low Freq (Hz),High Freq (Hz),Species eBird Code"


@pytest.fixture
def soundscapes(tmp_path, sound):
    """The layout of the annotated soundscapes on Zenodo, two recordings of 12.5 and 5 s."""
    lines = [
        HEADER,
        "SSW_001_20170225_010000Z.flac,9.0,11.0,2000,5000,norcar",
        "SSW_001_20170225_010000Z.flac,1.0,2.0,1000,3000,amerob",
        "SSW_001_20170225_010000Z.flac,12.0,12.5,1000,3000,amerob",
        "SSW_002_20170225_020000Z.flac,1.0,2.0,1000,3000,????",
        "SSW_002_20170225_020000Z.flac,later,2.0,1000,3000,amerob",
    ]
    (tmp_path / "annotations.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "species.csv").write_text(
        "Species eBird Code,Scientific Name,Common Name\n"
        "amerob,Turdus migratorius,American Robin\n"
        "norcar,Cardinalis cardinalis,Northern Cardinal\n"
    )
    for number, seconds in (("001_20170225_01", 12.5), ("002_20170225_02", 5.0)):
        sound(tmp_path / "soundscape_data" / f"SSW_{number}0000Z.flac", seconds)
    return tmp_path


def test_one_row_for_each_recording(soundscapes, read):
    (first, second), rejected, _ = read("soundscape_boxes", soundscapes)
    assert first.audio_path is not None
    assert first.audio_path.endswith("soundscape_data/SSW_001_20170225_010000Z.flac")
    assert [(e.label, e.start_s, e.low_hz) for e in first.events] == [
        ("amerob", 1.0, 1000.0),
        ("norcar", 9.0, 2000.0),
        ("amerob", 12.0, 1000.0),
    ]
    assert first.background_species == ("Turdus migratorius", "Cardinalis cardinalis")
    assert (first.site, first.date, first.time) == ("SSW", "2017-02-25", "01:00")
    assert (first.exhaustive, second.exhaustive) == (True, None)
    assert first.licence == "CC-BY-4.0"
    assert [reason for reason, _ in rejected] == ["malformed_record"]


def test_windows_reach_to_the_end_and_keep_their_events(soundscapes, read):
    rows, _, _ = read("soundscape_boxes", soundscapes, window_s=5.0)
    first = [row for row in rows if "SSW_001" in row.id]
    assert [(row.start_s, row.end_s) for row in first] == [(0.0, 5.0), (5.0, 10.0), (10.0, 12.5)]
    assert [row.duration_s for row in first] == [5.0, 5.0, 2.5]
    # The box from 9 to 11 s is cut at the edge of its windows.
    assert [[(e.label, e.start_s, e.end_s) for e in row.events] for row in first] == [
        [("amerob", 1.0, 2.0)],
        [("norcar", 4.0, 5.0)],
        [("norcar", 0.0, 1.0), ("amerob", 2.0, 2.5)],
    ]
    assert first[1].background_species == ("Cardinalis cardinalis",)
    assert len({row.id for row in rows}) == len(rows) == 4


def test_a_window_without_a_box_is_kept(soundscapes, read):
    rows, _, _ = read("soundscape_boxes", soundscapes, window_s=2.5)
    quiet = [row for row in rows if not row.events and row.exhaustive]
    assert [row.start_s for row in quiet] == [2.5, 5.0]


def test_a_recording_of_unknown_length_stays_whole(soundscapes, read, tmp_path):
    rows, _, remarks = read(
        "soundscape_boxes", soundscapes, window_s=5.0, audio=tmp_path / "nowhere"
    )
    assert len(rows) == 2
    assert {r for _, r in remarks} == {"audio_not_found", "unknown_length"}


def test_a_table_of_something_else(tmp_path, read):
    (tmp_path / "annotations.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="no column 'Filename'"):
        read("soundscape_boxes", tmp_path)


def test_birdset_tables(tmp_path, read):
    common = {"lat": 42.4, "long": -76.4, "license": "cc-by-4.0", "local_time": "06:10"}
    strong = {"start_time": 3.0, "end_time": 4.0, "low_freq": 900.0, "high_freq": 4000.0}
    rows = [
        {
            "filepath": "XC1.ogg",
            "ebird_code": "amerob",
            "ebird_code_secondary": ["norcar"],
            "call_type": "song",
            "sex": "male",
            "recordist": "A",
            "length": 31.0,
            "quality": "A",
            **common,
        },
        {"filepath": "SSW_001_20170225_010000.ogg", "ebird_code": "norcar", **strong, **common},
        {
            "filepath": "SSW_001_20170225_010000.ogg",
            "ebird_code": "amerob",
            "call_type": "call",
            **strong,
            **common,
            "start_time": 1.0,
        },
    ]
    names = {name: None for row in rows for name in row}
    table = pa.Table.from_pylist([{**names, **row} for row in rows])
    pq.write_table(table, tmp_path / "SSW_metadata.parquet")
    (focal, scape), rejected, _ = read("birdset", tmp_path)
    assert rejected == []
    assert (focal.taxon_given, focal.call_types, focal.sex) == ("amerob", ("song",), "male")
    assert focal.background_species == ("norcar",)
    assert (focal.duration_s, focal.licence, focal.time) == (31.0, "CC-BY-4.0", "06:10")
    assert [(e.label, e.kind) for e in scape.events] == [
        ("amerob", "species"),
        ("call", "call_type"),
        ("norcar", "species"),
    ]
    assert scape.background_species == ("amerob", "norcar")
    assert scape.exhaustive is True
