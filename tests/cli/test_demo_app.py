"""``antiphon demo --app``: what is there is opened, not made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason="needs the extra app (pip install 'antiphon[app]')")

from tests.cli.conftest import Ran


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int, str]]:
    """Projects that are opened, each with its port and whether the demo was run before."""
    from antiphon import demo
    from antiphon.app import server

    found: list[tuple[Path, int, str]] = []
    ran: list[str] = []

    def run_demo(folder: Path, **_options: object) -> demo.DemoResult:
        ran.append("run")
        return demo.DemoResult("", ("labels",), (), (), folder / "report.html")

    def serve(folder: object, settings: object, _opened: object) -> None:
        found.append((folder.root, settings.port, " ".join(ran)))  # type: ignore[attr-defined]

    monkeypatch.setattr(demo, "run_demo", run_demo)
    monkeypatch.setattr(server, "serve", serve)
    return found


@pytest.fixture
def place(_labelled: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(_labelled, tmp_path / "demo" / "project")
    return tmp_path / "demo"


def test_a_new_demo_is_run_and_opened(
    antiphon: Callable[..., Ran], place: Path, opened: list[tuple[Path, int, str]]
) -> None:
    assert antiphon("demo", str(place), "--app", "--port", "8400", "--no-browser").code == 0
    assert opened == [(place / "project", 8400, "run")]


def test_a_finished_demo_is_only_opened(
    antiphon: Callable[..., Ran], place: Path, opened: list[tuple[Path, int, str]]
) -> None:
    report = place / "project" / "reports" / "report.html"
    report.parent.mkdir(exist_ok=True)
    report.touch()
    assert antiphon("demo", str(place), "--app", "--no-browser").code == 0
    assert opened == [(place / "project", 8321, "")]
    assert antiphon("demo", str(place), "--app", "--overwrite", "--no-browser").code == 0
    assert opened[1:] == [(place / "project", 8321, "run")]


def test_without_app_nothing_is_opened(
    antiphon: Callable[..., Ran], place: Path, opened: list[tuple[Path, int, str]]
) -> None:
    assert antiphon("demo", str(place)).code == 0
    assert opened == []
