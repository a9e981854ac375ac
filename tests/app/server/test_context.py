"""What the running app holds in memory is what is in the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from antiphon.app import context as module
from antiphon.app.context import AppContext
from antiphon.errors import UserError
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Recording


@pytest.fixture
def context(project: Path, monkeypatch: pytest.MonkeyPatch) -> AppContext:
    """A context that looks at the project each time."""
    monkeypatch.setattr(module, "_FRESH_S", -1.0)
    return AppContext(ProjectFolder.open(project))


def _set(context: AppContext, recording: int, **values: str) -> None:
    with context.folder.catalogue.database.write() as connection:
        connection.execute(update(Recording).where(Recording.id == recording).values(**values))


def test_as_long_as_nothing_changes_it_is_the_same_object(context: AppContext) -> None:
    assert context.windows() is context.windows()


def test_windows_of_recordings_that_are_gone_are_left_out(context: AppContext) -> None:
    before = context.windows()
    _set(context, 3, status="missing")
    after = context.windows()
    assert 3 in before.recording_id
    assert 3 not in after.recording_id
    assert len(after) == np.sum(before.recording_id != 3)
    # Rows still lead to their own vectors, in the old windows and in the new ones.
    row = int(np.flatnonzero(after.recording_id == 4)[0])
    old = int(np.flatnonzero(before.recording_id == 4)[0])
    assert (after.vectors(np.array([row])) == before.vectors(np.array([old]))).all()
    _set(context, 3, status="ok")
    assert (context.windows().recording_id == before.recording_id).all()


def test_a_newer_table_takes_the_place_of_the_older(context: AppContext) -> None:
    from antiphon.api import Project

    before = context.windows()
    project = Project(context.folder.root)
    project.embed("spectral", sample_rate=16_000, window_s=4.0, n_mels=32, dim=64)
    after = context.windows()
    assert after.view.table.name != before.view.table.name
    assert (after.end_s - after.start_s).max() == 4.0


def test_facts_of_recordings_are_read_again(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.windows()
    _set(context, 1, site="elsewhere")
    assert "elsewhere" not in set(context.windows().texts("site"))
    monkeypatch.setattr(module, "_FACTS_S", -1.0)
    assert "elsewhere" in set(context.windows().texts("site"))
    assert context.windows() is context.windows()


def test_without_embeddings(trained: Path, tmp_path: Path) -> None:
    from antiphon.api import Project

    known = ProjectFolder.open(trained)
    audio = known.audio_root(known.config.audio[0].name)
    made, _ = Project.create(tmp_path / "empty", audio=[audio])
    context = AppContext(made.folder)
    assert not context.has_embeddings()
    with pytest.raises(UserError, match="antiphon embed"):
        context.windows()


def test_what_runs_in_the_background_ends_first(context: AppContext) -> None:
    ended = []
    context.on_close += [lambda: ended.append("first"), lambda: ended.append("last")]
    context.close()
    context.close()
    assert ended == ["last", "first"]
