"""The one class of all published data sets: a recipe and a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.sets import layouts, layouts_special, layouts_timed
from antiphon.evaluation.benchmarks.sets.items import Item, Labelled, class_names
from antiphon.evaluation.benchmarks.sets.recipe import Reader, Recipe
from antiphon.evaluation.benchmarks.sets.splits import apply_split

READERS: dict[Reader, Callable[[Path, dict[str, object]], tuple[list[Item], list[str]]]] = {
    "table": layouts.read_clips,
    "names": layouts.read_names,
    "events": layouts_timed.read_events,
    "jsonl": layouts_timed.read_lines,
    "beside": layouts_timed.read_beside,
    "song_xml": layouts_special.read_song_xml,
    "birdset": layouts_special.read_birdset,
}


@dataclass(frozen=True, slots=True)
class BenchmarkDataset:
    """A published data set in a local folder.

    Parameters
    ----------
    recipe
        What is known of it.
    data
        The folder of all data sets; this one is in its subfolder ``recipe.folder``.
    """

    recipe: Recipe
    data: Path

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.data / self.recipe.folder

    def is_there(self) -> bool:
        """Whether its folder exists and holds something."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def load(self) -> Labelled:
        """Read labels and sides of the split, and say what differs from the publisher's counts.

        Raises
        ------
        FileError
            If the folder or a table is missing, or no audio is there.
        FormatError
            If a table does not follow the publisher's layout.
        """
        if not self.is_there():
            get = self.recipe.refused or "Get it with --download"
            raise FileError(
                self.folder,
                f"{self.recipe.title} ({self.recipe.name}) is not there",
                f"{get}, from {self.recipe.page}",
            )
        items, notes = READERS[self.recipe.reader](self.folder, self.recipe.read)
        if not items:
            raise FileError(
                self.folder,
                f"{self.recipe.name}: none of its audio files is there"
                + (f" ({notes[-1]})" if notes else ""),
                "Unpack the publisher's archives below it; --download does, and takes archives "
                "that are there already",
            )
        split, more = apply_split(items, self.recipe.split, multilabel=self.recipe.multilabel)
        found = Labelled(tuple(split), class_names(split)).relative_to(self.folder)
        assumed = (
            [f"its layout is assumed: {self.recipe.why}"] if self.recipe.layout == "assumed" else []
        )
        return found.with_notes(
            [*assumed, *notes, *more, *self.differences(found), *self.recipe.notes]
        )

    def differences(self, found: Labelled) -> list[str]:
        """Say where the numbers of classes and items are not those of the publisher."""
        said = []
        expected = self.recipe.classes
        if len(found.classes) != expected:
            said.append(f"{len(found.classes)} classes are there, the publisher has {expected}")
        published = self.recipe.published_classes
        if published is not None and published != len(found.classes):
            said.append(f"the published tables were made with {published} classes")
        counts = found.counts()
        for side, number in self.recipe.clips.items():
            have = counts.get(side, 0)
            if have != number:
                where = "in all" if side == "all" else f"on the {side} side"
                said.append(f"{have:,} items are there {where}, the publisher has {number:,}")
        if not self.recipe.multilabel:
            lonely = [c for c, n in Counter(i.labels[0] for i in found.items).items() if n == 1]
            if lonely:
                said.append(
                    f"classes with a single item, which can be learnt or judged but not both: "
                    f"{', '.join(sorted(lonely)[:5])}" + (" ..." if len(lonely) > 5 else "")
                )
        return said
