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


def test_a_small_pantanal(antiphon, tmp_path):
    folder = tmp_path / "world"
    words = ("synthesise", "pantanal", "--out", folder, "--jobs", "1", "--soundscapes", "10")
    words = (*words, "--minutes", str(5 / 60), "--focal-seconds", "1", "1.2")
    assert antiphon(*words, "--focal", "3").code == 2
    assert antiphon(*words, "--focal", "80", "--sites", "4").code == 2
    assert not folder.exists()
    ran = antiphon(*words, "--focal", "80")
    assert ran.code == 0
    assert "80 focal clips and 10 soundscapes, 90 of them new" in ran.out
    assert "CPU-ms per second of audio" in ran.out
    assert len(list(folder.rglob("*.ogg"))) == 90
    again = antiphon(*words, "--focal", "80")
    assert "0 of them new; " in again.out
    assert antiphon(*words, "--focal", "80", "--seed", "4").code == 2
