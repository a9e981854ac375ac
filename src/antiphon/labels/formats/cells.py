"""Labels in one cell of a table: several joined by ";", and the answers of a labelling queue."""

from __future__ import annotations

import re
from collections.abc import Iterable

from antiphon.labels.annotation import ABSENT, PRESENT, UNSURE

NOTHING = frozenset({"nothing", "none"})
"""Answers that say: none of the labels is here."""

_SEGMENT = re.compile(r'\s*(?P<mark>-?)\s*"(?P<quoted>(?:[^"]|"")*)"\s*(?P<tail>\??)\s*(?:;|$)')


def split_labels(cell: str) -> list[str]:
    """Split a cell at ";" into labels, each once; a label in double quotes is taken as it is."""
    if ";" not in cell and not cell.startswith('"'):
        return [cell.strip()] if cell.strip() else []
    labels = []
    for text, quoted, mark, tail in _segments(cell):
        labels.append(f"{mark}{text}{tail}" if quoted else text)
    return list(dict.fromkeys(label for label in labels if label))


def join_labels(labels: Iterable[str]) -> str:
    """Join labels into a cell that :func:`split_labels` splits again into the same labels."""
    return "; ".join(_quote(label) if _needs_quotes(label) else label for label in labels)


def join_answers(labels: Iterable[str]) -> str:
    """Join present labels into a cell that :func:`parse_answer` reads as the same labels."""
    return "; ".join(
        _quote(label)
        if _needs_quotes(label)
        or label.startswith("-")
        or label.endswith("?")
        or label.casefold() in NOTHING
        else label
        for label in labels
    )


def parse_answer(cell: str) -> list[tuple[str | None, str]]:
    """Read what a person wrote about one window.

    ``A; B`` says that both are present, ``-A`` that A is absent, ``A?`` that it is unsure,
    ``nothing`` (or ``none``) that no label is there at all. Double quotes keep a label that starts
    with "-", ends with "?" or holds ";" from being read this way.

    Returns
    -------
    list of (label, presence)
        Each label once; label None for ``nothing``. Empty for an empty cell: not labelled.

    Raises
    ------
    ValueError
        Saying what cannot be meant, as part of a sentence.
    """
    if cell.strip().upper().startswith("#NAME?"):
        raise ValueError(
            "the spreadsheet program took a leading '-' for a formula and left '#NAME?'; "
            "format the column as text, or type '-LABEL with the apostrophe"
        )
    answers: dict[str | None, str] = {}
    for text, quoted, mark, tail in _segments(cell):
        if not quoted:
            mark = "-" if text.startswith("-") else ""
            tail = "?" if text.endswith("?") else ""
            text = text.removeprefix("-").removesuffix("?").strip()
        if mark and tail:
            raise ValueError(f"{text!r} cannot be absent and unsure at once")
        if not text:
            if mark or tail:
                raise ValueError(f"{mark or tail!r} stands without a label")
            continue
        nothing = not quoted and text.casefold() in NOTHING
        if nothing and (mark or tail):
            raise ValueError(f"{mark}{text}{tail} has no meaning; write the labels one by one")
        label = None if nothing else text
        presence = ABSENT if mark or nothing else UNSURE if tail else PRESENT
        if answers.setdefault(label, presence) != presence:
            raise ValueError(f"{text!r} is said to be {answers[label]} and {presence}")
    if None in answers and len(answers) > 1:
        raise ValueError("'nothing' cannot stand beside labels")
    return list(answers.items())


def _segments(cell: str) -> list[tuple[str, bool, str, str]]:
    """Return (text, quoted, mark, tail) of each part between ";"; mark and tail if quoted only."""
    parts = []
    position = 0
    while position < len(cell):
        found = _SEGMENT.match(cell, position)
        if found:
            text = found["quoted"].replace('""', '"')
            parts.append((text, True, found["mark"], found["tail"]))
            position = found.end()
            continue
        end = cell.find(";", position)
        end = len(cell) if end < 0 else end
        parts.append((cell[position:end].strip(), False, "", ""))
        position = end + 1
    return parts


def _needs_quotes(label: str) -> bool:
    return ";" in label or '"' in label or label != label.strip()


def _quote(label: str) -> str:
    doubled = label.replace('"', '""')
    return f'"{doubled}"'
