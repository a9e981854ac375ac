from __future__ import annotations

import pytest

from antiphon.errors import UserError
from antiphon.language.benchmark.components import (
    COMPONENTS,
    chosen_components,
    component_name,
    known_component,
)
from antiphon.language.benchmark.tables import component_facts


def test_there_are_22_components_of_three_tasks():
    names = [one.name for one in COMPONENTS]
    assert len(names) == len(set(names)) == 22
    tasks = [one.task for one in COMPONENTS]
    assert [tasks.count(t) for t in ("classification", "detection", "captioning")] == [16, 5, 1]
    assert all(one.licence and one.source and one.kind for one in COMPONENTS)


def test_names_are_found_as_people_write_them():
    assert known_component("ESC-50").name == "esc50"
    assert known_component("unseen_family_sci").n_labels == 36
    assert component_name("zf-indv") == "zf-indiv"
    assert component_name(" my frogs ") == "my frogs"
    assert known_component("my frogs") is None


def test_what_is_not_there_is_named_with_the_closest():
    assert chosen_components([], ["a", "b"]) == ["a", "b"]
    assert chosen_components(["ESC-50"], ["cbi", "esc50"]) == ["esc50"]
    with pytest.raises(UserError, match="Did you mean 'esc50'"):
        chosen_components(["esc5"], ["cbi", "esc50"])


def test_the_table_of_facts_has_a_row_for_each():
    rows = component_facts()
    assert len(rows) == 22
    assert rows[20][:4] == ("captioning", "captioning", "CIDEr-D", "–")
