"""The tables of a folder of clips, and the settings that decide what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from antiphon.audio.synthesis.repertoire.classes import VERSION, Repertoire
from antiphon.audio.synthesis.repertoire.events import Split
from antiphon.audio.synthesis.tables import LICENCE, csv_table
from antiphon.audio.synthesis.writing import AudioFormat, write_text

Level = Literal["class", "family", "domain"]
LEVELS: tuple[Level, ...] = ("class", "family", "domain")

LABEL_COLUMNS = (
    "filename",
    "start",
    "end",
    "low_hz",
    "high_hz",
    "label",
    "presence",
    "snr_db",
    "split",
)
CLIP_COLUMNS = ("filename", "split", "duration_s", "classes", "families", "domains")
CLASS_COLUMNS = ("index", "id", "title", "domain", "family", "path", "seen")


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """What decides the sounds of a folder; a folder is only ever added to under the same settings.

    Parameters
    ----------
    seed, n_bio, n_general, held_out
        As for :class:`Repertoire`.
    sample_rate
        Hz.
    seconds
        Length of a clip.
    audio_format
        ``flac`` or ``wav``, 16 bits both.
    levels
        What the clips are labelled with: ids of classes, names of families, domains.
    version
        Of the generator.
    """

    seed: int = 0
    n_bio: int = 1200
    n_general: int = 800
    held_out: float = 0.0
    sample_rate: int = 32_000
    seconds: float = 3.0
    audio_format: AudioFormat = "flac"
    levels: tuple[Level, ...] = ("class",)
    version: int = VERSION

    def repertoire(self) -> Repertoire:
        """Return the repertoire."""
        return Repertoire(self.seed, self.n_bio, self.n_general, held_out=self.held_out)

    def facts(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {**asdict(self), "levels": list(self.levels)}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Clips ``first`` to ``stop`` (exclusive) of a split, made together."""

    split: Split
    first: int
    stop: int

    @property
    def part(self) -> str:
        """Name of the file that says what is in them."""
        return f"{self.split}_{self.first:07d}_{self.stop:07d}.json"

    def audio(self, number: int, suffix: str) -> str:
        """Return the path of a clip in the folder."""
        return f"audio/{self.split}/{number // 1000:04d}/{self.split}_{number:07d}.{suffix}"


def write_tables(folder: Path, settings: FolderSettings, chunks: Sequence[Chunk]) -> int:
    """Write the tables of a folder from its parts, and return the number of sounds."""
    repertoire = settings.repertoire()
    events: list[tuple[object, ...]] = []
    clips: list[tuple[object, ...]] = []
    for chunk in chunks:
        for row in json.loads((folder / "parts" / chunk.part).read_text(encoding="utf-8")):
            name = row["file"]
            for index, start, end, low, high, snr in row["events"]:
                one = repertoire.classes[index]
                named = {"class": one.id, "family": one.family, "domain": one.domain}
                label = ";".join(named[level] for level in settings.levels)
                events.append(
                    (
                        name,
                        round(start, 5),
                        round(end, 5),
                        round(low),
                        round(high),
                        label,
                        "present",
                        snr,
                        chunk.split,
                    )
                )
            if not row["events"]:
                events.append((name, "", "", "", "", "", "absent", "", chunk.split))
            found = [repertoire.classes[k] for k in sorted({e[0] for e in row["events"]})]
            clips.append(
                (
                    name,
                    chunk.split,
                    settings.seconds,
                    ";".join(c.id for c in found),
                    ";".join(sorted({c.family for c in found})),
                    ";".join(sorted({c.domain for c in found})),
                )
            )
    seen = set(repertoire.seen.tolist())
    classes = [
        (c.index, c.id, c.name, c.domain, c.family, c.path, int(c.index in seen))
        for c in repertoire.classes
    ]
    write_text(folder / "labels.csv", csv_table(LABEL_COLUMNS, events))
    write_text(folder / "clips.csv", csv_table(CLIP_COLUMNS, clips))
    write_text(folder / "classes.csv", csv_table(CLASS_COLUMNS, classes))
    write_text(folder / "README.md", _readme(settings, len(clips), len(repertoire.classes)))
    return sum(row[6] == "present" for row in events)


def _readme(settings: FolderSettings, clips: int, classes: int) -> str:
    facts = "\n".join(f"| {key} | {value} |" for key, value in settings.facts().items())
    return f"""# Synthesised repertoire

{clips:,} clips of {settings.seconds:g} s with sounds of {classes:,} classes, made by Antiphon; no
recording went into them. Licence: {LICENCE}.

| setting | value |
|---|---|
{facts}

`labels.csv` has a row for each sound: file, seconds, Hz, label, ratio to the background in that
band in dB (120 stands for no background). Everything else is absent. `clips.csv` has a row for
each clip with its split: validation clips have other individuals of the same classes.
`classes.csv` names the family and the domain of each class.
"""
