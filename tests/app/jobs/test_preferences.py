from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.app.jobs.preferences import (
    Preferences,
    checked,
    load_preferences,
    save_preferences,
)
from antiphon.errors import UserError
from antiphon.store.project import ProjectFolder


def test_the_last_settings_count_and_unreadable_ones_are_the_defaults(project: Path):
    folder = ProjectFolder.open(project)
    assert load_preferences(folder) == Preferences()
    save_preferences(folder, Preferences(batch=5))
    save_preferences(folder, Preferences(batch=6, strategy="random"))
    assert load_preferences(folder) == Preferences(batch=6, strategy="random")
    # As a newer Antiphon might have written them.
    folder.catalogue.add_event("loop settings", {"strategy": "of tomorrow"})
    assert load_preferences(folder) == Preferences()
    folder.close()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"batch": 0}, "batch: "),
        ({"target": 1.0}, "target: "),
        ({"strategy": "antifon"}, "Did you mean 'antiphon'"),
        ({"stratgy": "random"}, "stratgy"),
    ],
)
def test_wrong_settings_are_named(wrong, words):
    with pytest.raises(UserError, match=words):
        checked(wrong)


def test_the_queue_is_longer_than_a_batch_so_that_labelling_goes_on():
    assert Preferences(batch=20).queue_length == 40
