"""A question about a sound, its answer, and what it takes to score another answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

AUDIO_MARK = "<audio>"
"""Stands in a prompt where a sound belongs, once for each of ``Pair.audio``, in their order."""

NONE = "None"
"""The answer that none of the options fits."""


class AudioRef(NamedTuple):
    """A sound that a prompt speaks of.

    Parameters
    ----------
    row_id
        ``CorpusRow.id`` of it.
    path
        The file; None where the corpus holds its bytes or it is not downloaded yet.
    start_s, end_s
        The part that is meant, seconds; None for the whole file.
    """

    row_id: str
    path: str | None = None
    start_s: float | None = None
    end_s: float | None = None


class Pair(NamedTuple):
    """One question and its answer.

    Parameters
    ----------
    id
        Unique in a set of pairs: row and task.
    task, family
        Name and group of the task.
    form
        What an answer looks like, see ``entries.Task``.
    prompt
        The question, with :data:`AUDIO_MARK` for each sound.
    answer
        The right answer.
    options
        The options that the prompt offers, in its order, :data:`NONE` included.
    audio
        The sounds, in the order of the marks; the last one of the row the question is about.
    checker
        JSON that :func:`antiphon.language.tasks.checkers.score` takes.
    template
        Which wording of the task was used.
    examples
        How many solved examples the prompt shows.
    taxon
        Accepted name of the focal taxon.
    subject
        What the question names (``{name}``), such as the species whose presence is asked for.
    split
        Which part of a divided corpus the row is in, see ``splits``.
    """

    id: str
    task: str
    family: str
    form: str
    prompt: str
    answer: str
    options: tuple[str, ...]
    audio: tuple[AudioRef, ...]
    checker: str
    template: int
    examples: int = 0
    taxon: str | None = None
    subject: str | None = None
    split: str | None = None

    @property
    def row_id(self) -> str:
        """The row that the question is about."""
        return self.audio[-1].row_id


AUDIO_TYPE = pa.struct(
    [
        pa.field("row_id", pa.string(), nullable=False),
        ("path", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
    ]
)
PAIR_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("family", pa.string(), nullable=False),
        pa.field("form", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("options", pa.list_(pa.string())),
        pa.field("audio", pa.list_(AUDIO_TYPE), nullable=False),
        pa.field("checker", pa.string(), nullable=False),
        pa.field("template", pa.int16(), nullable=False),
        pa.field("examples", pa.int16(), nullable=False),
        pa.field("taxon", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("split", pa.string()),
    ]
)
"""Columns of a table of pairs, the fields of :class:`Pair`."""


def audio_array(refs: Iterable[tuple[AudioRef, ...]]) -> pa.ListArray:
    """Return lists of sounds as an Arrow array."""
    flat: list[AudioRef] = []
    offsets = [0]
    for some in refs:
        flat.extend(some)
        offsets.append(len(flat))
    values = pa.StructArray.from_arrays(
        [
            pa.array([r.row_id for r in flat], pa.string()),
            pa.array([r.path for r in flat], pa.string()),
            pa.array([r.start_s for r in flat], pa.float64()),
            pa.array([r.end_s for r in flat], pa.float64()),
        ],
        fields=list(AUDIO_TYPE),
    )
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), values, type=PAIR_SCHEMA.field("audio").type
    )


def to_batch(pairs: list[Pair]) -> pa.RecordBatch:
    """Return pairs as a record batch with :data:`PAIR_SCHEMA`."""
    arrays = []
    for column in PAIR_SCHEMA:
        if column.name == "audio":
            arrays.append(audio_array(pair.audio for pair in pairs))
        else:
            arrays.append(pa.array([getattr(p, column.name) for p in pairs], column.type))
    return pa.RecordBatch.from_arrays(arrays, schema=PAIR_SCHEMA)
