"""Every answer can be worked out again from its row, by other code than that which made it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.language.schema import CorpusRow, Event
from antiphon.language.tasks.checkers import score
from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.entries import all_tasks
from antiphon.language.tasks.generate import make_pairs
from antiphon.language.tasks.pair import NONE, Pair
from tests.language.tasks.corpus import SPECIES, full_row, heard, make_row, species_of, varied

RANK_COLUMNS = {"genus": "genus", "family": "family", "order": "order", "class": "class_"}
ALL = TasksConfig(pairs_per_row=44, most_per_row=44, long_tail=0, measure=False)

backgrounds = st.lists(
    st.sampled_from(
        [*SPECIES, "Robin", "Turdus sp.", "Anura", "Carduelis chloris", "Turdus merula alpestris"]
    ),
    max_size=3,
    unique=True,
).map(tuple)
rows = st.lists(
    st.builds(
        lambda name, behind, exhaustive, types, sex: full_row(
            0, name, background_species=behind, exhaustive=exhaustive, call_types=types, sex=sex
        ),
        st.sampled_from(list(SPECIES)),
        backgrounds,
        st.sampled_from([True, None]),
        st.sampled_from([(), ("song",), ("alarm call", "song"), ("call",), ("drumming",)]),
        st.sampled_from([None, "male", "F", "male, female", "unknown"]),
    ),
    min_size=3,
    max_size=6,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rows, st.integers(0, 1000))
def test_answers_follow_from_the_row(some: list[CorpusRow], seed: int) -> None:
    known = [make_row(100 + n, name) for n, name in enumerate(SPECIES)]
    asked = [replace(row, id=f"asked:{n}") for n, row in enumerate(some)]
    by_id = {row.id: row for row in (*known, *asked)}
    for pair in make_pairs([*known, *asked], ALL, seed):
        check(pair, by_id[pair.row_id], by_id)


def check(pair: Pair, row: CorpusRow, by_id: dict[str, CorpusRow]) -> None:
    """Work the answer out again."""
    assert score(pair.checker, pair.answer) == pytest.approx(1.0), pair
    assert all(f"{option}" in pair.prompt for option in pair.options)
    assert len(set(pair.options)) == len(pair.options)
    present = heard(row)
    focal = {row.species}
    task = pair.task
    if pair.family == "species" and pair.form != "set":
        check_choice(pair, focal, present)
    elif pair.family == "species":
        assert row.exhaustive
        said = pair.answer.split(", ")
        assert {s for name in said for s in species_of(name)} >= focal
        assert all(species_of(name) & present for name in said)
        assert len(said) == len(set(said))
    elif task.startswith("detection-") and task != "detection-times":
        assert row.exhaustive
        said = [] if pair.answer == NONE else pair.answer.split(", ")
        for option in set(pair.options) - {NONE}:
            assert bool(species_of(option) & present) == (option in said), (option, row)
    elif task == "presence":
        assert (pair.answer == "Yes") == bool(species_of(pair.subject or "") & present)
        assert pair.answer == "Yes" or row.exhaustive
    elif pair.family == "ranks":
        right = getattr(row, RANK_COLUMNS[task.removesuffix("-list")])
        assert pair.answer == (right if right in pair.options or not pair.options else NONE)
        assert not any(species_of(o) & present for o in {*pair.options} - {right, NONE})
    elif task == "sex":
        assert pair.answer == {"male": "Male", "F": "Female", "male, female": "Both"}[row.sex or ""]
    elif task == "call-or-song":
        whole = {("song",): "Song", ("alarm call", "song"): "Both", ("call",): "Call"}
        assert pair.answer == whole[row.call_types]
    elif task == "call-type-list":
        said = [] if pair.answer == NONE else pair.answer.split(", ")
        assert set(said) in (set(row.call_types), set())
        wrong = set(pair.options) - {NONE, *said}
        # "alarm call" is a call, and a call may be an alarm call.
        assert not any(a in b or b in a for a in wrong for b in row.call_types)
    elif task == "same-individual":
        other = by_id[pair.audio[0].row_id]
        assert (pair.answer == "Yes") == (other.individual == row.individual)
        assert (other.species, other.source) == (row.species, row.source)
        assert other.id != row.id
    elif task in ("caption", "caption-scene"):
        assert str(row.species) in pair.answer
        assert all(name in pair.answer.casefold() for name in row.call_types)
    elif task == "detection-times":
        named = [e for e in row.events if e.label == pair.subject]
        assert json.loads(pair.checker)["spans"] == ([[0.5, 2.5]] if named else [])
        assert named or not species_of(pair.subject or "") & present


def check_choice(pair: Pair, focal: set[str | None], present: set[str]) -> None:
    """A choice of one species: right if it is there, and "None" only if nothing fits."""
    if not pair.options:
        assert species_of(pair.answer) >= focal
        return
    fits = [o for o in pair.options if o != NONE and species_of(o) & present]
    if pair.answer == NONE:
        assert fits == []
        assert NONE in pair.options
    else:
        assert fits == [pair.answer]
        assert species_of(pair.answer) >= focal


def test_every_task_without_audio_is_asked_somewhere() -> None:
    found = {pair.task for pair in make_pairs(varied(), ALL, 1)}
    assert found == {task.id for task in all_tasks() if task.family != "signal"}


def test_hand_worked_answers() -> None:
    row = full_row(1, "Turdus merula", background_species=("Parus major", "Turdus merula"))
    known = [make_row(10 + n, name) for n, name in enumerate(SPECIES)]
    got = {p.task: p.answer for p in make_pairs([*known, row], ALL, 5) if p.row_id == row.id}
    assert got["species-common"] == "Common Blackbird"
    assert got["species-scientific"] == "Turdus merula"
    assert got["species-taxonomic"] == "Aves Passeriformes Turdidae Turdus merula"
    assert got["all-species-common"] == "Common Blackbird, Great Tit"
    assert got["genus"] == "Turdus"
    assert got["class"] == "Aves"
    assert got["diarisation"] == "Common Blackbird: 0.50-1.25 s\nCommon Blackbird: 1.00-2.50 s"
    assert got["event-count"] == "2"
    assert got["life-stage"] == "Adult"
    assert got["caller-count"] == "1"
    assert got["behaviour"] == "singing from a roof"
    assert got["place"] == "Netherlands"
    assert got["time"] == "Early morning (04:00 to 07:00)"
    assert "an adult male Common Blackbird (Turdus merula)" in got["caption"] or (
        "An adult male Common Blackbird (Turdus merula)" in got["caption"]
    )
    assert got["caption-scene"].endswith(
        "Recorded in the Netherlands, at Leiden, in May 2021, at 05:40. "
        "Behaviour: singing from a roof. In the background: Parus major and Turdus merula."
    )


def refusals(row: CorpusRow, task: str) -> list[str]:
    from antiphon.language.tasks.counts import PairCounts

    counts = PairCounts()
    config = TasksConfig(tasks=(task,), long_tail=0, measure=True)
    known = [make_row(10 + n, name, exhaustive=None) for n, name in enumerate(SPECIES)]
    pairs = [p for p in make_pairs([*known, row], config, 0, counts=counts) if p.row_id == row.id]
    assert not pairs
    return [reason for (_, reason), n in counts.refused.items() if n]


@pytest.mark.parametrize(
    ("task", "values", "reason"),
    [
        ("sex", {"sex": "unknown"}, "unsure"),
        ("life-stage", {"life_stage": "adult, juvenile"}, "unsure"),
        ("life-stage", {"life_stage": "uncertain"}, "unsure"),
        ("call-or-song", {"call_types": ("drumming",)}, "neither"),
        ("call-or-song", {"call_types": ("song", "call?")}, "neither"),
        ("caller-count", {"count": 0}, "unsure"),
        ("time", {"time": "25:10"}, "not a time"),
        ("detection-random", {"background_species": ("unknown finch",)}, "no known taxon"),
        ("all-species-scientific", {"background_species": ("Turdus sp.",)}, "no known taxon"),
        ("detection-times", {"events": (Event(9.0, 12.0, label="song"),)}, "outside"),
        ("diarisation", {"events": (Event(1.0, 2.0),)}, "no label"),
        ("event-count", {"events": tuple(Event(i, i + 0.5, label="x") for i in range(21))}, "20"),
        ("same-individual", {}, "no other sound"),
        ("pitch", {"audio_path": "nowhere.wav"}, "cannot be read"),
    ],
)
def test_what_is_not_sure_is_not_asked(task: str, values: dict[str, object], reason: str) -> None:
    row = full_row(
        0, "Chloris chloris", **{"duration_s": 30.0 if task == "event-count" else 10.0, **values}
    )
    assert any(reason in said for said in refusals(row, task))


def test_tasks_ask_only_rows_that_have_what_they_need() -> None:
    bare = make_row(0, "Parus major", common_names=())
    known = [make_row(10 + n, name) for n, name in enumerate(SPECIES)]
    asked = {p.task for p in make_pairs([*known, bare], ALL, 0) if p.row_id == bare.id}
    assert asked == {
        "species-scientific", "species-taxonomic", "species-scientific-list",
        "species-scientific-hard", "species-none", "genus", "family", "order", "class",
        "genus-list", "family-list", "class-list", "caption",
    }  # fmt: skip


def test_absence_is_asked_without_proof_only_where_it_is_allowed() -> None:
    known = [make_row(10 + n, name) for n, name in enumerate(SPECIES)]
    config = TasksConfig(tasks=("presence",), long_tail=0)
    assert list(make_pairs(known, config, 0)) == []
    allowed = config.model_copy(update={"assume_absent": True})
    assert {p.answer for p in make_pairs(known, allowed, 0)} == {"Yes", "No"}
