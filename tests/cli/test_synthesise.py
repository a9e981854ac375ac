"""antiphon synthesise: what it writes and says."""

from __future__ import annotations


def test_a_small_repertoire(antiphon, tmp_path):
    folder = tmp_path / "set"
    words = ("synthesise", "repertoire", "--out", folder, "--bio", "20", "--general", "10")
    words = (*words, "--seconds", "0.5", "--sample-rate", "16000", "--jobs", "1")
    ran = antiphon(*words, "--clips", "12")
    assert ran.code == 0
    assert "12 clips, 12 of them new" in ran.out
    assert len(list(folder.rglob("*.flac"))) == 12
    assert antiphon(*words, "--clips", "12", "--seed", "4").code == 2
    assert antiphon(*words, "--clips", "12", "--level", "order").code == 2
    again = antiphon(*words, "--clips", "12")
    assert again.code == 0
    assert "12 clips, 0 of them new" in again.out
