"""Get a publisher's files: resumed, checked, unpacked; never where a login or a licence forbids."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO

from antiphon._version import __version__
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, UserError
from antiphon.evaluation.benchmarks.sets.dataset import BenchmarkDataset
from antiphon.evaluation.benchmarks.sets.recipe import Download
from antiphon.replacing import replacing

AGENT = f"antiphon/{__version__} (bioacoustics benchmark; https://antiphon.readthedocs.io)"
_CHUNK = 1 << 20
_TIMEOUT_S = 60.0
_BUSY = (429, 503)
# RuntimeError: encrypted, or packed in a way that Python does not know; ValueError: an odd name.
_UNPACKING = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, ValueError),
)


def download_dataset(
    dataset: BenchmarkDataset,
    *,
    reporter: Reporter | None = None,
    attempts: int = 3,
    pause_s: float = 2.0,
) -> list[Path]:
    """Get and unpack all files of a data set that are not there yet.

    Archives that are there already, from whatever source, are unpacked without a request.

    Parameters
    ----------
    dataset
        Recipe and folder.
    attempts
        How often a file is tried after a broken connection or a busy server; each goes on where
        the last one stopped.
    pause_s
        Before the second attempt, doubled for each further one; a server that says how long to
        wait is obeyed up to a minute.

    Returns
    -------
    list of Path
        The files, in the order of the recipe.

    Raises
    ------
    UserError
        If the data set has to be got by hand; the message says how.
    FileError
        If a file cannot be got, its checksum differs, or an archive is damaged.
    """
    recipe = dataset.recipe
    if recipe.refused:
        raise UserError(
            f"{recipe.name} is not downloaded: {recipe.refused}. Put it into {dataset.folder} "
            f"(licence: {recipe.licence}; {recipe.page})"
        )
    reporter = reporter or Silent()
    reporter.note(f"{recipe.name}: licence {recipe.licence}; {recipe.page}")
    paths = []
    for one in recipe.downloads:
        path = dataset.folder / one.file
        if not path.is_file():
            fetch(one, path, reporter=reporter, attempts=attempts, pause_s=pause_s)
        check_md5(path, one.md5)
        unpack(path, dataset.folder / one.into)
        paths.append(path)
    return paths


def fetch(
    one: Download,
    path: Path,
    *,
    reporter: Reporter | None = None,
    attempts: int = 3,
    pause_s: float = 2.0,
) -> None:
    """Get one file to ``path``; what is there of an earlier attempt is not asked for again.

    Raises
    ------
    FileError
        If the server refuses, the connection keeps breaking, the disk is full, or the checksum
        differs.
    """
    reporter = reporter or Silent()
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(path.parent, f"it cannot be made ({error.strerror})") from error
    for attempt in range(1, attempts + 1):
        try:
            _get(one.url, part, reporter)
            break
        except urllib.error.HTTPError as error:
            if error.code not in _BUSY or attempt == attempts:
                raise _refused(one.url, path, error) from error
            wait = _seconds(error.headers.get("Retry-After"), pause_s * 2 ** (attempt - 1))
        except (OSError, HTTPException) as error:
            if isinstance(error, FileError) or attempt == attempts:
                raise FileError(
                    path,
                    f"it could not be got from {one.url} ({error})",
                    "Check the connection and run the same command again; it goes on where it "
                    "stopped",
                ) from error
            wait = pause_s * 2 ** (attempt - 1)
        reporter.note(f"{one.url}: trying again in {wait:.0f} s")
        time.sleep(wait)
    check_md5(part, one.md5)
    part.replace(path)
    _stamp(part).unlink(missing_ok=True)


def check_md5(path: Path, expected: str) -> None:
    """Compare a file with its publisher's checksum; an empty one is not compared.

    Raises
    ------
    FileError
        If it differs. A half-loaded file is removed, so that the next attempt starts anew.
    """
    if not expected:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found == expected.lower():
        return
    if path.suffix == ".part":
        path.unlink()
    raise FileError(
        path,
        f"its MD5 is {found}, the publisher's {expected}",
        "Remove it and run the command again; if it stays so, the publisher has changed the file",
    )


def unpack(path: Path, into: Path) -> int:
    """Unpack a zip or tar archive, and zip files inside it; other files are left alone.

    An archive is unpacked once; a mark beside it says so.

    Returns
    -------
    int
        Files written.

    Raises
    ------
    FileError
        If it is damaged, or a member would be written outside of ``into``.
    """
    mark = path.with_name(f".{path.name}.unpacked")
    size = path.stat().st_size
    if not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)):
        return 0
    if mark.is_file() and mark.read_text() == str(size):
        return 0
    try:
        written = [p for name, data in _members(path) if (p := _write(into, name, data, path))]
        count = len(written)
        for inner in written:
            if inner.suffix.lower() == ".zip":
                count += unpack(inner, inner.parent)
    except _UNPACKING as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            path, f"it cannot be unpacked ({error})", "Remove it and get it again"
        ) from error
    mark.write_text(str(size))
    return count


def _get(url: str, part: Path, reporter: Reporter) -> None:
    """Append to ``part`` what is still missing of a URL."""
    stamp = _stamp(part)
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    tag = _read_stamp(stamp, url)
    if have and tag:
        # If-Range: a file that changed meanwhile comes whole, so that halves never mix.
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    else:
        have = 0
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
        if response.status != 206:
            have = 0
        length = _length(response)
        _space(part, length)
        new_tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if new_tag and not new_tag.startswith("W/"):
            stamp.write_text(json.dumps({"url": url, "tag": new_tag}), encoding="utf-8")
        reporter.start(f"Getting {part.stem}", None if length is None else length / 1e6, "MB")
        got = 0
        with part.open("ab" if have else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                got += len(chunk)
                reporter.advance(len(chunk) / 1e6)
        reporter.finish()
        if length is not None and got < length:
            raise ConnectionError(f"the connection ended after {have + got:,} bytes")


def _length(response: HTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _space(part: Path, length: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    if length is not None and length > free:
        raise FileError(
            part.parent,
            f"{length / 1e9:.1f} GB are to come, {free / 1e9:.1f} GB are free",
            "Free some space, or choose another --data",
        )


def _refused(url: str, path: Path, error: urllib.error.HTTPError) -> FileError:
    if error.code in (401, 403):
        return FileError(
            path,
            f"{url} asks for a login or an accepted licence (HTTP {error.code})",
            "Get it by hand from the publisher's page and put it here",
        )
    if error.code in (404, 410):
        return FileError(
            path,
            f"{url} is not there any more (HTTP {error.code})",
            "Look on the publisher's page for its new place and put the file here",
        )
    return FileError(
        path, f"{url} answered HTTP {error.code} {error.reason}", "Try again later, or by hand"
    )


def _seconds(text: str | None, otherwise: float) -> float:
    return min(60.0, float(text)) if text and text.isdigit() else otherwise


def _stamp(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_stamp(stamp: Path, url: str) -> str:
    try:
        facts = json.loads(stamp.read_text(encoding="utf-8"))
        return str(facts["tag"]) if facts["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as file:
                        yield info.filename, file
        return
    with tarfile.open(path) as archive:
        for member in archive:
            found = archive.extractfile(member) if member.isfile() else None
            if found is not None:
                yield member.name, found


def _write(into: Path, name: str, data: IO[bytes], archive: Path) -> Path | None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[-1].startswith("._") or "__MACOSX" in parts:
        return None
    target = into.joinpath(*parts)
    if name.startswith("/") or ".." in parts or not target.resolve().is_relative_to(into.resolve()):
        raise FileError(archive, f"its member {name!r} leads out of {into}", "Do not use it")
    with replacing(target, alone=True) as part, part.open("wb") as file:
        shutil.copyfileobj(data, file, _CHUNK)
    return target
