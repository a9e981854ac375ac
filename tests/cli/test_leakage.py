"""antiphon leakage: what it prints, and its exit codes."""

from __future__ import annotations

import json
import shutil


def write(path, *names):
    path.write_text("filename\n" + "".join(f"{name}\n" for name in names))
    return path


def test_a_clean_split(antiphon, tmp_path, recordings):
    folder = recordings("a.wav", "b.wav", "c.wav", seconds=2.0)
    train, test = write(tmp_path / "1.csv", "a.wav", "b.wav"), write(tmp_path / "2.csv", "c.wav")
    ran = antiphon("leakage", train, test, "--audio", folder)
    assert ran.code == 0
    assert ran.out.startswith("Leakage (items: 2 train, 1 test): nothing found")
    assert "item, recording, content, audio (train, test)" in ran.out


def test_copies_are_leaks(antiphon, tmp_path, recordings):
    folder = recordings("a.wav", "b.wav", "c.wav", seconds=2.0)
    shutil.copy(folder / "a.wav", folder / "d.wav")
    train = write(tmp_path / "1.csv", "a.wav", "b.wav")
    test = write(tmp_path / "2.csv", "c.wav", "d.wav")
    out = tmp_path / "report.json"
    ran = antiphon("leakage", train, test, "--audio", folder, "--out", out, "--json")
    assert ran.code == 1
    report = json.loads(ran.out)
    assert report == json.loads(out.read_text())
    assert [f["kind"] for f in report["findings"]] == ["content"]
    assert report["findings"][0]["examples"] == ["d.wav = a.wav"]


def test_folds_and_warnings(antiphon, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("filename,site,Fold\na.wav,N,1\nb.wav,N,2\n")
    ran = antiphon("leakage", table, "--by", "fold")
    assert ran.code == 0
    assert "WARNING: 2 of 2 held-out items are from sites on the other side" in ran.out
    assert antiphon("leakage", table, "--by", "fold", "--strict").code == 1
    assert antiphon("leakage", table, "--by", "fold", "--apart", "site").code == 1


def test_components_and_validation(antiphon, tmp_path):
    train, test = write(tmp_path / "1.csv", "a.wav"), write(tmp_path / "2.csv", "b.wav")
    validation = write(tmp_path / "3.csv", "b.wav")
    known = tmp_path / "known.txt"
    known.write_text("elsewhere/b.flac\n")
    ran = antiphon(
        "leakage", train, test, "--validation", validation, "--trained-on", f"perch={known}"
    )
    assert ran.code == 1
    assert "the test side is contained in the validation side" in ran.out
    assert "1 of 1 test items are among the files that perch was trained on (b.wav)" in ran.out


def test_damaged_files_are_named(antiphon, tmp_path, recordings):
    folder = recordings("a.wav")
    (folder / "b.wav").write_bytes(b"no sound")
    train, test = write(tmp_path / "1.csv", "a.wav"), write(tmp_path / "2.csv", "b.wav")
    ran = antiphon("leakage", train, test, "--audio", folder)
    assert ran.code == 0
    assert "b.wav" in ran.err
    assert "audio of 1 of 1 test items" in ran.out


def test_mistakes(antiphon, tmp_path):
    table = write(tmp_path / "1.csv", "a.wav")
    for arguments, said in (
        ([table], "Give either TEST"),
        ([table, table, "--by", "x"], "Give either TEST"),
        ([table, "--by", "x"], "has no column 'x'"),
        ([table, "--by", "filename", "--validation", table], "goes with TEST"),
        ([table, table, "--trained-on", "perch"], "is not NAME=LIST"),
        ([table, table, "--apart", "month"], "'month' is not known"),
        ([table, tmp_path / "none.csv"], "no such file"),
    ):
        ran = antiphon("leakage", *arguments)
        assert ran.code == 2
        assert said in ran.err


def test_a_component_with_two_lists_was_trained_on_both(antiphon, tmp_path):
    train, test = write(tmp_path / "1.csv", "a.wav"), write(tmp_path / "2.csv", "b.wav")
    lists = [write(tmp_path / f"c{i}.csv", name) for i, name in enumerate(("b.wav", "z.wav"))]
    options = [o for path in lists for o in ("--trained-on", f"perch={path}")]
    ran = antiphon("leakage", train, test, *options)
    assert ran.code == 1
    assert "among the files that perch was trained on (b.wav)" in ran.out


def test_lists_that_name_recordings_in_two_ways(antiphon, tmp_path):
    train, test = write(tmp_path / "1.csv", "deep/a.wav"), write(tmp_path / "2.csv", "a.flac")
    ran = antiphon("leakage", train, test)
    assert ran.code == 1
    assert "are from recordings on the train side (deep/a.wav)" in ran.out


def test_the_report_makes_its_folder_or_says_why_not(antiphon, tmp_path):
    train, test = write(tmp_path / "1.csv", "a.wav"), write(tmp_path / "2.csv", "b.wav")
    assert antiphon("leakage", train, test, "--out", tmp_path / "new" / "r.json").code == 0
    assert (tmp_path / "new" / "r.json").is_file()
    ran = antiphon("leakage", train, test, "--out", train / "r.json")
    assert ran.code == 2
    assert "cannot be written" in ran.err
