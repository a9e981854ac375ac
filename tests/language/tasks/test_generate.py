from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.language.schema import CommonName, to_batch
from antiphon.language.tasks.config import InContextConfig, TasksConfig
from antiphon.language.tasks.counts import PairCounts
from antiphon.language.tasks.entries import find_tasks
from antiphon.language.tasks.generate import (
    NO_TASK,
    THINNED,
    PairMaker,
    make_pairs,
    wanted_tasks,
)
from antiphon.language.tasks.pair import AUDIO_MARK
from antiphon.language.tasks.splits import SPLITS, Splits
from antiphon.language.tasks.survey import survey
from tests.language.tasks.corpus import SPECIES, full_row, make_row, varied

PLAIN = TasksConfig(measure=False, long_tail=0)


def test_the_seed_decides_everything() -> None:
    rows = varied()
    first = list(make_pairs(rows, PLAIN, 7))
    assert first == list(make_pairs(rows, PLAIN, 7))
    assert first != list(make_pairs(rows, PLAIN, 8))


def test_every_row_is_a_pair_or_a_rejection() -> None:
    rows = [*varied(), make_row(500, "Parus major", domain="bio")]
    rows += [make_row(600 + n, "Parus major") for n in range(50)]
    empty = make_row(999, "Parus major", taxon_given=None)
    nothing = type(empty)(id="nothing", source="x", domain="speech")
    for config in (PLAIN, TasksConfig(pairs_per_row=2.5, most_per_row=4, measure=False)):
        counts = PairCounts()
        pairs = list(make_pairs([*rows, nothing], config, 3, counts=counts))
        assert counts.rows == len(rows) + 1
        assert counts.pairs == len(pairs) == counts.by_task.total()
        assert counts.adds_up
        assert counts.rejected[NO_TASK] >= 1 or "nothing" in counts.examples[THINNED]
        assert len({pair.id for pair in pairs}) == len(pairs)


def test_one_pair_a_row_without_a_long_tail() -> None:
    counts = PairCounts()
    rows = varied()
    pairs = list(make_pairs(rows, PLAIN, 0, counts=counts))
    assert [p.row_id for p in pairs] == [row.id for row in rows]
    assert not counts.rejected
    assert not counts.more_draws


def test_rare_taxa_get_more_pairs_a_row() -> None:
    rows = [make_row(n, "Parus major") for n in range(900)]
    rows += [make_row(1000 + n, "Bufo bufo") for n in range(100)]
    config = TasksConfig(measure=False, long_tail=0.5, most_per_row=8)
    counts = PairCounts()
    found = Counter(p.taxon for p in make_pairs(rows, config, 0, counts=counts))
    # 900 ** 0.5 to 100 ** 0.5 is three to one, of 1,000 pairs in all.
    assert found["Parus major"] == pytest.approx(750, abs=60)
    assert found["Bufo bufo"] == pytest.approx(250, abs=40)
    assert counts.rejected[THINNED] > 0
    assert counts.adds_up


def test_tasks_are_balanced_as_far_as_there_are_rows() -> None:
    rows = [make_row(n, list(SPECIES)[n % 11]) for n in range(1000)]
    rows += [make_row(2000 + n, "Parus major", sex="male") for n in range(50)]
    config = TasksConfig(tasks=("genus", "family", "sex"), measure=False, long_tail=0)
    found = Counter(p.task for p in make_pairs(rows, config, 0))
    # All 50 rows with a sex are asked for it, the others half and half.
    assert found["sex"] == 50
    assert found["genus"] == pytest.approx(500, abs=60)
    weighted = config.model_copy(update={"weights": {"genus": 3.0}})
    found = Counter(p.task for p in make_pairs(rows, weighted, 0))
    assert found["genus"] / found["family"] == pytest.approx(3.0, rel=0.2)
    natural = config.model_copy(update={"balance": 0.0})
    found = Counter(p.task for p in make_pairs(rows, natural, 0))
    assert found["sex"] == pytest.approx(1050 * 50 / 2150, abs=15)


def test_options_are_shuffled_and_none_stands_last() -> None:
    rows = [full_row(n, list(SPECIES)[n % 11]) for n in range(300)]
    config = TasksConfig(tasks=("species-none",), measure=False, long_tail=0)
    pairs = list(make_pairs(rows, config, 0))
    assert all(pair.options[-1] == "None" for pair in pairs)
    at = Counter(p.options.index(p.answer) for p in pairs if p.answer != "None")
    assert len(at) > 4
    none = sum(p.answer == "None" for p in pairs)
    assert none / len(pairs) == pytest.approx(0.3, abs=0.1)


