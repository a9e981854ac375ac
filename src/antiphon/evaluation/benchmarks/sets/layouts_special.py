"""Readers of formats of their own: songs in XML, and BirdSet's Parquet tables."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.encoders.checking import Strict
from antiphon.errors import FileError, FormatError
from antiphon.evaluation.benchmarks.sets.items import Absent, Item, Split
from antiphon.evaluation.benchmarks.sets.rows import AudioByName, inside, read_text


class SongOptions(Strict):
    """Notes of songs in XML.

    Parameters
    ----------
    annotation
        The XML file.
    audio
        Folder of the recordings.
    sample_rate
        Hz that positions and lengths count in.
    individual
        Who sings.
    """

    annotation: str
    audio: str
    sample_rate: int
    individual: str = ""


def read_song_xml(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read each note of each song as a clip.

    The position of a note counts from the start of its sequence, that of a sequence from the
    start of the recording (Koumura and Okanoya 2016).
    """
    from xml.etree import ElementTree

    given = SongOptions.model_validate(options)
    path = inside(folder, given.annotation)
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise FormatError(path, f"it is no valid XML: {error}") from error
    items: list[Item] = []
    absent: set[str] = set()
    total = 0
    for number, sequence in enumerate(root.iter("Sequence"), start=1):
        name = (sequence.findtext("WaveFileName") or "").strip()
        audio = inside(folder, f"{given.audio}/{name}")
        offset = _whole(path, sequence.findtext("Position"), f"Position of sequence {number}")
        for note in sequence.iter("Note"):
            total += 1
            if not audio.is_file():
                absent.add(name)
                continue
            begin = offset + _whole(path, note.findtext("Position"), f"a note of sequence {number}")
            length = _whole(path, note.findtext("Length"), f"a note of sequence {number}")
            items.append(
                Item(
                    audio,
                    ((note.findtext("Label") or "").strip(),),
                    start_s=begin / given.sample_rate,
                    end_s=(begin + length) / given.sample_rate,
                    individual=given.individual,
                )
            )
    if not total:
        raise FormatError(path, "it holds no Note", "Get it from its publisher again")
    return items, Absent(sorted(absent)).note(len(absent) + len({i.path for i in items}))


def _whole(path: Path, text: str | None, what: str) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise FormatError(path, f"{what} is {text!r} and no whole number") from None


class BirdSetOptions(Strict):
    """Parquet tables of BirdSet; audio is found by its name.

    Parameters
    ----------
    train, test
        Table of focal recordings, and of 5-s soundscape segments.
    """

    train: str
    test: str


def read_birdset(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read focal recordings (train) and 5-s segments (test), each with any number of species."""
    given = BirdSetOptions.model_validate(options)
    names = AudioByName([folder], AUDIO_SUFFIXES)
    items: list[Item] = []
    absent, total = Absent(), 0
    sides: tuple[tuple[Split, str], ...] = (("train", given.train), ("test", given.test))
    for side, name in sides:
        rows = _parquet(inside(folder, name))
        merged: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            file = str(row["filepath"]).replace("\\", "/").rsplit("/", 1)[-1]
            merged[file] |= _species(row, side)
        for file in sorted(merged):
            total += 1
            audio = names.get(file)
            if audio is None:
                absent.names.append(file)
                continue
            items.append(
                Item(
                    audio,
                    tuple(sorted(merged[file])),
                    split=side,
                    recording=_recording(audio.stem) if side == "test" else "",
                )
            )
    if not items:
        raise FileError(
            folder,
            "none of the audio files of its tables is there",
            "Unpack the publisher's archives (.tar.gz) below it; --download does, and takes "
            "archives that are there already",
        )
    return items, absent.note(total)


def _parquet(path: Path) -> list[dict[str, object]]:
    import pyarrow.parquet as pq
    from pyarrow.lib import ArrowException

    if not path.is_file():
        raise FileError(path, "there is no such file", "Check --data, or get it with --download")
    try:
        schema = pq.read_schema(path)
        lacking = [c for c in ("filepath",) if c not in schema.names]
        wanted = [c for c in ("ebird_code_multilabel", "ebird_code") if c in schema.names]
        if lacking or not wanted:
            raise FormatError(
                path,
                "it has no columns filepath and ebird_code_multilabel or ebird_code; its columns "
                f"are {', '.join(schema.names)}",
                "Get it from its publisher again",
            )
        rows: list[dict[str, object]] = pq.read_table(
            path, columns=["filepath", *wanted]
        ).to_pylist()
    except ArrowException as error:
        raise FormatError(path, f"it is no valid Parquet file: {error}") from error
    return rows


def _species(row: dict[str, object], side: Split) -> set[str]:
    several = row.get("ebird_code_multilabel")
    if isinstance(several, list) and (several or side == "test"):
        return {str(code) for code in several}
    one = row.get("ebird_code")
    return {str(one)} if one not in (None, "") else set()


def _recording(stem: str) -> str:
    """Return the recording of a segment named RECORDING_START_END."""
    parts = stem.rsplit("_", 2)
    return parts[0] if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit() else stem
