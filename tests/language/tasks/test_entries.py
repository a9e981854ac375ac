from __future__ import annotations

import re
from pathlib import Path

import pytest

from antiphon.errors import UserError
from antiphon.language.tasks.answers import ANSWERS
from antiphon.language.tasks.entries import FAMILIES, all_tasks, find_tasks


def test_there_are_44_tasks_each_with_a_name_of_its_own() -> None:
    names = [task.id for task in all_tasks()]
    assert len(names) == len(set(names)) == 44
    assert {task.family for task in all_tasks()} == set(FAMILIES)


def test_every_wording_is_there_once_and_ends_a_sentence() -> None:
    prompts = [prompt for task in all_tasks() for prompt in task.prompts]
    assert len({p.casefold() for p in prompts}) == len(prompts)
    for prompt in prompts:
        assert prompt[0].isupper() or prompt[0] == "{", prompt
        assert prompt[-1] in ".?!" or prompt.endswith("{name}."), prompt
        assert "  " not in prompt
        assert not re.search(r"\b(an? (?=[aeiou])|an (?=[^aeiouh]))", prompt) or "an " in prompt
        assert set(re.findall(r"\{(\w+)\}", prompt)) <= {"name", "a_name"}


def test_at_least_eight_wordings_a_task_and_a_name_in_each_or_in_none() -> None:
    for task in all_tasks():
        assert len(set(task.prompts)) >= 8, task.id
        named = {bool(re.search(r"\{(a_)?name\}", p)) for p in task.prompts}
        assert len(named) == 1, task.id
        assert all(p.count("{") <= 1 for p in task.prompts)


def test_every_answer_function_is_used_and_exists() -> None:
    assert {task.answer for task in all_tasks()} == set(ANSWERS)


def test_tasks_that_offer_none_say_so_in_some_wording() -> None:
    for task in all_tasks():
        if task.choices and task.choices.none_share:
            assert any(re.search(r"[Nn]one|any\b", prompt) for prompt in task.prompts), task.id


def test_patterns_and_groups() -> None:
    assert [t.id for t in find_tasks(["presence"])] == ["presence"]
    assert [t.id for t in find_tasks(["all-*"])] == [
        "all-species-common",
        "all-species-scientific",
        "all-species-taxonomic",
    ]
    assert {t.family for t in find_tasks(["signal"])} == {"signal"}
    with pytest.raises(UserError, match=r"presense.*presence"):
        find_tasks(["presense"])


def test_the_page_lists_every_task_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "howto" / "tasks.md").read_text("utf-8")
    lines = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (.+?) \| .+ \|$", page, re.MULTILINE)
    assert lines == [(task.id, task.family, task.asks) for task in all_tasks()]
