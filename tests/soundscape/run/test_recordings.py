"""What a folder holds, broken files included."""

from __future__ import annotations

import os
import sys

import pytest
import soundfile

from antiphon.errors import FileError, UserError
from antiphon.soundscape.run.recordings import look_at, recordings_in
from antiphon.soundscape.run.rows import rows_from_recordings
from tests.soundscape.run.fakes import write_recordings


def test_whole_short_empty_and_broken_files(tmp_path):
    folder = write_recordings(tmp_path, {"whole": 0.5}, seconds=7.0)
    write_recordings(tmp_path, {"short": 0.5}, seconds=0.3)
    write_recordings(tmp_path, {"cut": 0.5}, seconds=8.0)
    cut = folder / "cut.wav"
    cut.write_bytes(cut.read_bytes()[: 4 * 1000 * 3 + 100])
    (folder / "nothing.ogg").write_bytes(b"")
    (folder / "noise.ogg").write_bytes(bytes(range(256)) * 9)
    soundfile.write(folder / "silent.wav", [], 1000)
    found = recordings_in(folder)
    assert set(found) == {"whole", "short", "cut", "nothing", "noise", "silent"}
    assert found["whole"].duration_s == 7.0
    assert found["whole"].problem == ""
    assert found["short"].duration_s == pytest.approx(0.3)
    assert 2.9 < found["cut"].duration_s < 3.1
    assert "cut short" in found["cut"].problem
    for stem, said in (
        ("nothing", "is empty"),
        ("noise", "not a recording"),
        ("silent", "no audio"),
    ):
        assert found[stem].duration_s == 0
        assert said in found[stem].problem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
def test_a_pipe_is_told_of_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (one,) = recordings_in(tmp_path).values()
    assert one.duration_s == 0
    assert "pipe.wav: is no file" in one.problem


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such names cannot be made")
def test_a_name_that_is_not_utf_8_has_rows_that_can_be_written(tmp_path):
    folder = write_recordings(tmp_path, {"a": 0.5}, seconds=10.0)
    odd = os.fsdecode(b"caf\xe9.wav")
    (folder / odd).write_bytes((folder / "a.wav").read_bytes())
    found = recordings_in(folder)
    assert list(found) == ["a", "caf\\xe9"]
    assert "not UTF-8" in found["caf\\xe9"].problem
    rows = rows_from_recordings(found, 5.0, 5.0)
    assert rows.names[2:] == ("caf\\xe9_5", "caf\\xe9_10")
    assert set(rows.unreachable) == {2, 3}
    assert "".join([*rows.names, *rows.unreachable.values()]).isascii()


def test_a_changed_file_is_another_one(tmp_path):
    folder = write_recordings(tmp_path, {"a": 0.5}, seconds=1.0)
    before = look_at(folder / "a.wav")
    assert look_at(folder / "a.wav").key == before.key
    write_recordings(tmp_path, {"a": 0.5}, seconds=2.0)
    assert look_at(folder / "a.wav").key != before.key


def test_two_files_of_one_stem_are_refused(tmp_path):
    write_recordings(tmp_path / "north", {"a": 0.5}, seconds=1.0)
    write_recordings(tmp_path / "south", {"a": 0.5}, seconds=1.0)
    with pytest.raises(UserError, match=r"doubled.*north.*a\.wav and .*south"):
        recordings_in(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="no such folder"):
        recordings_in(tmp_path / "gone")
