"""Which answer belongs to which question."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from antiphon.errors import FormatError
from antiphon.language.benchmark.predictions import TRUTH_FIELD, Prediction, Predictions
from antiphon.language.benchmark.reference_rows import Rejection
from antiphon.language.benchmark.references import References
from antiphon.language.benchmark.rows import text_of

Place = tuple[str, str]
"""A component and the id of a question in it."""

_NAME_FIELDS = ("file_name", "filename", "audio_path", "path", "id")


def by_question(
    predictions: Predictions, references: References
) -> tuple[dict[str, dict[str, Prediction]], list[Rejection]]:
    """Return the answers by component and id of the question, and those to no question.

    Without a component an id must name one question; file names do as ids, with or without their
    folders and ending. In files without any ids the number of the answer is its id, so that several
    such files compare if they carry the same truths in the same order.

    Raises
    ------
    FormatError
        If a question has two different answers, or an id names questions of several components.
    """
    if not any(answer.id for answer in predictions.answers):
        return _by_order(predictions, references)
    places = _Places(references)
    found: dict[str, dict[str, Prediction]] = {name: {} for name in references.components}
    unused: list[Rejection] = []
    for answer in predictions.answers:
        where = f"{predictions.path.name}, {answer.where}"
        if answer.component and answer.component not in references.components:
            unused.append(Rejection(where, f"is of {answer.component}, which has no references"))
            continue
        hits = places.of(answer)
        if not hits:
            unused.append(Rejection(where, "has an id that no reference has"))
            continue
        if len(hits) > 1:
            raise FormatError(
                predictions.path,
                f"{answer.where}: the id {answer.id!r} names {len(hits)} questions "
                f"({', '.join(sorted({c for c, _ in hits})[:3])})",
                "Add the field dataset_name, and ids of their own to rows of one file",
            )
        (component, name), *_ = hits
        before = found[component].get(name)
        if before is None:
            found[component][name] = answer
        elif (before.text, before.scores) == (answer.text, answer.scores):
            unused.append(Rejection(where, "is there twice, with the same answer"))
        else:
            raise FormatError(
                predictions.path,
                f"{answer.where}: {answer.id!r} has another answer in {before.where}",
                "Give one answer to each question, and each prompt a file of its own",
            )
    return found, unused


def _by_order(
    predictions: Predictions, references: References
) -> tuple[dict[str, dict[str, Prediction]], list[Rejection]]:
    rows = {name: {row.id: row for row in c.rows} for name, c in references.components.items()}
    found: dict[str, dict[str, Prediction]] = {name: {} for name in references.components}
    unused: list[Rejection] = []
    for number, answer in enumerate(predictions.answers, start=1):
        component, name = answer.component or predictions.path.stem, f"answer {number}"
        row = rows.get(component, {}).get(name)
        if row is None:
            where = f"{predictions.path.name}, {answer.where}"
            unused.append(Rejection(where, "has no id, and no question has its number"))
            continue
        said = text_of(answer.row.get(TRUTH_FIELD))
        if said is not None and said != row.facts.get(TRUTH_FIELD, said):
            raise FormatError(
                predictions.path,
                f"{answer.where}: its label is {said!r}, that of question {number} is "
                f"{row.facts[TRUTH_FIELD]!r}",
                "Files without ids must have the same questions in the same order",
            )
        found[component][name] = answer
    return found, unused


class _Places:
    """Which questions an id, a file name or its stem names, in this order of trust."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._ids: dict[str, list[Place]] = {}
        for component, mine in references.components.items():
            for row in mine.rows:
                self._ids.setdefault(row.id, []).append((component, row.id))
        self._names: tuple[dict[str, list[Place]], dict[str, list[Place]]] | None = None

    def of(self, answer: Prediction) -> list[Place]:
        """Return the questions that an answer's id names."""
        hits = _within(self._ids.get(answer.id, ()), answer.component)
        if hits:
            return hits
        if self._names is None:
            self._names = self._read_names()
        name = posixpath.basename(answer.id.replace("\\", "/"))
        for key, places in zip((name, posixpath.splitext(name)[0]), self._names, strict=True):
            if hits := _within(places.get(key, ()), answer.component):
                return hits
        return []

    def _read_names(self) -> tuple[dict[str, list[Place]], dict[str, list[Place]]]:
        names: dict[str, list[Place]] = {}
        stems: dict[str, list[Place]] = {}
        for component, mine in self._references.components.items():
            for row in mine.rows:
                here = (component, row.id)
                given = {row.facts[field] for field in _NAME_FIELDS if field in row.facts}
                mine_named = {posixpath.basename(one.replace("\\", "/")) for one in given}
                for name in mine_named:
                    names.setdefault(name, []).append(here)
                for stem in {posixpath.splitext(name)[0] for name in mine_named}:
                    stems.setdefault(stem, []).append(here)
        return names, stems


def _within(places: Iterable[Place], component: str) -> list[Place]:
    return [place for place in places if not component or place[0] == component]