def test_every_wording_is_used_and_names_stand_in_it() -> None:
    rows = [full_row(n, list(SPECIES)[n % 11]) for n in range(400)]
    config = TasksConfig(tasks=("presence",), measure=False, long_tail=0)
    pairs = list(make_pairs(rows, config, 0))
    assert {p.template for p in pairs} == set(range(len(find_tasks(["presence"])[0].prompts)))
    for pair in pairs:
        assert pair.subject is not None
        assert pair.subject in pair.prompt
        assert "{" not in pair.prompt
        assert f"a {pair.subject}" not in pair.prompt or pair.subject not in SPECIES


def test_each_sound_has_its_mark() -> None:
    for pair in make_pairs(varied(), TasksConfig(pairs_per_row=20, most_per_row=44, measure=False)):
        assert pair.prompt.count(AUDIO_MARK) == len(pair.audio)
        assert pair.prompt.startswith(AUDIO_MARK)


def test_a_mark_in_a_text_is_none() -> None:
    rows = [make_row(n, "Parus major", behaviour="listening to <audio>") for n in range(3)]
    config = TasksConfig(tasks=("behaviour",), measure=False, long_tail=0)
    assert {p.answer for p in make_pairs(rows, config)} == {"listening to audio"}


def test_examples_are_of_the_task_and_of_other_sounds() -> None:
    rows = [full_row(n, list(SPECIES)[n % 11]) for n in range(200)]
    config = TasksConfig(
        measure=False,
        long_tail=0,
        tasks=("genus", "species-common", "same-individual"),
        in_context=InContextConfig(share=1.0, least=2, most=3),
    )
    counts = PairCounts()
    plain = {p.id: p for p in make_pairs(rows, config.model_copy(update={"in_context": None}), 4)}
    pairs = list(make_pairs(rows, config, 4, counts=counts))
    shown = [p for p in pairs if p.examples]
    assert len(shown) > 150
    assert counts.adds_up
    for pair in shown:
        assert 2 <= pair.examples <= 3
        assert pair.prompt.count("\nAnswer:") == pair.examples + 1
        assert pair.prompt.endswith("\nAnswer:")
        assert pair.prompt.count(AUDIO_MARK) == len(pair.audio)
        # A task with two sounds asks about a pair; no sound comes back in another question.
        size = 2 if pair.task == "same-individual" else 1
        assert len(pair.audio) == size * (pair.examples + 1)
        questions = [
            frozenset(r.row_id for r in pair.audio[i : i + size])
            for i in range(0, len(pair.audio), size)
        ]
        assert sum(map(len, questions)) == len(frozenset().union(*questions))
        assert plain[pair.id.rpartition("#")[0]].task == pair.task


def test_unknown_tasks_and_impossible_settings_are_refused() -> None:
    with pytest.raises(UserError, match="no task 'genuss'"):
        list(make_pairs(varied(), TasksConfig(tasks=("genuss",))))
    with pytest.raises(UserError, match="no task 'x'"):
        list(make_pairs(varied(), TasksConfig(weights={"x": 1.0})))
    with pytest.raises(ValueError, match="above most_per_row"):
        TasksConfig(pairs_per_row=5, most_per_row=4)


def test_no_rows_make_no_pairs() -> None:
    counts = PairCounts()
    assert list(make_pairs([], PLAIN, 0, counts=counts)) == []
    assert counts.adds_up


def test_examples_and_compared_sounds_are_of_one_part() -> None:
    rows = [full_row(n, list(SPECIES)[n % 11]) for n in range(220)]
    config = TasksConfig(
        measure=False,
        long_tail=0,
        tasks=("genus", "same-individual"),
        in_context=InContextConfig(share=1.0, least=1, most=3),
    )
    parts = ["train" if n % 2 else "test" for n in range(220)]
    part_of = {row.id: part for row, part in zip(rows, parts, strict=True)}
    splits = Splits(np.array([SPLITS.index(part) for part in parts], np.int8))
    tasks, batch = wanted_tasks(config), to_batch(rows)
    world = survey([batch], tasks, config, splits=splits)
    pairs, _, _ = PairMaker(world, tasks, config, 0).batch(batch, 0, parts)
    assert {pair.task for pair, _ in pairs} == {"genus", "same-individual"}
    assert sum(len(pair.audio) > 1 for pair, _ in pairs) > 150
    for pair, _ in pairs:
        assert {part_of[ref.row_id] for ref in pair.audio} == {pair.split}


def test_names_with_commas_are_options_on_lines_of_their_own() -> None:
    rows = [make_row(n, name) for n, name in enumerate(SPECIES)]
    odd = [replace(r, common_names=(CommonName(f"{r.genus}, the {r.id}", "en"),)) for r in rows]
    config = TasksConfig(tasks=("species-common-list",), long_tail=0, measure=False)
    pairs = list(make_pairs(odd, config, 0))
    assert len(pairs) == len(rows)
    for pair in pairs:
        assert pair.prompt.endswith("\n".join(f"- {option}" for option in pair.options))
