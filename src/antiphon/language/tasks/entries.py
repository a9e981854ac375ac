"""The catalogue of tasks: what each needs of a row, its wordings, where its answer comes from."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

import pydantic

from antiphon.encoders.checking import Strict, nearest
from antiphon.errors import UserError

FAMILIES = ("species", "ranks", "detection", "animal", "captions", "signal", "general")
"""Groups of tasks, one file of the catalogue each."""

Form = Literal[
    "name", "choice", "set", "yes_no", "spans", "labelled_spans", "number", "text", "words"
]
Naming = Literal["common", "scientific", "taxonomic", "any"]
Need = Literal[
    "species", "common_name", "genus", "family", "order", "class", "relatives", "exhaustive",
    "absence", "events", "call_types", "life_stage", "sex", "individual", "count", "behaviour",
    "named", "scene", "country", "time", "audio", "caption", "general", "tags", "music",
    "described", "speech", "transcript",
]  # fmt: skip


class Choices(Strict):
    """The options of a question.

    Parameters
    ----------
    kind
        Where wrong options come from: "hard" are relatives (of the genus, then of the family, then
        of the order), "random" any taxa, "mixed" either.
    least, most
        How many wrong options.
    none_share
        Share of the questions that lack every right option, so that "None" is the answer; "None"
        is offered in all of them if the share is not 0.
    """

    kind: Literal["hard", "random", "mixed"]
    least: Annotated[int, pydantic.Field(ge=1)]
    most: Annotated[int, pydantic.Field(ge=1)]
    none_share: Annotated[float, pydantic.Field(ge=0.0, lt=1.0)] = 0.0


class Task(Strict):
    """One task.

    Parameters
    ----------
    id
        Its name.
    asks
        What it asks for, in a few words.
    needs
        What has to be known of a row, see ``needs``.
    answer
        Name of the function that works out the answer, see ``answers``.
    form
        What an answer looks like; decides how one is scored, see ``checkers``.
    prompts
        Wordings of the question. ``{name}`` and ``{a_name}`` (with its article) stand for what is
        asked about; options follow the wording.
    naming
        How taxa are named: common, scientific or taxonomic names; "any" draws one of the first two.
    rank
        Rank that is asked for.
    choices
        How options are drawn; None where there are none or always the same.
    family
        The group, one of :data:`FAMILIES`.
    """

    id: str
    asks: str
    needs: tuple[Need, ...]
    answer: str
    form: Form
    prompts: Annotated[tuple[str, ...], pydantic.Field(min_length=8)]
    naming: Naming = "any"
    rank: Literal["class", "order", "family", "genus"] | None = None
    choices: Choices | None = None
    family: str = ""


@lru_cache(maxsize=1)
def all_tasks() -> tuple[Task, ...]:
    """Return the 44 tasks, in the order of the catalogue."""
    import yaml

    found = []
    for family in FAMILIES:
        text = files(__package__).joinpath("catalogue", f"{family}.yaml").read_text("utf-8")
        found += [
            Task.model_validate({**entry, "family": family}) for entry in yaml.safe_load(text)
        ]
    return tuple(found)


def find_tasks(patterns: Sequence[str] = ()) -> tuple[Task, ...]:
    """Return the tasks whose name or family fits one of the patterns, in the catalogue's order.

    Parameters
    ----------
    patterns
        Such as "presence", "species-*" or "signal" (all tasks of that family); empty means all.

    Raises
    ------
    UserError
        If a pattern fits no task; names the nearest.
    """
    tasks = all_tasks()
    if not patterns:
        return tasks
    wanted: set[str] = set()
    for pattern in patterns:
        fits = {t.id for t in tasks if fnmatchcase(t.id, pattern)} or {
            t.id for t in tasks if t.family == pattern
        }
        if not fits:
            known = [*(t.id for t in tasks), *FAMILIES]
            raise UserError(f"There is no task {pattern!r}.{nearest(pattern, known)}")
        wanted |= fits
    return tuple(t for t in tasks if t.id in wanted)
