"""The project folder and its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit

from antiphon.errors import FileError, FormatError, StoreError
from antiphon.store.config import read_config, write_config
from antiphon.store.project import ProjectFolder
from tests.store.making import entry, make_project


def audio(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_create_and_open(tmp_path: Path) -> None:
    outside = audio(tmp_path / "Field 1")
    inside = audio(tmp_path / "project" / "clips")
    made = ProjectFolder.create(tmp_path / "project", [outside, inside], channel=1)
    assert ProjectFolder.is_project(made.root)
    folder = ProjectFolder.open(tmp_path / "project")
    assert [root.name for root in folder.config.audio] == ["Field-1", "clips"]
    assert folder.config.audio[1].path == "clips"
    assert folder.config.channel == 1
    assert folder.audio_root("Field-1") == outside
    assert folder.recording_path("clips", "a/b.wav") == inside / "a" / "b.wav"
    for path in (
        folder.vectors_dir,
        folder.models_dir,
        folder.detections_dir,
        folder.reports_dir,
    ):
        assert path.is_dir()
    assert folder.tables() == []


def test_not_a_project(tmp_path: Path) -> None:
    make_project(tmp_path)
    with pytest.raises(StoreError, match=r"not there.*antiphon init"):
        ProjectFolder.open(tmp_path / "gone")
    # Folders above are not looked at.
    with pytest.raises(StoreError, match="not a project"):
        ProjectFolder.open(tmp_path / "project" / "models")
    with pytest.raises(StoreError, match="is a file"):
        ProjectFolder.create(tmp_path / "project" / "antiphon.toml")


def test_creating_twice(tmp_path: Path) -> None:
    root = audio(tmp_path / "a")
    ProjectFolder.create(tmp_path / "p", [root])
    assert ProjectFolder.create(tmp_path / "p", [root]).config.audio[0].name == "a"
    with pytest.raises(StoreError, match="a project already"):
        ProjectFolder.create(tmp_path / "p", [audio(tmp_path / "b")])


def test_adding_folders(tmp_path: Path) -> None:
    folder = ProjectFolder.create(tmp_path / "p", [audio(tmp_path / "x" / "Data")])
    assert folder.add_root(audio(tmp_path / "y" / "Data")) == "Data-2"
    assert folder.add_root(tmp_path / "x" / "Data") == "Data"
    with pytest.raises(FileError, match="not there"):
        folder.add_root(tmp_path / "gone")
    with pytest.raises(StoreError, match="twice"):
        folder.add_root(audio(tmp_path / "x" / "Data" / "deeper"))
    with pytest.raises(StoreError, match="twice"):
        folder.add_root(tmp_path / "x")
    again = ProjectFolder.open(tmp_path / "p")
    assert [root.name for root in again.config.audio] == ["Data", "Data-2"]


def test_moved_disk_needs_one_edit(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    (tmp_path / "audio").rename(tmp_path / "new disk")
    settings = folder.root / "antiphon.toml"
    settings.write_text(
        settings.read_text().replace(str(tmp_path / "audio"), str(tmp_path / "new disk"))
    )
    again = ProjectFolder.open(folder.root)
    first = again.catalogue.recordings().to_pylist()[0]
    path = again.recording_path(first["root"], first["path"])
    assert path == tmp_path / "new disk" / "A" / "0000.wav"


def test_moved_project(tmp_path: Path) -> None:
    make_project(tmp_path).close()
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    folder = ProjectFolder.open(tmp_path / "elsewhere")
    assert folder.catalogue.known_files()[("audio", "A/0001.wav")] == entry(1)


def test_unknown_audio_folder(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    with pytest.raises(StoreError, match=r"no \[\[audio\]\] has the name 'other'"):
        folder.audio_root("other")


def test_comments_survive(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    path = folder.root / "antiphon.toml"
    path.write_text("# mine\n" + path.read_text().replace("[labels]", "[labels]  # half"))
    folder = ProjectFolder.open(folder.root)
    folder.config.labels.min_overlap = 0.25
    folder.add_root(audio(tmp_path / "b"))
    folder.add_metadata("metadata/x.csv")
    written = path.read_text()
    assert written.startswith("# mine\n")
    assert "# half" in written
    again = read_config(path)
    assert again == folder.config
    assert again.labels.min_overlap == 0.25
    assert again.metadata == ["metadata/x.csv"]
    assert [root.name for root in again.audio] == ["audio", "b"]
    assert not list(folder.root.glob(".antiphon.toml.*"))


def test_removed_settings_are_removed(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    folder.add_root(audio(tmp_path / "b"))
    folder.config.audio = folder.config.audio[1:]
    folder.config.catalogue.url = "sqlite://"
    folder.save_config()
    assert read_config(folder.root / "antiphon.toml") == folder.config
    folder.config.catalogue.url = None
    folder.save_config()
    assert read_config(folder.root / "antiphon.toml") == folder.config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chanel": "mix"}, "no setting 'chanel'"),
        ({"channel": "left"}, "channel"),
        ({"channel": -1}, "channel"),
        ({"train": {"precision": 1.5}}, "train.precision"),
        ({"train": {"precison": 0.5}}, "no setting 'train.precison'"),
        ({"audio": [{"name": "a", "path": "x"}, {"name": "a", "path": "y"}]}, "two audio folders"),
        ({"vectors": {"dtype": "int8"}}, "vectors.dtype"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "antiphon.toml"
    path.write_text(tomlkit.dumps(change))
    with pytest.raises(FormatError, match=message) as caught:
        ProjectFolder.open(tmp_path)
    assert str(path) in str(caught.value)


def test_settings_that_are_no_toml(tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("channel = \n")
    with pytest.raises(FormatError, match="not TOML"):
        ProjectFolder.open(tmp_path)


def test_settings_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("format = 2\nunheard = true\n")
    with pytest.raises(StoreError, match=r"format 2.*up to 1.*upgrade"):
        ProjectFolder.open(tmp_path)


def test_settings_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "antiphon.toml"
    folder = make_project(tmp_path / "x")
    write_config(path, folder.config)
    assert read_config(path) == folder.config


def test_no_embeddings(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    with pytest.raises(StoreError, match="antiphon embed"):
        folder.table()
