"""Make a project, or give one more folders of recordings."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from antiphon.audio.reader import ChannelMode
from antiphon.audio.recording import find_recordings
from antiphon.engine.progress import Reporter
from antiphon.errors import FileError, UserError
from antiphon.pipeline.intake import IntakeReport, scan
from antiphon.pipeline.metadata import read_metadata
from antiphon.store.config import FILE_NAME
from antiphon.store.project import ProjectFolder


def create(
    path: Path,
    *,
    audio: Sequence[Path],
    metadata: Sequence[Path] = (),
    channel: str | int | None = None,
    reporter: Reporter | None = None,
) -> tuple[ProjectFolder, IntakeReport]:
    """Make a project folder, or add to one that is there, and read the recordings' headers.

    Everything is checked before anything is written. Metadata tables are copied into the project;
    one of a name that is there replaces it.

    Parameters
    ----------
    channel
        ``mix``, ``each`` or a zero-based number; of a new project ``mix`` when None.

    Raises
    ------
    FileError
        If an audio folder is not there or holds no recording.
    FormatError
        If a metadata table cannot be used.
    UserError
        If the channel is neither ``mix``, ``each`` nor a number, or not that of the project that
        is there, or two metadata tables share a file name.
    """
    if not audio:
        raise UserError("A project needs at least one folder of recordings: --audio DIR")
    wanted = None if channel is None else parse_channel(channel)
    names = [source.name for source in metadata]
    if len(set(names)) < len(names):
        raise UserError(
            f"Two --metadata tables have one file name ({', '.join(names)}); the project keeps "
            "them side by side. Rename one."
        )
    for root in audio:
        if not find_recordings(root):
            raise FileError(root, "there is no recording in this folder", "Give another --audio")
    for source in metadata:
        read_metadata(source)
    if ProjectFolder.is_project(path):
        folder = ProjectFolder.open(path)
        if wanted is not None and wanted != folder.config.channel:
            raise UserError(
                f"--channel is {channel}, and {path} is a project with {folder.config.channel}. "
                f"Change it in {folder.root / FILE_NAME}, or give embed a --channel of its own."
            )
        for root in audio:
            folder.add_root(root)
    else:
        folder = ProjectFolder.create(
            path, list(audio), channel="mix" if wanted is None else wanted
        )
    if metadata:
        for source in metadata:
            copy = folder.root / "metadata" / source.name
            copy.parent.mkdir(exist_ok=True)
            if source.resolve() != copy.resolve():
                shutil.copyfile(source, copy)
            folder.add_metadata(f"metadata/{source.name}")
    return folder, scan(folder, reporter=reporter)


def parse_channel(text: str | int) -> ChannelMode:
    """Return ``mix``, ``each`` or a channel number.

    Raises
    ------
    UserError
        If the text is none of these.
    """
    if text == "mix":
        return "mix"
    if text == "each":
        return "each"
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise UserError(f"--channel is {text!r}; it must be mix, each or a number from 0.")
    return number
