from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.labels.formats.names import file_stems, recording_of


@pytest.mark.parametrize(
    ("file", "recording"),
    [
        ("X.Table.1.selections.txt", "X"),
        ("X.Table.12.selections.txt", "X"),
        ("X.selections.txt", "X"),
        ("X.BirdNET.selection.table.txt", "X"),
        ("X.birdnet.results.csv", "X"),
        ("X.TXT", "X"),
        ("X.wav.txt", "X.wav"),
        ("S4A_20190522_0.5kHz.Table.1.selections.txt", "S4A_20190522_0.5kHz"),
        ("X.antiphon.txt", "X"),
    ],
)
def test_recording_of_a_table(file: str, recording: str) -> None:
    assert recording_of(Path("folder") / file) == recording


def test_stems_do_not_collide() -> None:
    stems = file_stems(["one.wav", "s1/rec.wav", "s2/rec.wav", "C:\\d\\Rec.flac", "rec.ogg", "a/b"])
    assert stems == {
        "one.wav": "one",
        "s1/rec.wav": "s1_rec.wav",
        "s2/rec.wav": "s2_rec.wav",
        "C:\\d\\Rec.flac": "Rec.flac",
        "rec.ogg": "rec.ogg",
        "a/b": "b",
    }


@given(st.lists(st.text("aA/\\.1_", min_size=1, max_size=5), unique=True))
def test_every_recording_gets_its_own_file_name(names: list[str]) -> None:
    stems = file_stems(names)
    assert set(stems) == set(names)
    folded = [stem.casefold() for stem in stems.values()]
    assert len(set(folded)) == len(folded)
    assert not any(mark in stem for stem in folded for mark in "/\\")
