"""Watkins and Barkley Canyon."""

from __future__ import annotations

import json
import lzma


def test_watkins_objects(tmp_path, read, sound):
    cut = {
        "record_number": "6301900Y",
        "sound": {"sample_rate": "60000 Hz", "channel": "1"},
        "signal": {"cut_size": 1.25, "class": ["song", "moan"], "quality": "good"},
        "animal": {
            "genus": [
                {"name": "Megaptera novaeangliae", "species_code": "AC2A"},
                {"name": "Physeter catodon", "species_code": "BA2A"},
            ],
            "profile": [{"age": "Adult", "sex": "M"}],
        },
        "location": {"name": ["Argus Island, Bermuda"], "coordinates": [{"lat": 32, "lon": -65}]},
        "observation_date": "26-Mar-1963",
        "note": "Two animals.",
    }
    nothing = {"record_number": "1", "animal": {"genus": [{"name": "Unknown"}]}}
    # Objects follow each other, over several lines, without commas.
    text = json.dumps(cut, indent=1) + "\n" + json.dumps(nothing) + "[1]"
    with lzma.open(tmp_path / "wmmsdb.20190601.json.xz", "wt") as file:
        file.write(text)
    flac = sound(tmp_path / "6301900Y.flac")
    (first, second), rejected, _ = read("watkins", tmp_path)
    assert first.audio_path == flac.as_posix()
    assert first.audio_url == "https://archive.org/download/wmmsdb/6301900Y.flac"
    assert (first.sample_rate, first.duration_s) == (60_000, 1.25)
    assert first.scientific_name == "Megaptera novaeangliae"
    assert first.background_species == ("Physeter catodon",)
    assert first.call_types == ("song", "moan")
    assert (first.life_stage, first.date) == ("adult", "1963-03-26")
    assert (first.latitude, first.longitude) == (32.0, -65.0)
    assert first.licence == "LicenseRef-Watkins"
    assert second.scientific_name is None
    assert second.taxon_given == "Unknown"
    assert rejected == [("malformed_record", "is not an object")]


def test_barkley_canyon_boxes(tmp_path, read, sound):
    name = "ICLISTENHF1251_20130615T062356.061Z.wav"
    lines = [
        "Soundfile,Species,Ecotype,Left time (sec),Right time (sec),Top freq (Hz),Bottom freq (Hz)",
        f"{name},Oo,SRKW,4.5,5.0,9000,800",
        f"{name},Mn,,1.0,2.5,1200,200",
        "other.wav,Mn|Oo,,0.0,1.0,,",
        "other.wav,Mn,,,1.0,,",
    ]
    (tmp_path / "ONC_annotations.csv").write_text("\n".join(lines) + "\n")
    file = sound(tmp_path / "audio" / name, 6.0)
    (first, second), rejected, _ = read("barkley_canyon", tmp_path)
    assert first.audio_path == file.as_posix()
    assert (first.date, first.time, first.site) == ("2013-06-15", "06:23", "Barkley Canyon")
    assert [(e.start_s, e.end_s, e.low_hz, e.high_hz) for e in first.events] == [
        (1.0, 2.5, 200.0, 1200.0),
        (4.5, 5.0, 800.0, 9000.0),
    ]
    assert first.events[1].label == "Oo SRKW"
    assert first.background_species == ("Megaptera novaeangliae", "Orcinus orca")
    assert first.exhaustive is True
    # One species or the other: nobody knows what is absent.
    assert second.exhaustive is None
    assert rejected == [("malformed_record", "Left time (sec) are empty")]
