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
from antiphon.store.project import ProjectFolder


def create(
    path: Path,
    *,
    audio: Sequence[Path],
    metadata: Sequence[Path] = (),
    channel: str | int = "mix",
    reporter: Reporter | None = None,
) -> tuple[ProjectFolder, IntakeReport]:
    """Make a project folder, or add to one that is there, and read the recordings' headers.

    Everything is checked before anything is written. Metadata tables are copied into the project.

    Raises
    ------
    FileError
        If an audio folder is not there or holds no recording.
    FormatError
        If a metadata table cannot be used.
    UserError
        If the channel is neither ``mix``, ``each`` nor a number.
    """
    if not audio:
        raise UserError("A project needs at least one folder of recordings: --audio DIR")
    channel = parse_channel(channel)
    for root in audio:
        if not find_recordings(root):
            raise FileError(root, "there is no recording in this folder", "Give another --audio")
    for source in metadata:
        read_metadata(source)
    if ProjectFolder.is_project(path):
        folder = ProjectFolder.open(path)
        for root in audio:
            folder.add_root(root)
    else:
        folder = ProjectFolder.create(path, list(audio), channel=channel)
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
