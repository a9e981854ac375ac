"""The compiled file: a ZIP archive without compression whose members are Arrow IPC files.

Nothing is read when it is opened: members are mapped into memory where they lie, and the operating
system loads the pages that a look-up touches. Any program that reads ZIP and Arrow reads it.
"""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import FileError, FormatError

FORMAT = "antiphon-taxonomy"
FORMAT_VERSION = 1
META = "meta.json"

_ALIGNMENT = 64
_HEADER = struct.Struct("<4s5H3L2H")
_PADDING_ID = 0xD935


def write_container(path: Path, members: dict[str, Path], meta: dict[str, Any]) -> None:
    """Put files and a description into one archive, each at a multiple of 64 bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, source in members.items():
            info = zipfile.ZipInfo(name)
            info.file_size = source.stat().st_size
            # zipfile adds a field of 20 bytes with 64-bit sizes to a large member.
            large = 20 if info.file_size * 1.05 > zipfile.ZIP64_LIMIT else 0
            assert archive.fp is not None
            begin = archive.fp.tell() + _HEADER.size + len(name.encode()) + large + 4
            info.extra = struct.pack("<HH", _PADDING_ID, pad := -begin % _ALIGNMENT) + bytes(pad)
            with source.open("rb") as read, archive.open(info, "w") as write:
                shutil.copyfileobj(read, write, 1 << 20)
        archive.writestr(META, json.dumps(meta, indent=1, ensure_ascii=False))


class Container:
    """A compiled file, opened.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If it is no compiled taxonomy, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.meta: dict[str, Any] = json.loads(archive.read(META))
                self._members = {info.filename: info for info in archive.infolist()}
            self._map = pa.memory_map(str(path))
        except OSError as error:
            raise FileError(path, f"cannot be read ({error.strerror or error})") from error
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise self._not_one(f"({error})") from error
        if not isinstance(self.meta, dict) or self.meta.get("format") != FORMAT:
            raise self._not_one("")
        if self.meta["format_version"] != FORMAT_VERSION:
            raise FormatError(
                path,
                f"is of format {self.meta['format_version']}; this Antiphon reads {FORMAT_VERSION}",
                "Compile it again with 'antiphon taxonomy compile'",
            )
        self._buffer = self._map.read_buffer()

    def reader(self, name: str) -> Any:
        """Return the Arrow IPC reader of a member; its batches lie in the mapped file.

        Raises
        ------
        FormatError
            If the member is missing or damaged.
        """
        info = self._members.get(name)
        if info is None:
            raise self._not_one(f"(it lacks {name})")
        head = self._buffer.slice(info.header_offset, _HEADER.size).to_pybytes()
        fields = _HEADER.unpack(head)
        begin = info.header_offset + _HEADER.size + fields[-2] + fields[-1]
        try:
            part = self._buffer.slice(begin, info.file_size)
            return pa.ipc.open_file(pa.BufferReader(part))
        except (pa.ArrowInvalid, IndexError) as error:
            raise self._not_one(f"({name}: {error})") from error

    def batch(self, name: str) -> pa.RecordBatch:
        """Return the only batch of a member."""
        return self.reader(name).get_batch(0)

    def close(self) -> None:
        """Let go of the file; what was read from it stays valid until it is let go of too."""
        self._map.close()

    def _not_one(self, why: str) -> FormatError:
        return FormatError(
            self.path,
            f"is not a compiled taxonomy, or a damaged one {why}".rstrip(),
            "Make it with 'antiphon taxonomy compile'",
        )
