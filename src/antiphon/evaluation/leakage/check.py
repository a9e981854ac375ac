"""Checking a split: everything that two sides must not share, in one report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import AudioError, UserError
from antiphon.evaluation.leakage.declared import declared
from antiphon.evaluation.leakage.pair import UNITS, Pair
from antiphon.evaluation.leakage.report import Finding, LeakageReport, ordered
from antiphon.evaluation.leakage.sides import SplitSide


def check_split(
    train: SplitSide,
    test: SplitSide,
    validation: SplitSide | None = None,
    *,
    trained_on: Mapping[str, Sequence[str]] | None = None,
    apart: Collection[str] = ("recording", "source"),
    near: float = 0.99,
    examples: int = 5,
    listed_apart: bool = False,
) -> LeakageReport:
    """Check whether the sides of a split share what they must not.

    Compared are, where both sides know them: names of items, recordings, sources, sites, days, the
    content of files, fingerprints of the audio, and embeddings. What one side does not know is
    listed as not checked. Content, audio and embeddings are reported for items that are not on both
    sides by name already.

    Parameters
    ----------
    train, test, validation
        The sides; a model chosen on the validation side is not to be tested on it, nor trained.
    trained_on
        For each component (an encoder, one model of an ensemble), the files it says it was trained
        on. A name means an item if it ends in the same path: ``x`` and ``a/x.wav`` agree, ``b/x``
        and ``a/x`` do not.
    apart
        Units of :data:`UNITS` that the split promises to keep apart: sharing them is an error.
        Sharing another site or day is a warning, and another recording or source as well.
    near
        Cosine similarity from which embeddings count as nearly the same. What is usual depends on
        the encoder.
    examples
        How many names each finding shows.
    listed_apart
        Whether the sides name their recordings each in its own way (lists of two people). Then
        ``x`` and ``a/x.wav`` are one recording, as for ``trained_on``, unless both are files and
        differ; otherwise names must be equal.

    Raises
    ------
    UserError
        If a parameter is out of range, or embeddings do not fit together.
    """
    _check_options(apart, near)
    sides = {"train": train, "test": test}
    pairs = [("train", "test")]
    if validation is not None:
        sides = {"train": train, "validation": validation, "test": test}
        pairs += [("train", "validation"), ("validation", "test")]
    contents = {name: _contents(side) for name, side in sides.items()}
    findings: list[Finding] = []
    checked: list[str] = []
    missing: list[str] = []
    for name, (_, problems) in contents.items():
        missing += [f"content of {problem} ({name})" for problem in problems]
    for first, second in pairs:
        pair = Pair(first, sides[first], second, sides[second], examples)
        known = contents[first][0], contents[second][0]
        pair.everything(*known, apart, near, listed_apart)
        findings += pair.findings
        checked += [f"{kind} ({first}, {second})" for kind in pair.checked]
        missing += pair.missing
    held_out = {name: side for name, side in sides.items() if name != "train"}
    for component, files in (trained_on or {}).items():
        for name, side in held_out.items():
            what = f"what {component} was trained on ({name})"
            found = declared(component, files, name, side, examples)
            (missing if found is None else checked).append(what)
            findings += found or []
    sizes = {name: len(side) for name, side in sides.items()}
    return LeakageReport(sizes, ordered(findings), tuple(checked), tuple(dict.fromkeys(missing)))


def check_folds(
    items: SplitSide,
    fold: npt.ArrayLike,
    *,
    trained_on: Mapping[str, Sequence[str]] | None = None,
    apart: Collection[str] = ("recording", "source"),
    near: float = 0.99,
    examples: int = 5,
) -> LeakageReport:
    """Check every fold of a cross-validation against the others, in one report.

    Parameters
    ----------
    items
        All items.
    fold
        ``(n,)`` fold of each.
    trained_on, apart, near, examples
        As for :func:`check_split`.

    Returns
    -------
    LeakageReport
        Counts are of items whose fold shares something with another fold.

    Raises
    ------
    UserError
        If there is not one fold for each item, or only one fold.
    """
    given = np.asarray(fold)
    if given.shape != (len(items),):
        raise UserError(f"There must be one fold for each of {len(items)} items: {given.shape}.")
    names, number = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise UserError("A cross-validation has at least 2 folds.")
    _check_options(apart, near)
    sides = ("other", "held-out")
    contents, problems = _contents(items)
    found: dict[str, Finding] = {}
    checked: dict[str, None] = {}
    for f in range(len(names)):
        inside, outside = np.flatnonzero(number == f), np.flatnonzero(number != f)
        pair = Pair(sides[0], items.take(outside), sides[1], items.take(inside), examples)
        parts = [
            None if contents is None else [contents[i] for i in at] for at in (outside, inside)
        ]
        pair.everything(parts[0], parts[1], apart, near)
        for one in pair.findings:
            before = found.get(one.kind)
            count = one.count + (before.count if before else 0)
            shown = (before.examples if before else ()) + one.examples
            found[one.kind] = replace(
                one,
                count=count,
                of=len(items),
                examples=shown[:examples],
                more=one.more or len(shown) > examples or (before is not None and before.more),
            )
        checked |= dict.fromkeys(pair.checked)
    missing = [f"content of {problem}" for problem in problems] + items.lacking()
    findings = list(found.values())
    for component, files in (trained_on or {}).items():
        more = declared(component, files, "held-out", items, examples)
        if more is None:
            missing.append(f"what {component} was trained on")
        else:
            checked[f"what {component} was trained on"] = None
            findings += more
    sizes = {f"held out in {len(names)} folds": len(items)}
    return LeakageReport(sizes, ordered(findings), tuple(checked), tuple(missing))


def _check_options(apart: Collection[str], near: float) -> None:
    odd = [unit for unit in apart if unit not in UNITS]
    if odd:
        raise UserError(f"Unit {odd[0]!r} is not known. There are: {', '.join(UNITS)}.")
    if not 0.0 < near <= 1.0:
        raise UserError(f"The similarity ({near:g}) must be above 0 and at most 1.")


def _contents(side: SplitSide) -> tuple[list[str | None] | None, list[str]]:
    """Return the identity of each file's content, and what could not be read."""
    if side.files is None:
        return None, []
    from antiphon.audio.recording import content_key

    known: dict[str, str | None] = {}
    problems = []
    for file in side.files:
        if file is None or str(file) in known:
            continue
        try:
            known[str(file)] = content_key(Path(file))
        except AudioError as error:
            known[str(file)] = None
            problems.append(str(error).rstrip("."))
    return [None if file is None else known[str(file)] for file in side.files], problems
