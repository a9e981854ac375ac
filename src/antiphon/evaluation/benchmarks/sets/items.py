"""What a benchmark judges: clips and stretches of recordings with labels, split and provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

Split = Literal["", "train", "validation", "test"]
Side = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Event:
    """A labelled span inside an item.

    Parameters
    ----------
    start_s, end_s
        Seconds from the start of the item.
    label
        Its class.
    low_hz, high_hz
        Band of a box; None for a span without one.
    """

    start_s: float
    end_s: float
    label: str
    low_hz: float | None = None
    high_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One clip, or one stretch of a recording whose windows are judged.

    Parameters
    ----------
    path
        The audio file.
    labels
        Classes of a clip; of a stretch those of its events.
    start_s, end_s
        The part of the file that is meant; up to its end when None.
    split
        Side of the split, empty while none is chosen.
    fold
        Fold of a cross-validation, -1 when there is none.
    events
        Labelled spans of a stretch.
    recording
        What is independent of other items; the file when empty.
    source, site, day, individual
        Further provenance, empty where it is not known.
    """

    path: Path
    labels: tuple[str, ...] = ()
    start_s: float = 0.0
    end_s: float | None = None
    split: Split = ""
    fold: int = -1
    events: tuple[Event, ...] = ()
    recording: str = ""
    source: str = ""
    site: str = ""
    day: str = ""
    individual: str = ""

    @property
    def group(self) -> str:
        """What is drawn as one in a bootstrap and never split between folds."""
        return self.source or self.recording or self.path.as_posix()

    @property
    def name(self) -> str:
        """File name, with the span where only a part is meant."""
        return f"{self.path.name}{self._span()}"

    @property
    def unique_name(self) -> str:
        """Name that no other item of the data set has: path below its folder, and span."""
        return f"{self.recording or self.path.as_posix()}{self.path.suffix}{self._span()}"

    def _span(self) -> str:
        if self.start_s == 0.0 and self.end_s is None:
            return ""
        end = "end" if self.end_s is None else f"{self.end_s:.3f}"
        return f" [{self.start_s:.3f}, {end}) s"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A data set as read from disk.

    Parameters
    ----------
    items
        In a fixed order that does not depend on the file system.
    classes
        Names, sorted; the columns of labels follow it.
    notes
        What a reader of the results has to know: files that are not there, counts that differ,
        rules that were applied.
    """

    items: tuple[Item, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of(self, split: Split) -> tuple[Item, ...]:
        """Return the items on one side."""
        return tuple(item for item in self.items if item.split == split)

    def counts(self) -> dict[str, int]:
        """Return the number of items on each side, ``all`` first."""
        found = Counter(item.split for item in self.items)
        return {"all": len(self.items)} | {s: found[s] for s in SPLITS if found[s]}

    def relative_to(self, folder: Path) -> Labelled:
        """Name recordings that have no name by their path below a folder, without the suffix.

        So a result does not depend on where the folder is, and files of one name in two
        subfolders stay apart.
        """
        return replace(self, items=tuple(named_recording(item, folder) for item in self.items))

    def with_notes(self, notes: Sequence[str]) -> Labelled:
        """Return the same items with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def named_recording(item: Item, folder: Path) -> Item:
    """Return an item whose recording has a name; see :meth:`Labelled.relative_to`."""
    if item.recording:
        return item
    inside = item.path.is_relative_to(folder)
    path = item.path.relative_to(folder) if inside else item.path
    return replace(item, recording=path.with_suffix("").as_posix())


@dataclass(slots=True)
class Absent:
    """Collects audio files that a table names and that are not there."""

    names: list[str] = field(default_factory=list)

    def note(self, of: int) -> list[str]:
        """Return one sentence, or none."""
        if not self.names:
            return []
        shown = ", ".join(self.names[:3]) + (" ..." if len(self.names) > 3 else "")
        said = (
            f"{len(self.names)} of {of} audio files named by the publisher's tables are not there "
            f"({shown}); they are left out"
        )
        return [said]


def natural(name: str) -> tuple[int, float, str]:
    """Return a key that sorts numbers as numbers and before words."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)


def class_names(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the labels that occur, sorted."""
    return tuple(sorted({label for item in items for label in item.labels}, key=natural))
