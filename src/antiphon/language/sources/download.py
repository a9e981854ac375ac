"""Get the audio files of rows from their publishers, politely.

A server is asked for its robots.txt first, one file at a time, with a pause between two requests;
a broken file goes on where it stopped, and one that is there is not asked for again.
"""

from __future__ import annotations

import itertools
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.sets.download import AGENT, fetch
from antiphon.evaluation.benchmarks.sets.recipe import Download
from antiphon.language.schema import CorpusRow, read_batches, to_rows
from antiphon.language.sources.findings import ALWAYS, Finding, Item
from antiphon.language.sources.fingerprint import file_digest
from antiphon.language.sources.writing import Outputs, Report, Writer

_TIMEOUT_S = 60.0
_MAGIC = (
    (b"RIFF", ".wav"),
    (b"RF64", ".wav"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"FORM", ".aiff"),
)


@dataclass
class Manners:
    """How servers are asked.

    Parameters
    ----------
    pause_s
        Seconds between two requests to one server; more where its robots.txt says so.
    attempts
        How often a file is tried after a broken connection or a busy server.
    sleep, clock
        Of the ``time`` module; replaced in tests.
    """

    pause_s: float = 1.0
    attempts: int = 3
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _rules: dict[str, RobotFileParser] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def allows(self, url: str) -> bool:
        """Return whether a server's robots.txt lets programs have a file."""
        return self._robots(url).can_fetch(AGENT, url)

    def wait(self, url: str) -> None:
        """Wait until the server of a URL may be asked again."""
        host = urlsplit(url).netloc
        pause = max(self.pause_s, float(self._robots(url).crawl_delay(AGENT) or 0.0))
        last = self._last.get(host)
        if last is not None and (left := last + pause - self.clock()) > 0:
            self.sleep(left)
        self._last[host] = self.clock()

    def _robots(self, url: str) -> RobotFileParser:
        parts = urlsplit(url)
        if parts.netloc not in self._rules:
            self._rules[parts.netloc] = _read_robots(f"{parts.scheme}://{parts.netloc}/robots.txt")
        return self._rules[parts.netloc]


def _read_robots(url: str) -> RobotFileParser:
    """Read a robots.txt: none means that all is allowed, a server in trouble that nothing is.

    That is RFC 9309, 2.3.1.
    """
    rules = RobotFileParser(url)
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            rules.parse(response.read(1 << 19).decode("utf-8", "replace").splitlines())
    except urllib.error.HTTPError as error:
        rules.parse([] if error.code < 500 else ["User-agent: *", "Disallow: /"])
    except OSError:
        rules.parse(["User-agent: *", "Disallow: /"])
    return rules


def download_rows(
    path: Path,
    into: Path,
    out: Path,
    *,
    manners: Manners | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Get the files of the rows of a table that have an address and no file.

    Parameters
    ----------
    path
        The table.
    into
        Folder of the files, one subfolder for each source.
    out
        The table to write: with ``audio_path`` and ``sha256`` of the files that were got. Rows
        whose file could not be got keep their address; the reason is among the remarks.
    manners
        How servers are asked.
    reporter
        Is told what is got.

    Raises
    ------
    FileError
        If the table cannot be read, or a file cannot be written.
    """
    manners = manners or Manners()
    reporter = reporter or Silent()
    writer = Writer("download", ALWAYS)
    numbers = itertools.count()
    with writer.opened(Outputs(out)):
        for batch in read_batches(path):
            places = (f"{path.name}, row {n}" for n in numbers)
            writer.write(
                [
                    _one(row, into, manners, reporter, place)
                    for row, place in zip(to_rows(batch), places, strict=False)
                ]
            )
    return writer.report


def _one(row: CorpusRow, into: Path, manners: Manners, reporter: Reporter, place: str) -> Item:
    if row.audio_url is None or row.audio_path is not None or row.audio_bytes is not None:
        return Item(row, (), place)
    try:
        found = get_file(row, into, manners, reporter)
    except FileError as error:
        return Item(row, (Finding("download_failed", str(error)),), place)
    if found is None:
        return Item(row, (Finding("robots_forbid", row.audio_url),), place)
    digest = file_digest(found)
    if row.sha256 is not None and digest != row.sha256:
        found.unlink()
        said = f"{row.audio_url}: its SHA-256 is {digest}, not {row.sha256}"
        return Item(row, (Finding("download_failed", said),), place)
    return Item(replace(row, audio_path=found.as_posix(), sha256=digest), (), place)


def get_file(
    row: CorpusRow, into: Path, manners: Manners, reporter: Reporter | None = None
) -> Path | None:
    """Get the file of one row; one that is there is returned without a request.

    Returns
    -------
    pathlib.Path or None
        The file; None where robots.txt does not allow it.

    Raises
    ------
    FileError
        If the address is none of the web, or the file cannot be got.
    """
    url = str(row.audio_url)
    folder = into / _safe(row.source)
    stem = _safe(row.source_id or row.id)
    for there in _there(folder, stem):
        return there
    if urlsplit(url).scheme not in ("http", "https"):
        raise FileError(folder / stem, f"{url} is no address of the web", "Get it by hand")
    if not manners.allows(url):
        return None
    manners.wait(url)
    part = folder / f"{stem}.download"
    fetch(
        Download(url=url, file=part.name),
        part,
        reporter=reporter,
        attempts=manners.attempts,
        pause_s=manners.pause_s,
    )
    final = folder / (stem + _suffix(row, part))
    part.replace(final)
    return final


def _there(folder: Path, stem: str) -> Iterator[Path]:
    for suffix in sorted(AUDIO_SUFFIXES):
        path = folder / (stem + suffix)
        if path.is_file():
            yield path


def _suffix(row: CorpusRow, file: Path) -> str:
    """Return the suffix of an audio file: by content, else as its name or address says.

    Raises
    ------
    FileError
        If what came is no audio, such as a page that asks for a login.
    """
    with file.open("rb") as data:
        start = data.read(16)
    for magic, suffix in _MAGIC:
        if start.startswith(magic):
            return suffix
    if start[4:8] == b"ftyp":
        return ".m4a"
    if len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0:
        return ".mp3"
    file.unlink()
    raise FileError(
        file.with_suffix(""), f"{row.audio_url} sent no audio", "Open the address in a browser"
    )


def _safe(name: str) -> str:
    return re.sub(r"[^\w.@-]+", "_", name).strip(".") or "_"
