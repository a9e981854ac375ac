"""The project folder: settings, and where everything of a project lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from antiphon.errors import FileError, StoreError
from antiphon.store.config import FILE_NAME, AudioRoot, ProjectConfig, read_config, write_config
from antiphon.store.faults import writing
from antiphon.store.filenames import original

if TYPE_CHECKING:
    from antiphon.store.catalogue import Catalogue
    from antiphon.store.vectors import VectorTable

_FOLDERS = ("vectors", "models", "detections", "reports")


class ProjectFolder:
    """A project on disk.

    Parameters
    ----------
    root
        The folder.
    config
        Its settings; use :meth:`open` or :meth:`create`.
    """

    def __init__(self, root: Path, config: ProjectConfig) -> None:
        self.root = root
        self.config = config
        self._catalogue: Catalogue | None = None

    @staticmethod
    def is_project(path: Path) -> bool:
        """Return whether a folder holds a project."""
        return (path / FILE_NAME).is_file()

    @classmethod
    def open(cls, path: Path) -> ProjectFolder:
        """Open a project; folders above ``path`` are not looked at.

        Raises
        ------
        StoreError
            If the folder is no project, or one of a newer version.
        FormatError
            If its settings cannot be used.
        """
        path = Path(path)
        if not cls.is_project(path):
            what = "this folder is not there" if not path.is_dir() else "this is not a project"
            raise StoreError(
                f"{path}: {what} (a project holds {FILE_NAME}). Give the project's folder, or "
                f"make one: antiphon init {path} --audio DIR"
            )
        path = path.resolve()
        folder = cls(path, read_config(path / FILE_NAME))
        folder._make_folders()
        return folder

    @classmethod
    def create(
        cls, path: Path, audio_roots: Sequence[Path] = (), *, channel: str | int = "mix"
    ) -> ProjectFolder:
        """Make a project.

        The same call over a project that is there opens it; one with other audio folders is an
        error (add them with :meth:`add_root`).

        Raises
        ------
        FileError
            If an audio folder is not there.
        StoreError
            If the folder is a project already, with other audio folders.
        """
        path = Path(path).absolute()
        if cls.is_project(path):
            folder = cls.open(path)
            have = {folder.audio_root(root.name).resolve() for root in folder.config.audio}
            wanted = {Path(root).resolve() for root in audio_roots}
            if have == wanted and folder.config.channel == channel:
                return folder
            raise StoreError(
                f"{path}: there is a project already, with other settings. Choose another "
                "folder, or add audio folders to it."
            )
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path}: is a file; a project is a folder. Choose another name.")
        config = ProjectConfig.model_validate({"channel": channel})
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        folder = cls(path.resolve(), config)
        for root in audio_roots:
            folder._append_root(Path(root))
        folder._make_folders()
        # The settings come last: a folder with settings is a project, whole.
        folder.save_config()
        return folder

    def _make_folders(self) -> None:
        with writing(self.root):
            for name in _FOLDERS:
                (self.root / name).mkdir(exist_ok=True)

    @property
    def vectors_dir(self) -> Path:
        """Tables of embeddings and the write-ahead files of their workers."""
        return self.root / "vectors"

    @property
    def models_dir(self) -> Path:
        """Trained detectors."""
        return self.root / "models"

    @property
    def detections_dir(self) -> Path:
        """Results of detectors, one table each."""
        return self.root / "detections"

    @property
    def reports_dir(self) -> Path:
        """Reports."""
        return self.root / "reports"

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue, opened at first use.

        Raises
        ------
        StoreError
            If a newer Antiphon wrote it, or it is damaged, locked or cannot be reached.
        """
        if self._catalogue is None:
            from antiphon.store.catalogue import Catalogue

            path = self.root / "catalogue.db"
            self._catalogue = Catalogue.open(path, self.config.catalogue.url)
        return self._catalogue

    def close(self) -> None:
        """Close the catalogue; it opens again at the next use."""
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None

    def save_config(self) -> None:
        """Write the settings back; comments in the file are kept."""
        write_config(self.root / FILE_NAME, self.config)

    # Audio folders

    def audio_root(self, name: str) -> Path:
        """Return where an audio folder is now.

        Raises
        ------
        StoreError
            If the settings have no folder of that name.
        """
        for root in self.config.audio:
            if root.name == name:
                return (self.root / Path(root.path).expanduser()).absolute()
        raise StoreError(
            f"{self.root / FILE_NAME}: no [[audio]] has the name {name!r}, which recordings of "
            "the catalogue use. Add it again, with the folder's path."
        )

    def recording_path(self, root: str, relative: str) -> Path:
        """Return where a recording of the catalogue is now."""
        return self.audio_root(root) / PurePosixPath(original(relative))

    def add_root(self, path: Path) -> str:
        """Add an audio folder and return its name; one that is there already keeps its name.

        Raises
        ------
        FileError
            If it is not a folder.
        StoreError
            If it lies in an audio folder of the project or around one; its recordings would be
            there twice.
        """
        name = self._append_root(Path(path))
        self.save_config()
        return name

    def _append_root(self, path: Path) -> str:
        if not path.is_dir():
            raise FileError(path, "this folder is not there", "Check the path")
        real = path.resolve()
        for root in self.config.audio:
            other = self.audio_root(root.name).resolve()
            if real == other:
                return root.name
            if real.is_relative_to(other) or other.is_relative_to(real):
                inner, outer = (real, other) if real.is_relative_to(other) else (other, real)
                raise StoreError(
                    f"{inner} lies within {outer}, which makes its recordings count twice. Give "
                    "only one of the two as an audio folder."
                )
        inside = real.is_relative_to(self.root)
        stored = real.relative_to(self.root).as_posix() if inside else str(real)
        base = re.sub(r"[^\w.-]+", "-", real.name).strip("-.") or "audio"
        taken = {root.name for root in self.config.audio}
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        self.config.audio = [*self.config.audio, AudioRoot(name=name, path=stored)]
        return name

    def add_metadata(self, path: str) -> None:
        """Add a metadata table, by its path relative to the project; once."""
        if path not in self.config.metadata:
            self.config.metadata = [*self.config.metadata, path]
            self.save_config()

    # Tables of embeddings

    def open_vectors(
        self,
        encoder: str,
        fingerprint: str,
        spec: Mapping[str, Any],
        windows: Mapping[str, Any],
        dim: int,
        *,
        origin: Mapping[str, Any] | None = None,
    ) -> VectorTable:
        """Return the table of embeddings for an encoder and a way to cut windows.

        Any difference in fingerprint, windows, ``dim`` or number type makes another table.

        Parameters
        ----------
        encoder
            Short name of the encoder.
        fingerprint
            Digest of all that changes an embedding.
        spec
            The encoder's facts as plain JSON values.
        windows
            ``window_s``, ``hop_s``, ``channel``.
        dim
            Length of an embedding.
        origin
            How the encoder can be made again; no part of the table's identity.

        Raises
        ------
        StoreError
            If the table on disk is not the one the catalogue speaks of.
        """
        from antiphon.store.vectors import VectorTable

        return VectorTable.ensure(
            self,
            encoder=encoder,
            fingerprint=fingerprint,
            spec=spec,
            windows=windows,
            dim=dim,
            origin=origin or {},
        )

    def tables(self) -> list[VectorTable]:
        """Return the tables of embeddings, the newest last."""
        from antiphon.store.vectors import VectorTable

        return [VectorTable.open(self, row) for row in self.catalogue.tables()]

    def table(self, name: str | None = None) -> VectorTable:
        """Return a table by its name or its encoder's; the newest when several fit or None.

        Raises
        ------
        StoreError
            If there is none.
        """
        from antiphon.store.vectors import VectorTable

        rows = self.catalogue.tables()
        fitting = [row for row in rows if name is None or name in (row.name, row.encoder)]
        if not fitting:
            if rows:
                raise StoreError(
                    f"There are no embeddings {name!r} in {self.root}. There are: "
                    f"{', '.join(row.name for row in rows)}."
                )
            raise StoreError(
                f"There are no embeddings in {self.root} yet. Make some with: "
                f"antiphon embed {self.root} --encoder spectral"
            )
        return VectorTable.open(self, fitting[-1])
