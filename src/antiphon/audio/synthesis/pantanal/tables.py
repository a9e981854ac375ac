"""The tables of a world: those of a challenge, and the truth that a challenge would hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from antiphon.audio.synthesis.pantanal.fauna import BY_LABEL, CLASSES, FAUNA
from antiphon.audio.synthesis.pantanal.labels import rating, secondary_labels, window_labels
from antiphon.audio.synthesis.pantanal.plan import FocalPlan, ScapePlan, Split, WorldSettings
from antiphon.audio.synthesis.pantanal.scene import WorldEvent, WorldRecording
from antiphon.audio.synthesis.tables import LICENCE, csv_table
from antiphon.audio.synthesis.writing import write_text

TRAIN_COLUMNS = (
    "primary_label", "secondary_labels", "type", "filename", "collection", "rating", "latitude",
    "longitude", "scientific_name", "common_name", "class_name", "author", "license",
)  # fmt: skip
TAXONOMY_COLUMNS = ("primary_label", "scientific_name", "common_name", "class_name")
LABEL_COLUMNS = ("row_id", "filename", "start", "end", "primary_label")
EVENT_COLUMNS = (
    "filename", "split", "start", "end", "low_hz", "high_hz", "label", "call", "individual",
    "snr_db", "distance_m", "role",
)  # fmt: skip
WEATHER_COLUMNS = (
    "filename", "split", "site", "habitat", "start_time", "wind_ms", "rain_drops_per_s",
    "latitude", "longitude",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What is kept of a recording beside its sound: events, wind (m/s), rain (drops/s)."""

    events: tuple[WorldEvent, ...]
    wind_ms: float
    drops_per_s: float

    @classmethod
    def of(cls, recording: WorldRecording) -> Made:
        """Take it from a recording."""
        weather = recording.weather
        return cls(recording.events, round(weather.wind_ms, 3), round(weather.drops_per_s, 3))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "events": [asdict(event) for event in self.events],
            "wind_ms": self.wind_ms,
            "drops_per_s": self.drops_per_s,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Made:
        """Read what :meth:`to_json` returned."""
        events = tuple(WorldEvent(**event) for event in values["events"])
        return cls(events, values["wind_ms"], values["drops_per_s"])


def write_tables(
    folder: Path,
    settings: WorldSettings,
    focal: Sequence[tuple[FocalPlan, Made]],
    soundscapes: Sequence[tuple[ScapePlan, Made]],
) -> None:
    """Write all tables of a world; each appears only when it is whole."""
    write_text(folder / "train.csv", csv_table(TRAIN_COLUMNS, map(_train_row, focal)))
    taxonomy = [
        (one.label, one.scientific_name, one.name, one.taxon)
        for one in (BY_LABEL[label] for label in CLASSES)
    ]
    write_text(folder / "taxonomy.csv", csv_table(TAXONOMY_COLUMNS, taxonomy))
    labels = {split: _label_rows(settings, soundscapes, split) for split in _TABLES}
    for split, name in _TABLES.items():
        write_text(folder / name, csv_table(LABEL_COLUMNS, labels[split]))
    uniform = (round(1.0 / len(CLASSES), 9),) * len(CLASSES)
    rows = [(row[0], *uniform) for row in labels["test"]]
    write_text(folder / "sample_submission.csv", csv_table(("row_id", *CLASSES), rows))
    events = [
        *(_event_row(p.path, "focal", e) for p, made in focal for e in made.events),
        *(_event_row(p.path, p.split, e) for p, made in soundscapes for e in made.events),
    ]
    write_text(folder / "truth/events.csv", csv_table(EVENT_COLUMNS, events))
    write_text(
        folder / "truth/recordings.csv", csv_table(WEATHER_COLUMNS, map(_weather_row, soundscapes))
    )
    write_text(folder / "README.md", _readme(settings, len(focal), soundscapes))


_TABLES: dict[Split, str] = {
    "labelled": "train_soundscapes_labels.csv",
    "unlabelled": "truth/unlabelled_soundscapes_labels.csv",
    "test": "truth/test_soundscapes_labels.csv",
}


def _train_row(one: tuple[FocalPlan, Made]) -> tuple[object, ...]:
    plan, made = one
    species, site = plan.species, plan.region.site
    kinds = sorted({event.call for event in made.events if event.label == species.label})
    return (
        species.label,
        str(list(secondary_labels(made.events, species.label))),
        str(kinds),
        str(PurePosixPath(plan.path).relative_to("train_audio")),
        "synthetic",
        rating(made.events, species.label),
        site.latitude,
        site.longitude,
        species.scientific_name,
        species.name,
        species.taxon,
        plan.author,
        LICENCE,
    )


def _label_rows(
    settings: WorldSettings, soundscapes: Sequence[tuple[ScapePlan, Made]], split: Split
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for plan, made in soundscapes:
        if plan.split != split:
            continue
        for k, labels in enumerate(window_labels(made.events, settings.windows, settings.window_s)):
            start, end = f"{k * settings.window_s:g}", f"{(k + 1) * settings.window_s:g}"
            rows.append((f"{plan.stem}_{end}", f"{plan.stem}.ogg", start, end, ";".join(labels)))
    return rows


def _event_row(path: str, split: str, event: WorldEvent) -> tuple[object, ...]:
    return (
        path, split, round(event.start_s, 5), round(event.end_s, 5), event.low_hz, event.high_hz,
        event.label, event.call, event.individual, event.snr_db, event.distance_m, event.role,
    )  # fmt: skip


def _weather_row(one: tuple[ScapePlan, Made]) -> tuple[object, ...]:
    plan, made = one
    site = plan.place.site
    return (
        plan.path, plan.split, site.name, site.habitat, plan.start.isoformat(), made.wind_ms,
        made.drops_per_s, site.latitude, site.longitude,
    )  # fmt: skip


def _readme(
    settings: WorldSettings, focal: int, soundscapes: Sequence[tuple[ScapePlan, Made]]
) -> str:
    counts = {s: sum(plan.split == s for plan, _ in soundscapes) for s in _TABLES}
    hidden = ", ".join(f"{s.label} ({s.name})" for s in FAUNA if s.focal == 0)
    facts = "\n".join(f"| {key} | {value} |" for key, value in settings.facts().items())
    return f"""# A synthetic Pantanal

{len(CLASSES)} species of five taxa, made by Antiphon; no recording went into them and none of the
species exists. Licence: {LICENCE}. The layout is that of a BirdCLEF challenge.

| file | what it is |
|---|---|
| `train_audio/`, `train.csv` | {focal} focal clips from regions that are none of the sites |
| `train_soundscapes/` | {counts["labelled"]} labelled and {counts["unlabelled"]} unlabelled soundscapes |
| `train_soundscapes_labels.csv` | windows of {settings.window_s:g} s; `primary_label` holds all species, joined by `;` |
| `test_soundscapes/`, `sample_submission.csv` | {counts["test"]} soundscapes to be scored, some from sites without training recordings |
| `taxonomy.csv` | names and taxa of the classes |
| `truth/` | what a challenge hides: labels of the other windows, every call, the weather |

A species is in a window that holds 0.2 s of one of its calls, or half of a shorter one. Calls below
the background are neither in the sound nor in the truth. Without focal clips: {hidden}.

| setting | value |
|---|---|
{facts}
"""  # noqa: E501
