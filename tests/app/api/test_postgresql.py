"""Tests of the interface again, over a catalogue that was moved to PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.store.moving import move
from antiphon.store.project import ProjectFolder
from tests.app.api.test_answers import (
    ben,
    test_an_answer_is_kept_with_all_that_was_said,
    test_answers_are_taken_back_one_by_one,
    test_somebody_elses_answer_is_shown_before_it_is_passed_over,
    test_who_may_settle,
)
from tests.app.api.test_queues import (
    test_a_queue_of_ones_own,
    test_a_shared_queue_is_worked_off_by_two,
    test_every_kind_of_queue,
)
from tests.app.security.test_accounts import (
    test_a_manager_shuts_somebody_out_at_once,
    test_a_new_password_ends_all_other_sessions,
    test_the_last_manager_stays,
)
from tests.store.databases import fresh, needs_postgresql

pytestmark = needs_postgresql

__all__ = [
    "ben",
    "test_a_manager_shuts_somebody_out_at_once",
    "test_a_new_password_ends_all_other_sessions",
    "test_a_queue_of_ones_own",
    "test_a_shared_queue_is_worked_off_by_two",
    "test_an_answer_is_kept_with_all_that_was_said",
    "test_answers_are_taken_back_one_by_one",
    "test_every_kind_of_queue",
    "test_somebody_elses_answer_is_shown_before_it_is_passed_over",
    "test_the_last_manager_stays",
    "test_who_may_settle",
]


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Iterator[Path]:
    """The small project, its catalogue in PostgreSQL."""
    with fresh() as url:
        folder = ProjectFolder.open(shutil.copytree(trained, tmp_path / "project"))
        move(folder, url)
        yield folder.root
