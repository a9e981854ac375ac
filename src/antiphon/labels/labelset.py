"""The names that a project uses for what it labels, with their taxa and synonyms."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from antiphon.errors import UserError

Kind = Literal["species", "call_type", "individual", "other"]
KINDS: tuple[str, ...] = get_args(Kind)

RESERVED = frozenset({"nothing", "none"})
"""Names no label can have: as an answer they say that none of the labels is there."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label.

    Parameters
    ----------
    name
        What annotations call it; unique in a label set, whatever the case.
    kind
        What it tells apart: "species" (or another taxon), "call_type", "individual", "other".
    scientific_name, common_name
        Of the taxon, if it is tied to one. Several labels (call types) may share a taxon.
    rank
        Rank of the taxon, such as "species" or "genus".
    synonyms
        Other names for the label.

    Raises
    ------
    UserError
        If the name is empty, reserved or holds a line end or TAB, or the kind is unknown.
    """

    name: str
    kind: Kind = "species"
    scientific_name: str | None = None
    common_name: str | None = None
    rank: str | None = None
    synonyms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.synonyms):
            if name.strip().casefold() in RESERVED:
                raise UserError(
                    f"A label cannot be called {name!r}: as an answer it means that no label is "
                    "there. Choose another name."
                )
            if not name.strip() or name != name.strip() or any(c in name for c in "\t\r\n"):
                raise UserError(
                    f"A label cannot be called {name!r}: it is empty, or has outer spaces, a TAB "
                    "or a line end."
                )
        if self.kind not in KINDS:
            raise UserError(
                f"Label {self.name!r} is of kind {self.kind!r}; there are {', '.join(KINDS)}."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the label as plain JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "scientific_name": self.scientific_name,
            "common_name": self.common_name,
            "rank": self.rank,
            "synonyms": list(self.synonyms),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Label:
        """Return the label that :meth:`to_json` described."""
        return cls(**{**values, "synonyms": tuple(values.get("synonyms", ()))})


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a label set knows of a list of names.

    Parameters
    ----------
    known
        The label's name by the name asked for.
    unknown
        By each name that is not known, or that several labels share: the closest label names,
        the best first.
    """

    known: dict[str, str]
    unknown: dict[str, tuple[str, ...]]


class LabelSet:
    """Labels, found by any of their names.

    A name is looked up without regard to case and outer spaces: first among label names, then
    among synonyms, scientific and common names. ``Scientific_Common``, as BirdNET writes its
    classes, finds a label by the whole or by either part, and a label named that way is found by
    either part.

    Raises
    ------
    UserError
        If two labels have the same name, or a synonym is another label's name or synonym.
    """

    def __init__(self, labels: Iterable[Label] = ()) -> None:
        self._labels = tuple(labels)
        self._by_name: dict[str, Label] = {}
        self._by_other: dict[str, list[Label]] = {}
        for label in self._labels:
            folded = _fold(label.name)
            if folded in self._by_name:
                raise UserError(
                    f"Two labels have the name {label.name!r} (the case does not count)."
                )
            self._by_name[folded] = label
        owners: dict[str, Label] = {}
        for label in self._labels:
            for synonym in label.synonyms:
                folded = _fold(synonym)
                other = self._by_name.get(folded) or owners.get(folded)
                if other is not None and other is not label:
                    raise UserError(
                        f"{synonym!r} stands for two labels, {other.name!r} and {label.name!r}."
                    )
                owners[folded] = label
            others = (label.scientific_name, label.common_name, *label.synonyms)
            names = {_fold(name) for name in others if name} | _parts(label.name)
            for folded in names:
                self._by_other.setdefault(folded, []).append(label)

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self._labels)

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels, in their order."""
        return tuple(label.name for label in self._labels)

    def find(self, name: str) -> Label | None:
        """Return the one label that a name stands for, or None."""
        found = self._candidates(name)
        return found[0] if len(found) == 1 else None

    def resolve(self, name: str) -> Label:
        """Return the one label that a name stands for.

        Raises
        ------
        UserError
            If there is none, with the closest names, or if several labels share the name.
        """
        found = self._candidates(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(
                f"{name!r} stands for several labels: {', '.join(label.name for label in found)}. "
                "Use one of these names."
            )
        near = self.suggest(name)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UserError(f"Label {name!r} is not in the label set.{hint}")

    def resolve_all(self, names: Iterable[str]) -> Resolution:
        """Look up many names at once; none of them raises."""
        known: dict[str, str] = {}
        unknown: dict[str, tuple[str, ...]] = {}
        for name in dict.fromkeys(names):
            found = self._candidates(name)
            if len(found) == 1:
                known[name] = found[0].name
            else:
                unknown[name] = tuple(label.name for label in found) or self.suggest(name)
        return Resolution(known, unknown)

    def suggest(self, name: str, n: int = 3) -> tuple[str, ...]:
        """Return the names of at most ``n`` labels with a name close to this one, best first."""
        known = {folded: [label] for folded, label in self._by_name.items()}
        for folded, labels in self._by_other.items():
            known.setdefault(folded, labels)
        near = difflib.get_close_matches(_fold(name), known, n=n, cutoff=0.6)
        found = dict.fromkeys(label.name for folded in near for label in known[folded])
        return tuple(found)[:n]

    def extended(self, labels: Iterable[Label]) -> LabelSet:
        """Return a label set with more labels after these."""
        return LabelSet((*self._labels, *labels))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the labels as plain JSON values."""
        return [label.to_json() for label in self._labels]

    @classmethod
    def from_json(cls, values: Iterable[Mapping[str, Any]]) -> LabelSet:
        """Return the label set that :meth:`to_json` described."""
        return cls(Label.from_json(value) for value in values)

    def _candidates(self, name: str) -> list[Label]:
        folded = _fold(name)
        if folded in self._by_name:
            return [self._by_name[folded]]
        if folded in self._by_other:
            return self._by_other[folded]
        scientific, _, common = folded.partition("_")
        for part in (scientific, common):
            if not (scientific and common):
                break
            if part in self._by_name:
                return [self._by_name[part]]
            if part in self._by_other:
                return self._by_other[part]
        return []


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _parts(name: str) -> set[str]:
    """Return both names in ``Scientific_Common``: two or more words before the only "_"."""
    scientific, _, common = name.partition("_")
    if " " not in scientific.strip() or not common or "_" in common:
        return set()
    return {_fold(scientific), _fold(common)}
