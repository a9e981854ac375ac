"""What a model answered: JSONL (or CSV) of any model, and NatureLM-audio's own files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.errors import FormatError
from antiphon.language.benchmark.components import component_name
from antiphon.language.benchmark.reference_rows import RawReference, Rejection, raw_reference
from antiphon.language.benchmark.references import References, assemble
from antiphon.language.benchmark.rows import missing, read_rows, text_of

TEXT_FIELDS = ("text", "prediction", "answer", "response")
ID_FIELDS = ("id", "audio_path", "file_name", "filename")
SCORE_FIELDS = ("scores", "likelihoods")
TRUTH_FIELD = "label"
_SCORES = 'Scores are numbers by label, as {"Wood Thrush": -0.7, "Ovenbird": -2.1}'
COLUMNS = frozenset(
    (*TEXT_FIELDS, *ID_FIELDS, *SCORE_FIELDS, TRUTH_FIELD, "output", "dataset_name", "component")
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer.

    Parameters
    ----------
    where
        Line of the file.
    id
        Of the question; "" where the file gives none.
    component
        Of the question; "" where the file gives none.
    text
        What the model wrote; None where there is no text, or null.
    scores
        Of labels: probabilities or log-likelihoods, the larger the likelier; None where there are
        none.
    row
        The line's own fields, from which a truth that it carries can be read.
    """

    where: str
    id: str
    component: str
    text: str | None
    scores: Mapping[str, float] | None
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The answers of one model.

    Parameters
    ----------
    model
        Its name.
    path
        The file.
    answers
        In the order of the file.
    rejected
        Lines that are not used.
    notes
        What a reader has to know.
    """

    model: str
    path: Path
    answers: tuple[Prediction, ...]
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()

    def own_references(self) -> References:
        """Return the truths that the file itself carries, as BEANS-Zero's own tools ask for.

        Lines without an id are questions by their number among the answers.

        Raises
        ------
        FormatError
            If no line has a ``label``.
        """
        raws: list[RawReference] = []
        rejected: list[Rejection] = []
        for number, answer in enumerate(self.answers, start=1):
            row = {k: v for k, v in answer.row.items() if k in (TRUTH_FIELD, *ID_FIELDS)}
            row |= {"id": answer.id or f"answer {number}"}
            component = answer.component or self.path.stem
            raw = raw_reference(row, answer.where, component, [TRUTH_FIELD])
            if isinstance(raw, Rejection):
                rejected.append(raw)
            else:
                raws.append(raw)
        if not raws:
            raise FormatError(
                self.path,
                "carries no truths (no field 'label')",
                "Give the benchmark's rows with --references FILE or --data DIR",
            )
        return assemble(raws, rejected, {}, self.path)


def read_predictions(path: Path, model: str | None = None) -> Predictions:
    """Read a model's answers.

    A line has the question's ``id`` (or ``file_name``, ``audio_path``), its component as
    ``dataset_name`` (not needed where ids are unique), and an answer: ``text`` (or
    ``prediction``), ``scores`` of labels, or both. That is NatureLM-audio's file of a BEANS-Zero
    run (``prediction``, ``label``, ``id``, ``dataset_name``) and its file of a folder of recordings
    (``audio_path``, ``output``, with an answer for each 10 s).

    Raises
    ------
    FileError
        If there is no such file.
    FormatError
        If a line breaks the format, or scores are no numbers; the message names the line.
    """
    answers = []
    rejected: list[Rejection] = []
    without_text = 0
    for where, row in read_rows(path, COLUMNS):
        text_field = next((f for f in TEXT_FIELDS if f in row), None)
        if text_field is None and "output" in row:
            text_field = "output"
        scores = _scores(row, path, where)
        if text_field is None and scores is None:
            rejected.append(Rejection(where, "has neither an answer nor scores"))
            continue
        value = row.get(text_field) if text_field else None
        without_text += int(text_field is not None and missing(value))
        text = None if text_field is None or missing(value) else _as_text(value)
        answers.append(
            Prediction(
                where,
                next((t for f in ID_FIELDS if (t := text_of(row.get(f)))), ""),
                component_name(text_of(row.get("dataset_name") or row.get("component")) or ""),
                text if text is not None or scores is not None else "",
                scores,
                row,
            )
        )
    if not answers:
        why = f" ({rejected[0].reason})" if rejected else ""
        raise FormatError(path, f"holds no answers{why}", "A line needs id and text")
    notes = []
    if without_text:
        notes.append(
            f"{without_text:,} answers are null or NaN and count as empty; a table program may "
            "have made them of the word None"
        )
    return Predictions(model or path.stem, path, tuple(answers), tuple(rejected), tuple(notes))


def _as_text(value: object) -> str:
    """Return an answer as text; a list or an object is written as JSON and read as such."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _scores(row: Mapping[str, Any], path: Path, where: str) -> dict[str, float] | None:
    value = next((row[f] for f in SCORE_FIELDS if not missing(row.get(f))), None)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise FormatError(path, f"{where}: its scores are not JSON", _SCORES) from None
    pairs: list[tuple[Any, Any]]
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list) and all(isinstance(v, dict) for v in value):
        pairs = [(v.get("label"), v.get("score")) for v in value]
    elif isinstance(value, list) and all(isinstance(v, list) and len(v) == 2 for v in value):
        pairs = [(v[0], v[1]) for v in value]
    else:
        raise FormatError(path, f"{where}: its scores are no object of labels", _SCORES)
    found = {}
    for label, score in pairs:
        if missing(score):
            continue
        if not isinstance(label, str) or isinstance(score, bool | str) or not _finite(score):
            raise FormatError(path, f"{where}: the score of {label!r} is {score!r}", _SCORES)
        found[label] = float(score)
    return found


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
