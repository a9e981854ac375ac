from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest

from antiphon.api import Project
from antiphon.errors import FileError, UserError
from antiphon.pipeline.intake import folder_site, scan
from tests.noise import SMALL


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("Marsh/x.wav", "Marsh"),
        ("Data/Marsh/x.wav", "Marsh"),
        ("20260501/Marsh/x.wav", "Marsh"),
        ("2026-05-01/x.wav", None),
        ("2026-05/WAV/x.wav", None),
        ("x.wav", None),
        ("Marsh/2026/x.wav", "Marsh"),
    ],
)
def test_the_site_is_the_first_telling_folder(path: str, site: str | None) -> None:
    assert folder_site(PurePosixPath(path)) == site


def test_names_folders_and_tables_are_laid_over_each_other(
    tmp_path: Path, recordings: Callable[..., Path]
) -> None:
    audio = recordings("Marsh/SM4_20260501_043000.wav", "S4A03895_20190522_004500.wav", "x.wav")
    table = tmp_path / "sites.csv"
    table.write_text("file,site,start_time,source\nx.wav,Hill,2026-06-01T05:00:00,walk 7\n")
    project, report = Project.create(tmp_path / "p", audio=[audio], metadata=[table])
    rows = {row["path"]: row for row in project.folder.catalogue.recordings().to_pylist()}
    marsh = rows["Marsh/SM4_20260501_043000.wav"]
    assert (marsh["site"], marsh["start_time"]) == ("Marsh", datetime(2026, 5, 1, 4, 30))
    assert rows["S4A03895_20190522_004500.wav"]["site"] == "S4A03895"
    assert rows["x.wav"]["site"] == "Hill"
    assert rows["x.wav"]["extra"]["source"] == "walk 7"
    assert report.without_metadata == 2
    assert len(report.sync.added) == 3


def test_a_second_scan_reads_only_what_is_new(
    tmp_path: Path, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = recordings("a.wav", "b.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    recordings("c.wav")
    probed: list[str] = []
    from antiphon.pipeline import intake

    real = intake.probe
    monkeypatch.setattr(intake, "probe", lambda path: probed.append(path.name) or real(path))
    report = scan(project.folder)
    assert probed == ["c.wav"]
    assert (len(report.sync.added), len(report.sync.unchanged)) == (1, 2)


def test_bad_files_among_good_ones_are_named_and_kept(
    tmp_path: Path, recordings: Callable[..., Path]
) -> None:
    audio = recordings("good.wav", "cut.wav")
    (audio / "text.wav").write_text("this is no audio")
    (audio / "empty.flac").touch()
    whole = (audio / "cut.wav").read_bytes()
    (audio / "cut.wav").write_bytes(whole[: len(whole) // 2])
    project, report = Project.create(tmp_path / "p", audio=[audio])
    assert {name for name, _ in report.unreadable} == {"text.wav", "empty.flac"}
    assert [name for name, _ in report.partial] == ["cut.wav"]
    assert all(reason for _, reason in (*report.unreadable, *report.partial))
    done = project.embed("spectral", **SMALL)
    assert done.run.done == 2
    assert not done.complete
    # The truncated file is covered as far as it goes.
    windows = project.table().windows()
    assert windows.num_rows == 2 + 1


def test_a_file_that_went_missing_and_one_that_changed(
    tmp_path: Path, recordings: Callable[..., Path]
) -> None:
    audio = recordings("a.wav", "b.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", **SMALL)
    (audio / "a.wav").unlink()
    recordings("b.wav", seconds=2.0)
    os.utime(audio / "b.wav", ns=(1, 1))
    report = project.embed()
    assert report.intake.missing == ["a.wav"]
    assert len(report.intake.sync.changed) == 1
    # The new contents are embedded, the old ones are no longer shown.
    assert project.table().windows().num_rows == 4


def test_a_missing_or_empty_folder_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        Project.create(tmp_path / "p", audio=[tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no recording"):
        Project.create(tmp_path / "p", audio=[tmp_path / "empty"])
    assert not (tmp_path / "p").exists()


def test_an_impossible_channel_is_refused(tmp_path: Path, recordings: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="--channel is 'left'"):
        Project.create(tmp_path / "p", audio=[recordings("a.wav")], channel="left")


def test_what_a_metadata_table_says_no_more_is_forgotten(
    tmp_path: Path, recordings: Callable[..., Path]
) -> None:
    audio = recordings("Marsh/x_20260501_043000.wav")
    table = tmp_path / "m.csv"
    header = "file,site,start_time,latitude,observer"
    table.write_text(f"{header}\nx_20260501_043000.wav,Hill,2025-01-01,1,A\n")
    project, _ = Project.create(tmp_path / "p", audio=[audio], metadata=[table])
    (row,) = project.folder.catalogue.recordings().to_pylist()
    assert (row["site"], row["start_time"], row["latitude"]) == ("Hill", datetime(2025, 1, 1), 1.0)
    table.write_text("file,habitat\nx_20260501_043000.wav,bog\n")
    project, report = Project.create(tmp_path / "p", audio=[audio], metadata=[table])
    (row,) = project.folder.catalogue.recordings().to_pylist()
    assert (row["site"], row["start_time"]) == ("Marsh", datetime(2026, 5, 1, 4, 30))
    assert (row["latitude"], row["extra"]) == (None, {"habitat": "bog"})
    assert len(report.sync.updated) == 1
    assert project.embed("spectral", **SMALL).intake.sync.updated == []
