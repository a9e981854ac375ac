"""Two sides of a split compared in everything that both know."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.leakage.declared import ends_alike, path_parts
from antiphon.evaluation.leakage.embeddings import nearest
from antiphon.evaluation.leakage.fingerprints import Fingerprint
from antiphon.evaluation.leakage.matching import COPY_ERRORS, match_fingerprints
from antiphon.evaluation.leakage.report import Finding, Severity
from antiphon.evaluation.leakage.sides import SplitSide, text

UNITS = ("recording", "source", "site", "day")
"""What a split may promise to keep apart."""

# Cosine of two float32 embeddings of the same sound.
_EQUAL = 1.0 - 1e-5

_ADVICE = {
    "item": "Take them out of one side",
    "recording": "Split by recording, so that its windows stay on one side",
    "source": "Split by source, so that what was cut from one stays on one side",
    "content": "They are copies under other names: take them out of one side",
    "copied audio": "Listen to them, and take copies out of one side",
    "similar audio": "Listen to them: it is a noisy copy, or a very regular call",
    "equal embedding": "They are copies, or silence: look at them",
    "near embedding": "Listen to the nearest ones",
    "site": "The score is that of known sites; to speak of new ones, split by site",
    "day": "The score is that of known days; to speak of others, split by day",
    "site and day": "Weather, background and animals are the same; split by day at least",
}


class Pair:
    """Two sides, and what is found between them."""

    def __init__(
        self, first: str, train: SplitSide, second: str, test: SplitSide, examples: int
    ) -> None:
        self.sides = (first, second)
        self.train, self.test = train, test
        self.examples = examples
        self.findings: list[Finding] = []
        self.checked: list[str] = []
        self.missing: list[str] = []
        # Items of the second side that are on the first by name or content: that their sound is
        # there too is no news.
        self._same: set[int] = set()

    def everything(
        self,
        contents_first: Sequence[object] | None,
        contents_second: Sequence[object] | None,
        apart: Collection[str],
        near: float,
        listed_apart: bool = False,
    ) -> None:
        """Make all comparisons."""
        self.names()
        contents = (contents_first, contents_second)
        for unit in UNITS:
            first, second = (getattr(side, f"{unit}s") for side in (self.train, self.test))
            if unit == "recording" and listed_apart:
                first, second = _as_on_first((first, second), contents)
            self.shared(unit, first, second, "error" if unit in apart else "warning")
        self.places()
        self.shared("content", *contents, "error")
        self.audio()
        self.embeddings(near)

    def names(self) -> None:
        """Compare the items themselves, also as whole sets."""
        before = len(self.findings)
        rows = self.shared("item", self.train.ids, self.test.ids, "error")
        if rows is not None and len(rows) == len(self.test) > 0:
            self.findings[before:] = [
                Finding(
                    "same set", "error", self.sides, len(rows), len(self.test),
                    advice="Scores on it say nothing: set items aside before training or choosing",
                )
            ]  # fmt: skip

    def places(self) -> None:
        """Compare days at the same site, where both are known."""
        joint = []
        for side in (self.train, self.test):
            if side.sites is None or side.days is None:
                return
            known = [(text(s), text(d)) for s, d in zip(side.sites, side.days, strict=True)]
            joint.append([f"{s}, {d}" if s and d else None for s, d in known])
        self.shared("site and day", joint[0], joint[1], "warning", quiet=True)

    def shared(
        self,
        kind: str,
        train: Sequence[object] | None,
        test: Sequence[object] | None,
        severity: Severity,
        quiet: bool = False,
    ) -> npt.NDArray[np.intp] | None:
        """Compare names; return the rows of the second side that are on the first, or None."""
        if not self._known(kind, train, test):
            return None
        assert train is not None
        assert test is not None
        keys = [[text(value) for value in values] for values in (train, test)]
        if not quiet:
            self.missing += [
                f"{kind} of {lacking:,} of {len(values):,} {side} items"
                for side, values in zip(self.sides, keys, strict=True)
                if (lacking := values.count(None))
            ]
        first: dict[str, int] = {}
        for row, key in enumerate(keys[0]):
            if key is not None:
                first.setdefault(key, row)
        rows = np.array([i for i, key in enumerate(keys[1]) if key in first], np.intp)
        if kind == "content":
            rows = self._news(rows)
        if kind in ("item", "recording", "content"):
            self._same.update(rows.tolist())
        if len(rows):
            said: dict[str, int] = {}
            for row in rows:
                key = keys[1][row]
                assert key is not None
                said[key] = said.get(key, 0) + 1
            names = [
                f"{self.test.name(int(row))} = {self.train.name(first[str(keys[1][row])])}"
                for row in rows
            ]
            if kind != "content":
                names = [key if count == 1 else f"{key}: {count:,}" for key, count in said.items()]
            self._add(kind, severity, len(rows), names)
        return rows

    def audio(self) -> None:
        """Compare fingerprints."""
        a, b = self.test.fingerprints, self.train.fingerprints
        if not self._known("audio", b, a):
            return
        assert a is not None
        assert b is not None
        self.missing += [
            f"audio of {silent:,} of {len(prints):,} {side} items"
            for side, prints in zip(self.sides, (b, a), strict=True)
            if (silent := sum(one is None or len(one) == 0 for one in prints))
        ]
        unique_a, rows_a = _unique(a)
        unique_b, rows_b = _unique(b)
        best: dict[int, tuple[float, int]] = {}
        for match in match_fingerprints(unique_a, unique_b):
            for row in rows_a[match.test]:
                if row not in self._same and match.errors < best.get(row, (1.0, 0))[0]:
                    best[row] = (match.errors, rows_b[match.train][0])
        for kind, severity, low, high in (
            ("copied audio", "error", -1.0, COPY_ERRORS),
            ("similar audio", "warning", COPY_ERRORS, 1.0),
        ):
            found = sorted((e, row, other) for row, (e, other) in best.items() if low < e <= high)
            names = [
                f"{self.test.name(row)} ~ {self.train.name(other)}, {errors:.0%} of bits differ"
                for errors, row, other in found
            ]
            if found:
                self._add(kind, "error" if severity == "error" else "warning", len(found), names)

    def embeddings(self, near: float) -> None:
        """Compare embeddings."""
        a, b = self.test.embeddings, self.train.embeddings
        if not self._known("embedding", b, a):
            return
        assert a is not None
        assert b is not None
        if not len(a) or not len(b):
            return
        similarity, which = nearest(a, b)
        equal = similarity >= _EQUAL
        for kind, severe, chosen in (
            ("equal embedding", True, equal),
            ("near embedding", False, (similarity >= near) & ~equal),
        ):
            rows = np.flatnonzero(chosen)
            rows = self._news(rows)
            rows = rows[np.argsort(-similarity[rows], kind="stable")]
            names = [
                f"{self.test.name(int(row))} ~ {self.train.name(int(which[row]))}, "
                f"cosine {similarity[row]:.4f}"
                for row in rows
            ]
            if len(rows):
                self._add(kind, "error" if severe else "warning", len(rows), names)

    def _news(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        return np.array([row for row in rows if int(row) not in self._same], np.intp)

    def _known(self, kind: str, train: object, test: object) -> bool:
        first, second = self.sides
        lacking = [name for name, has in ((first, train), (second, test)) if has is None]
        if lacking:
            self.missing.append(f"{kind} ({' and '.join(lacking)}: not given)")
            return False
        self.checked.append(kind)
        return True

    def _add(self, kind: str, severity: Severity, count: int, names: Sequence[str]) -> None:
        self.findings.append(
            Finding(
                kind=kind,
                severity=severity,
                sides=self.sides,
                count=count,
                of=len(self.test),
                examples=tuple(names[: self.examples]),
                advice=_ADVICE[kind],
                more=len(names) > self.examples,
            )
        )


def _as_on_first(
    names: Sequence[Sequence[object] | None], contents: Sequence[Sequence[object] | None]
) -> list[Sequence[object] | None]:
    """Return the recordings of both sides, those of the second under their names on the first.

    ``x`` and ``a/x.wav`` are one recording, ``b/x`` and ``a/x`` are not, nor files of two contents.
    """
    if names[0] is None or names[1] is None:
        return list(names)
    keys = [[text(name) for name in side or ()] for side in names]
    held = [
        {key: one for key, one in zip(side, known or (), strict=False) if one is not None}
        for side, known in zip(keys, contents, strict=True)
    ]
    by_stem: dict[str, list[tuple[str, ...]]] = {}
    named: dict[tuple[str, ...], str] = {}
    for key in dict.fromkeys(keys[0]):
        if key is not None and (parts := path_parts(key)):
            by_stem.setdefault(parts[-1], []).append(parts)
            named.setdefault(parts, key)
    same: dict[str | None, str | None] = {key: key for key in keys[1]}
    for key in same.keys() - set(keys[0]) - {None}:
        alike = ends_alike(path_parts(key), by_stem)
        if alike is None:
            continue
        sounds = held[0].get(named[alike]), held[1].get(key)
        if None in sounds or sounds[0] == sounds[1]:
            same[key] = named[alike]
    return [keys[0], [same[key] for key in keys[1]]]


def _unique(
    prints: Sequence[Fingerprint | None],
) -> tuple[list[Fingerprint | None], list[list[int]]]:
    """Return distinct fingerprint objects, and the rows that have each."""
    places: dict[int, int] = {}
    found: list[Fingerprint | None] = []
    rows: list[list[int]] = []
    for row, one in enumerate(prints):
        if one is None:
            continue
        if id(one) not in places:
            places[id(one)] = len(found)
            found.append(one)
            rows.append([])
        rows[places[id(one)]].append(row)
    return found, rows
