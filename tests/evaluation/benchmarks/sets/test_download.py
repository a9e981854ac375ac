"""Downloads from a server of this test: resumed, checked, unpacked, refused."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antiphon.errors import FileError, UserError
from antiphon.evaluation.benchmarks.sets.dataset import BenchmarkDataset
from antiphon.evaluation.benchmarks.sets.download import (
    AGENT,
    check_md5,
    download_dataset,
    fetch,
    unpack,
)
from antiphon.evaluation.benchmarks.sets.recipe import Download, recipes_of

DATA = bytes(range(256)) * 40_000


class Server:
    """What a handler serves, and what it was asked."""

    def __init__(self):
        self.files = {"/data.bin": DATA}
        self.asked = []
        self.break_after = None
        self.status = {}
        self.tag = '"one"'

    def start(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(
                    (self.path, self.headers.get("Range"), self.headers["User-Agent"])
                )
                code = outer.status.pop(self.path, 200)
                if code != 200:
                    self.send_response(code)
                    self.send_header("Retry-After", "0")
                    self.end_headers()
                    return
                body = outer.files[self.path]
                begin = 0
                asked = self.headers.get("Range")
                if asked and self.headers.get("If-Range") == outer.tag:
                    begin = int(asked.removeprefix("bytes=").rstrip("-"))
                    self.send_response(206)
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - begin))
                self.send_header("ETag", outer.tag)
                self.end_headers()
                part = body[begin:]
                if outer.break_after is not None:
                    part, outer.break_after = part[: outer.break_after], None
                self.wfile.write(part)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server():
    one = Server()
    one.start()
    yield one
    one.http.shutdown()
    one.http.server_close()


def test_a_file_comes_whole_and_the_agent_is_named(server, tmp_path):
    md5 = hashlib.md5(DATA).hexdigest()
    one = Download(url=f"{server.url}/data.bin", file="data.bin", md5=md5)
    fetch(one, tmp_path / "sub" / "data.bin")
    assert (tmp_path / "sub" / "data.bin").read_bytes() == DATA
    assert server.asked == [("/data.bin", None, AGENT)]
    assert sorted(p.name for p in (tmp_path / "sub").iterdir()) == ["data.bin"]


def test_a_broken_connection_goes_on_where_it_stopped(server, tmp_path):
    server.break_after = 3_000_000
    fetch(Download(url=f"{server.url}/data.bin", file="x"), tmp_path / "x", pause_s=0.0)
    assert (tmp_path / "x").read_bytes() == DATA
    assert server.asked[1][1] == "bytes=3000000-"


def test_a_second_call_resumes_and_a_changed_file_starts_anew(server, tmp_path):
    one = Download(url=f"{server.url}/data.bin", file="x")
    server.break_after = 1_000_000
    with pytest.raises(FileError, match="run the same command again"):
        fetch(one, tmp_path / "x", attempts=1)
    server.tag = '"two"'
    server.files["/data.bin"] = DATA[::-1]
    fetch(one, tmp_path / "x", attempts=1)
    assert (tmp_path / "x").read_bytes() == DATA[::-1]


def test_a_busy_server_is_asked_again_and_a_login_is_not(server, tmp_path):
    server.status["/data.bin"] = 503
    fetch(Download(url=f"{server.url}/data.bin", file="x"), tmp_path / "x", pause_s=0.0)
    assert len(server.asked) == 2
    server.status["/data.bin"] = 403
    with pytest.raises(FileError, match="login or an accepted licence"):
        fetch(Download(url=f"{server.url}/data.bin", file="y"), tmp_path / "y", pause_s=0.0)
    assert len(server.asked) == 3
    server.status["/data.bin"] = 404
    with pytest.raises(FileError, match="not there any more"):
        fetch(Download(url=f"{server.url}/data.bin", file="y"), tmp_path / "y", pause_s=0.0)


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(server, tmp_path):
    one = Download(url=f"{server.url}/data.bin", file="x", md5="0" * 32)
    with pytest.raises(FileError, match="the publisher's 000"):
        fetch(one, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "x.part").exists()
    with pytest.raises(FileError, match="Check the connection"):
        fetch(Download(url="http://127.0.0.1:9/none", file="x"), tmp_path / "x", attempts=1)


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_archives_inside_archives_are_unpacked_once(tmp_path):
    inner = zipped({"Bird0/a.wav": b"1", "__MACOSX/Bird0/._a.wav": b"2"})
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"Bird0.zip": inner, "read.me": b"3"}))
    assert unpack(path, tmp_path / "out") == 3
    assert (tmp_path / "out" / "Bird0" / "a.wav").read_bytes() == b"1"
    assert not (tmp_path / "out" / "__MACOSX").exists()
    (tmp_path / "out" / "Bird0" / "a.wav").write_bytes(b"mine")
    assert unpack(path, tmp_path / "out") == 0
    assert (tmp_path / "out" / "Bird0" / "a.wav").read_bytes() == b"mine"


def test_a_member_that_leads_out_is_refused_and_a_damaged_archive_is_named(tmp_path):
    path = tmp_path / "bad.zip"
    path.write_bytes(zipped({"../evil.wav": b"1"}))
    with pytest.raises(FileError, match="leads out of"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "evil.wav").exists()
    tar = tmp_path / "half.tar.gz"
    with tarfile.open(tar, "w:gz") as archive:
        info = tarfile.TarInfo("a.wav")
        info.size = 200_000
        archive.addfile(info, io.BytesIO(hashlib.sha256(b"").digest() * 6250))
    tar.write_bytes(tar.read_bytes()[:300])
    with pytest.raises(FileError, match="cannot be unpacked"):
        unpack(tar, tmp_path / "out")
    plain = tmp_path / "labels.csv"
    plain.write_text("a,b\n")
    assert unpack(plain, tmp_path / "out") == 0
    check_md5(plain, "")


def test_a_data_set_is_got_unpacked_and_then_read(server, tmp_path, monkeypatch):
    from tests.evaluation.benchmarks.replicas import macaque

    macaque(tmp_path / "origin")
    members = {
        p.relative_to(tmp_path / "origin").as_posix(): p.read_bytes()
        for p in (tmp_path / "origin").rglob("*")
        if p.is_file()
    }
    server.files["/macaques.zip"] = zipped(members)
    recipe = recipes_of("macaque")[0]
    one = Download(url=f"{server.url}/macaques.zip", file="macaques.zip")
    dataset = BenchmarkDataset(recipe.model_copy(update={"downloads": (one,)}), tmp_path / "data")
    download_dataset(dataset)
    assert dataset.load().counts()["all"] == 16
    asked = len(server.asked)
    download_dataset(dataset)
    assert len(server.asked) == asked


def test_what_needs_a_login_is_refused_with_the_way_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"cbi is not downloaded: Kaggle.*licence"):
        download_dataset(BenchmarkDataset(recipes_of("cbi")[0], tmp_path))


def test_an_encrypted_archive_is_named(tmp_path):
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    # The flag that says "encrypted", in the local heading and in the directory.
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"cannot be unpacked.*encrypted"):
        unpack(path, tmp_path / "out")
