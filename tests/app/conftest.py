"""A small labelled project, the app over it, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("nicegui", reason="needs the extra app (pip install 'antiphon[app]')")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.app.running import AppClient

LABELS = ("Lantern Whistler", "Synthetic Trillwren", "Zipper Frog")
# Short windows and few bands: quick, and nothing here depends on how good the embedding is.
ENCODER = {"sample_rate": 16_000, "window_s": 2.0, "n_mels": 32, "dim": 64}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project to read only: 12 recordings of 3 sites, 8 of them labelled in full by ``truth``.

    Its detector is called ``first``; its detections are there.
    """
    from antiphon.api import Project
    from antiphon.audio.synthesis.dataset import write_dataset

    folder = tmp_path_factory.mktemp("app")
    made = write_dataset(
        folder / "sounds",
        seed=1,
        sites=3,
        days=1,
        recordings_per_site_day=4,
        duration_s=16.0,
        sample_rate=24_000,
        species=LABELS,
    )
    said = folder / "said"
    said.mkdir()
    for facts in made.recordings[:8]:
        shutil.copy(facts.table, said)
    project, _ = Project.create(folder / "project", audio=[made.audio], metadata=[made.metadata])
    project.embed("spectral", **ENCODER)
    project.import_labels(said, complete=True, label_column="Species", annotator="truth")
    project.train(name="first")
    project.detect()
    project.folder.close()
    return folder / "project"


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    """The same project, copied: to be changed at will."""
    return Path(shutil.copytree(trained, tmp_path / "project"))


@pytest.fixture
def client(project: Path) -> Iterator[AppClient]:
    """Requests to the interface of ``project`` as its one user, ``ann``; no pages.

    ``client.context`` is the app's; the header ``X-Antiphon-Token`` is set.
    """
    from tests.app.running import open_client

    with open_client(project) as made:
        yield made


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[str]]:
    """``with serving(project, "--as", "ben") as url:`` runs the real app on a free port."""
    from tests.app.running import serving

    return serving


# Not for the whole session: as long as it lives, no other test can start an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window; the test is skipped where there is none."""
    from tests.app.running import chromium

    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of 1,280 x 800 in Chromium; an error that no script caught fails the test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults
