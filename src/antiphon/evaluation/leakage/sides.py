"""One side of a split: what is known of its items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.leakage.fingerprints import Fingerprint

Names = Sequence[object]


@dataclass(frozen=True, slots=True, eq=False)
class SplitSide:
    """The items of a training, validation or test side, and what is known of each.

    Every field is None where nothing is known, else of one length. In a list, None (or an empty
    text) stands for an item of which it is not known.

    Parameters
    ----------
    ids
        Names of the items (windows, clips).
    recordings
        Recording of each.
    sources
        What a recording was cut from: an upload, a tape, an individual, a recordist's session.
    sites, days
        Where and when it was recorded.
    embeddings
        ``(n, d)``.
    fingerprints
        Of :mod:`~antiphon.evaluation.leakage.fingerprints`; one for each item, or the same object
        for all items of a recording.
    files
        Sound file of each item, whose content is compared.

    Raises
    ------
    UserError
        If lengths differ, or nothing is given.
    """

    ids: Names | None = None
    recordings: Names | None = None
    sources: Names | None = None
    sites: Names | None = None
    days: Names | None = None
    embeddings: npt.NDArray[np.floating] | None = None
    fingerprints: Sequence[Fingerprint | None] | None = None
    files: Sequence[Path | str | None] | None = None

    def __post_init__(self) -> None:
        lengths = {
            name: len(value)
            for name in self.__dataclass_fields__
            if (value := getattr(self, name)) is not None
        }
        if not lengths:
            raise UserError("A side of a split needs at least the names of its items.")
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{n:,} {name}" for name, n in lengths.items())
            raise UserError(f"The parts of one side of a split differ in length: {said}.")
        if self.embeddings is not None and np.ndim(self.embeddings) != 2:
            raise UserError(
                f"Embeddings of a side must be (n, d), got {np.shape(self.embeddings)}."
            )

    def __len__(self) -> int:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None:
                return len(value)
        return 0

    def name(self, row: int) -> str:
        """Return what to call an item: its id, recording or file, or its number."""
        for values in (self.ids, self.recordings, self.files):
            if values is not None and (said := text(values[row])) is not None:
                return said
        return f"item {row}"

    def lacking(self) -> list[str]:
        """Return what is not known, of all items or of some."""
        said = []
        for kind, values in (
            ("item", self.ids),
            ("recording", self.recordings),
            ("source", self.sources),
            ("site", self.sites),
            ("day", self.days),
            ("content", self.files),
            ("audio", self.fingerprints),
            ("embedding", self.embeddings),
        ):
            if values is None:
                said.append(f"{kind} (not given)")
            elif kind == "audio":
                silent = sum(one is None or len(one) == 0 for one in self.fingerprints or ())
                said += [f"audio of {silent:,} of {len(values):,} items"] * bool(silent)
            elif kind != "embedding" and (none := sum(text(one) is None for one in values)):
                said.append(f"{kind} of {none:,} of {len(values):,} items")
        return said

    def take(self, rows: npt.NDArray[np.integer]) -> SplitSide:
        """Return the side with these rows only."""
        parts: dict[str, object] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None:
                parts[name] = value[rows] if name == "embeddings" else [value[i] for i in rows]
        return SplitSide(**parts)  # type: ignore[arg-type]


def text(value: object) -> str | None:
    """Return a name as text, None for an unknown one."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    return str(value).strip() or None
