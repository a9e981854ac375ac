"""Copies of a benchmark's sounds among the files of a corpus, by audio fingerprints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from antiphon.errors import AudioError
from antiphon.evaluation.leakage.fingerprints import Fingerprint, fingerprint_file
from antiphon.evaluation.leakage.matching import COPY_ERRORS, match_fingerprints
from antiphon.language.benchmark.references import References
from antiphon.language.benchmark.rows import text_of

_AUDIO_FIELDS = ("audio_path", "file_name", "filename")
# Files of the corpus whose fingerprints are in memory at once: 1 MB an hour of sound.
_AT_ONCE = 2000


def match_audio(
    references: References,
    rows: Iterable[Mapping[str, Any]],
    base: Path | None,
    corpus_base: Path,
) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Return questions whose sound a corpus holds, and what could not be compared.

    Parameters
    ----------
    references
        Questions; those with an audio file are looked for.
    rows
        Of the corpus; read once.
    base, corpus_base
        Folders that relative paths start from.

    Returns
    -------
    list of tuple
        Component, place of the question in it, and the file of the corpus.
    list of str
        Problems, in words.
    """
    places, prints, unread = _questions(references, base)
    problems = []
    if unread:
        problems.append(f"sound of {unread:,} questions without a readable file")
    found: dict[tuple[str, int], str] = {}
    lacking = 0
    files = iter(rows)
    while block := list(islice(files, _AT_ONCE)):
        names, theirs = [], []
        for row in block:
            file = _file(row, corpus_base)
            one = None if file is None else _print(file)
            if file is None or one is None:
                lacking += 1
                continue
            names.append(str(file))
            theirs.append(one)
        for match in match_fingerprints(prints, theirs, most_errors=COPY_ERRORS):
            found.setdefault(places[match.test], names[match.train])
    if lacking:
        problems.append(f"sound of {lacking:,} corpus rows without a readable file")
    return [(component, at, name) for (component, at), name in found.items()], problems


def content_keys(
    references: References, base: Path | None
) -> Iterator[tuple[tuple[str, str], str, int]]:
    """Yield what each question's file holds, as a corpus writes it, with component and place."""
    from antiphon.language.sources.fingerprint import file_digest, fingerprint

    known: dict[Path, list[tuple[str, str]]] = {}
    for component, at, facts in _rows(references):
        file = _file(facts, base or Path())
        if file is None:
            continue
        if file not in known:
            try:
                codes = {"sha256": file_digest(file), "audio_fingerprint": fingerprint(file)}
            except AudioError:
                codes = {}
            known[file] = [("content", f"{k}:{v}") for k, v in codes.items() if v]
        for key in known[file]:
            yield key, component, at


def _questions(
    references: References, base: Path | None
) -> tuple[list[tuple[str, int]], list[Fingerprint], int]:
    places, prints, unread = [], [], 0
    known: dict[Path, Fingerprint | None] = {}
    for component, at, facts in _rows(references):
        file = _file(facts, base or Path())
        if file is not None and file not in known:
            known[file] = _print(file)
        one = None if file is None else known[file]
        if one is None:
            unread += 1
            continue
        places.append((component, at))
        prints.append(one)
    return places, prints, unread


def _rows(references: References) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    for component, mine in references.components.items():
        for at, row in enumerate(mine.rows):
            yield component, at, row.facts


def _file(facts: Mapping[str, Any], base: Path) -> Path | None:
    for name in _AUDIO_FIELDS:
        if text := text_of(facts.get(name)):
            path = base / text
            if path.is_file():
                return path
    return None


def _print(path: Path) -> Fingerprint | None:
    try:
        return fingerprint_file(path)
    except AudioError:
        return None
