"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from antiphon.errors import FileError, ModelError
from antiphon.replacing import replacing, write_whole

WORDS = ("it cannot be written", "Make room")


def full(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")


def fail_half_way(path: Path, error: BaseException) -> None:
    with replacing(path, *WORDS, kind=ModelError) as part:
        part.write_text("half")
        raise error


def only(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    with replacing(path) as part:
        assert part.parent == path.parent
        assert part.name.startswith(".file.txt.")
        assert part.suffix == ".part"
        part.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert only(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(error)):
        fail_half_way(path, error)
    assert path.read_text() == "old"
    assert only(tmp_path) == ["file.txt"]


def test_a_fault_of_the_system_becomes_the_callers_error(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    fault = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(
        ModelError, match=r"file\.bin: .*written \(No space left on device\)\. Make"
    ):
        fail_half_way(path, fault)
    assert only(tmp_path) == []


def test_without_words_the_fault_names_the_file_and_not_the_one_beside(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with pytest.raises(FileNotFoundError) as found, replacing(path) as part:
        part.read_bytes()
    assert found.value.filename == str(path)
    # Another file's fault stays another file's.
    with pytest.raises(FileNotFoundError) as found, replacing(path) as part:
        (tmp_path / "other").read_bytes()
    assert found.value.filename == str(tmp_path / "other")


def test_a_folder_that_cannot_be_made_is_told_in_the_same_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "inner" / "x.txt"
    with (
        pytest.raises(FileError, match=r"x\.txt: it cannot be written \("),
        replacing(path, *WORDS),
    ):
        raise AssertionError("the block must not run")
    gone = tmp_path / "gone" / "x.txt"
    with pytest.raises(FileNotFoundError), replacing(gone, make_folder=False) as part:
        part.write_text("x")
    assert not gone.parent.exists()


def test_the_content_is_on_the_disk_before_the_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            write_whole(path, "new")
    assert path.read_text() == "old"
    write_whole(path, "new\nlines\r\n")
    assert path.read_bytes() == b"new\nlines\r\n"
    assert only(tmp_path) == ["x.txt"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_permissions_are_those_of_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    path = tmp_path / "x.txt"
    before = os.umask(umask)
    try:
        write_whole(path, "x")
        assert path.stat().st_mode & 0o777 == mode
        path.chmod(0o640)
        with replacing(path, keep_mode=True) as part:
            part.write_text("y")
        assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with replacing(path) as one, replacing(path) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"
    assert only(tmp_path) == ["x.txt"]


def test_a_lone_writer_takes_over_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    (tmp_path / ".x.txt.part").write_text("half of something longer")
    with replacing(path, alone=True) as part:
        part.write_text("whole")
    assert path.read_text() == "whole"
    assert only(tmp_path) == ["x.txt"]
