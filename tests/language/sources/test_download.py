"""Files are got politely: robots.txt, pauses, resumed halves, nothing twice."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from antiphon.language.schema import CorpusRow, batches, read_batches, to_rows, write_batches
from antiphon.language.sources.download import Manners, download_rows


def wav() -> bytes:
    data = io.BytesIO()
    noise = np.random.default_rng(0).standard_normal(8000)
    sf.write(data, 0.1 * noise, 16_000, format="WAV")
    return data.getvalue()


SOUND = wav()
ROBOTS = b"User-agent: *\nDisallow: /private/\nCrawl-delay: 2\n"


class Server(ThreadingHTTPServer):
    """Serves one sound, breaks off once, and keeps a list of what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.agents: set[str] = set()
        self.robots: int | bytes = ROBOTS
        self.break_at: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        self.server.agents.add(self.headers.get("User-Agent", ""))
        if self.path == "/robots.txt":
            robots = self.server.robots
            self._answer(200, robots) if isinstance(robots, bytes) else self.send_error(robots)
        elif self.path == "/gone":
            self.send_error(404)
        elif self.path == "/page":
            self._answer(200, b"<html>log in</html>")
        else:
            self._sound()

    def _sound(self) -> None:
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = SOUND[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        self.end_headers()
        if self.server.break_at is not None:
            self.wfile.write(body[: self.server.break_at])
            self.server.break_at = None
            self.close_connection = True
            return
        self.wfile.write(body)

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def manners(self, **settings: float) -> Manners:
        return Manners(**settings, sleep=self.sleep, clock=lambda: self.now)  # type: ignore[arg-type]


def table(path: Path, *urls: str, **facts: object) -> Path:
    rows = [
        CorpusRow(id=f"s:{n}", source="s", source_id=f"{n}/x", audio_url=url, **facts)  # type: ignore[arg-type]
        for n, url in enumerate(urls)
    ]
    write_batches(path, batches(rows))
    return path


def rows_of(path: Path) -> list[CorpusRow]:
    return [row for batch in read_batches(path) for row in to_rows(batch)]


def test_files_are_got_one_by_one_with_pauses(server, tmp_path):
    watch = Watch()
    path = table(tmp_path / "in.parquet", f"{server.url}/a", f"{server.url}/b", f"{server.url}/c")
    out = tmp_path / "out.parquet"
    report = download_rows(path, tmp_path / "audio", out, manners=watch.manners(pause_s=0.5))
    assert report.rows == 3
    assert report.remarks == {}
    # robots.txt asks for more time than we would take.
    assert watch.slept == [2.0, 2.0]
    assert [name for name, _ in server.asked] == ["/robots.txt", "/a", "/b", "/c"]
    assert all(agent.startswith("antiphon/") for agent in server.agents)
    got = rows_of(out)
    assert got[0].audio_path == (tmp_path / "audio/s/0_x.wav").as_posix()
    assert Path(got[0].audio_path).read_bytes() == SOUND
    assert got[0].sha256 == hashlib.sha256(SOUND).hexdigest()
    # A second run asks for nothing.
    before = len(server.asked)
    again = download_rows(path, tmp_path / "audio", tmp_path / "again.parquet")
    assert again.rows == 3
    assert len(server.asked) == before
    assert rows_of(tmp_path / "again.parquet") == got


def test_a_broken_file_goes_on_where_it_stopped(server, tmp_path):
    server.break_at = 5000
    path = table(tmp_path / "in.parquet", f"{server.url}/a")
    out = tmp_path / "out.parquet"
    # The first try ends half-way; the pause before the second is the fetcher's own.
    first = download_rows(path, tmp_path / "audio", out, manners=Watch().manners(attempts=1))
    assert first.remarks == {"download_failed": 1}
    assert rows_of(out)[0].audio_path is None
    second = download_rows(path, tmp_path / "audio", out, manners=Watch().manners(attempts=1))
    assert second.remarks == {}
    assert [asked for name, asked in server.asked if name == "/a"] == [None, "bytes=5000-"]
    assert Path(str(rows_of(out)[0].audio_path)).read_bytes() == SOUND


def test_what_robots_forbid_is_not_asked_for(server, tmp_path):
    path = table(tmp_path / "in.parquet", f"{server.url}/private/a")
    out = tmp_path / "out.parquet"
    report = download_rows(path, tmp_path / "audio", out, manners=Watch().manners())
    assert report.remarks == {"robots_forbid": 1}
    assert [name for name, _ in server.asked] == ["/robots.txt"]
    assert rows_of(out)[0].audio_url == f"{server.url}/private/a"


@pytest.mark.parametrize(("answer", "expected"), [(404, {}), (503, {"robots_forbid": 1})])
def test_no_robots_allow_all_and_a_sick_server_nothing(server, tmp_path, answer, expected):
    server.robots = answer
    path = table(tmp_path / "in.parquet", f"{server.url}/a")
    out = tmp_path / "out.parquet"
    report = download_rows(path, tmp_path / "audio", out, manners=Watch().manners())
    assert report.remarks == expected


def test_what_is_no_sound_or_another_one_is_not_kept(server, tmp_path):
    urls = (f"{server.url}/gone", f"{server.url}/page", "ftp://example.org/a.wav")
    path = table(tmp_path / "in.parquet", *urls)
    out = tmp_path / "out.parquet"
    report = download_rows(path, tmp_path / "audio", out, manners=Watch().manners())
    assert report.remarks == {"download_failed": 3}
    said = " ".join(report.examples["download_failed"])
    assert "HTTP 404" in said
    assert "sent no audio" in said
    assert "no address of the web" in said
    wrong = table(tmp_path / "wrong.parquet", f"{server.url}/a", sha256="0" * 64)
    report = download_rows(wrong, tmp_path / "audio", out, manners=Watch().manners())
    assert report.remarks == {"download_failed": 1}
    assert [p for p in (tmp_path / "audio").rglob("*") if p.suffix == ".wav"] == []
