"""Tar shards in the WebDataset layout: written from recordings, read at any place.

A shard is a plain, uncompressed tar. The files of one example lie next to each other and share
their name up to its first dot: ``KEY.flac`` (or another audio suffix) and ``KEY.json``. The JSON
is an object with any of

- ``labels``: names present in the whole clip (``label``, a single name, is read as well),
- ``annotations``: objects of ``label``, ``start_s``, ``end_s`` and ``presence``,
- ``reviewed``: whether what is not named was looked for,
- ``group``: what must not lie on both sides of a split,
- ``side``: "training" or "validation", where that is decided already,
- ``duration_s``.

``classes.csv`` beside the shards, if there is one, is a table of names as
:func:`antiphon.training.data.labels.read_taxonomy` reads it. ``NAME.index.parquet`` beside
``NAME.tar`` spares the walk through the tar; one that does not fit the tar's size is not used.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.errors import FileError, FormatError

_INDEX_SCHEMA = pa.schema(
    [("key", pa.string()), ("offset", pa.int64()), ("size", pa.int64()), ("facts", pa.string())]
)


class ShardWriter:
    """Write examples into ``shard-000000.tar`` and so on.

    Parameters
    ----------
    folder
        Made where it is missing; it must not hold shards.
    shard_bytes
        A shard is closed once it is this large.

    Raises
    ------
    FileError
        The folder holds shards already, or cannot be made.
    """

    def __init__(self, folder: Path, shard_bytes: int = 1 << 30) -> None:
        self._folder = Path(folder)
        self._limit = shard_bytes
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(folder, f"cannot be made ({error.strerror or error})") from error
        if any(self._folder.glob("*.tar")):
            raise FileError(folder, "holds shards already", "Give an empty folder")
        self._number = 0
        self._tar: tarfile.TarFile | None = None
        self._rows: list[dict[str, Any]] = []
        self._keys: set[str] = set()

    @property
    def written(self) -> int:
        """Examples written so far."""
        return len(self._keys)

    def add(self, name: str, audio: bytes, suffix: str, facts: Mapping[str, Any]) -> str:
        """Add an example and return its key.

        Parameters
        ----------
        name
            Such as the recording's relative path; dots, which end a key, become "_".
        audio
            The file as it is.
        suffix
            Of the file, such as ``.flac``.
        facts
            The JSON.
        """
        key = PurePosixPath(name).as_posix().lstrip("/").replace(".", "_")
        base, number = key, 2
        while key in self._keys:
            key, number = f"{base}-{number}", number + 1
        self._keys.add(key)
        if self._tar is None:
            place = self._folder / f"shard-{self._number:06d}.tar"
            self._tar = tarfile.open(place, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        text = json.dumps(dict(facts), ensure_ascii=False)
        offset = self._append(key + suffix.lower(), audio)
        self._append(f"{key}.json", text.encode())
        self._rows.append({"key": key, "offset": offset, "size": len(audio), "facts": text})
        if self._tar.offset >= self._limit:
            self._finish_shard()
        return key

    def _append(self, name: str, content: bytes) -> int:
        assert self._tar is not None
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self._tar.addfile(info, io.BytesIO(content))
        # Content is padded to whole blocks of 512 bytes.
        return int(self._tar.offset) - -(-len(content) // 512) * 512

    def _finish_shard(self) -> None:
        if self._tar is None:
            return
        self._tar.close()
        place = Path(str(self._tar.name))
        _write_index(place, self._rows)
        self._tar, self._rows, self._number = None, [], self._number + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish_shard()


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """What is in one tar.

    Parameters
    ----------
    path
        The tar.
    key, offset, size
        Of each example's audio: name, first byte, bytes.
    facts
        The JSON of each, as an object.
    without_audio
        Keys that have no audio file.
    """

    path: Path
    key: list[str]
    offset: list[int]
    size: list[int]
    facts: list[dict[str, Any]]
    without_audio: tuple[str, ...] = ()


def read_index(path: Path) -> ShardIndex:
    """List the examples of a shard, from the index beside it or from the tar itself.

    Raises
    ------
    FormatError
        It is no tar, is cut short, or a JSON in it is not an object.
    """
    rows = _index_beside(path)
    lost: tuple[str, ...] = ()
    if rows is None:
        rows, lost = _walk(path)
    facts = []
    for row in rows:
        try:
            value = json.loads(row["facts"])
        except ValueError as error:
            raise FormatError(path, f"{row['key']}.json is not valid JSON: {error}") from error
        if not isinstance(value, dict):
            raise FormatError(path, f"{row['key']}.json is not an object")
        facts.append(value)
    return ShardIndex(
        path,
        [row["key"] for row in rows],
        [row["offset"] for row in rows],
        [row["size"] for row in rows],
        facts,
        lost,
    )


def _walk(path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    rows: dict[str, dict[str, Any]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            while (member := tar.next()) is not None:
                # A tar keeps every header it has passed, unless told to forget.
                tar.members = []  # type: ignore[attr-defined]
                if not member.isfile():
                    continue
                folder, _, file = member.name.rpartition("/")
                stem, _, suffix = file.partition(".")
                if not stem:
                    continue
                key = f"{folder}/{stem}" if folder else stem
                row = rows.setdefault(key, {"key": key, "offset": -1, "size": 0, "facts": "{}"})
                if f".{suffix.lower()}" in AUDIO_SUFFIXES:
                    if row["offset"] >= 0:
                        raise FormatError(path, f"{key!r} has two audio files")
                    row["offset"], row["size"] = member.offset_data, member.size
                elif suffix.lower() == "json":
                    content = tar.extractfile(member)
                    assert content is not None
                    row["facts"] = content.read().decode("utf-8", errors="replace")
            # tarfile takes a header that is cut for the end; a whole tar ends with zeros.
            assert tar.fileobj is not None
            tar.fileobj.seek(tar.offset)
            ended = tar.fileobj.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
    except (tarfile.TarError, OSError) as error:
        raise FormatError(path, f"is not a whole tar: {error}", "Copy it again") from error
    if not ended:
        raise FormatError(path, "is cut short", "Copy it again")
    lost = tuple(key for key, row in rows.items() if row["offset"] < 0)
    return [row for row in rows.values() if row["offset"] >= 0], lost


def _index_place(path: Path) -> Path:
    return path.with_suffix(".index.parquet")


def _write_index(path: Path, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, schema=_INDEX_SCHEMA)
    pq.write_table(
        table.replace_schema_metadata({"bytes": str(path.stat().st_size)}), _index_place(path)
    )


def _index_beside(path: Path) -> list[dict[str, Any]] | None:
    place = _index_place(path)
    if not place.is_file():
        return None
    try:
        table = pq.read_table(place)
    except (pa.ArrowInvalid, OSError) as error:
        raise FormatError(place, f"cannot be read: {error}", "Remove it") from error
    stated = (table.schema.metadata or {}).get(b"bytes", b"").decode()
    if stated != str(path.stat().st_size) or table.schema.names != _INDEX_SCHEMA.names:
        return None
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
