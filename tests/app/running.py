"""Run the app for a test: in this process without pages, or whole in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from antiphon.app.context import AppContext

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class AppClient(TestClient):
    """Requests to an app, and the app's context."""

    context: AppContext


@contextmanager
def open_client(project: Path, **settings: Any) -> Iterator[AppClient]:
    """Open the interface of a project; ``settings`` are those of the app."""
    from antiphon.app.api import build_api
    from antiphon.app.context import AppContext
    from antiphon.app.settings import Settings
    from antiphon.store.project import ProjectFolder

    context = AppContext(ProjectFolder.open(project), Settings(**{"annotator": "ann", **settings}))
    try:
        with AppClient(
            build_api(context),
            base_url="http://127.0.0.1:8321",
            headers={"X-Antiphon-Token": context.token},
            client=("127.0.0.1", 50_000),
        ) as client:
            client.context = context
            yield client
    finally:
        context.close()


def free_port() -> int:
    """Return a port that nobody listened at a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(
    project: Path, *arguments: str, port: int | None = None
) -> tuple[subprocess.Popen[str], str]:
    """Start ``antiphon label`` and return its process and address, once it answers."""
    port = port or free_port()
    command = [sys.executable, "-m", "antiphon", "label", str(project), "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(f"The app did not start:\n{process.communicate()[0]}")
        try:
            with urllib.request.urlopen(f"{url}/api/health", timeout=5):
                return process, url
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"The app did not answer:\n{process.communicate()[0]}")


@contextmanager
def serving(project: Path, *arguments: str) -> Iterator[str]:
    """Serve a project on a free port as ``ann`` and yield its address; ended afterwards."""
    with open_served(project, *(() if "--as" in arguments else ("--as", "ann")), *arguments) as url:
        yield url


@contextmanager
def open_served(project: Path, *arguments: str) -> Iterator[str]:
    """Serve a project with these arguments alone, which a project with accounts needs."""
    process, url = start(project, *arguments)
    try:
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium or Playwright's own; skips the test where there is neither."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    with api.sync_playwright() as playwright:
        program = next((p for p in map(shutil.which, _PROGRAMS) if p), None)
        if program is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium on this machine (apt install chromium)")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
