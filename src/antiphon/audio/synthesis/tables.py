"""The tables that go with a data set: Raven selections, metadata, species."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath

from antiphon.audio.synthesis.model import Species
from antiphon.audio.synthesis.sites import Site
from antiphon.audio.synthesis.soundscape import Event, SceneConfig

LICENCE = "CC0-1.0"

RAVEN_COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Species",
    "Call Type",
    "Individual",
    "SNR (dB)",
    "Distance (m)",
)

METADATA_COLUMNS = (
    "file",
    "site",
    "habitat",
    "start_time",
    "latitude",
    "longitude",
    "sample_rate",
    "duration_s",
    "channels",
    "licence",
    "recordist",
)

SPECIES_COLUMNS = (
    "species",
    "scientific_name",
    "code",
    "group",
    "call_types",
    "low_hz",
    "high_hz",
)


def raven_table(events: Iterable[Event]) -> str:
    """Return a Raven selection table; numbers are written so that they read back the same."""
    lines = ["\t".join(RAVEN_COLUMNS)]
    for number, event in enumerate(events, start=1):
        cells = (
            number,
            "Spectrogram 1",
            1,
            event.start_s,
            event.end_s,
            event.low_hz,
            event.high_hz,
            event.species,
            event.call_type,
            event.individual,
            event.snr_db,
            event.distance_m,
        )
        lines.append("\t".join(str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def metadata_row(
    file: PurePath, site: Site, start_time: datetime, config: SceneConfig
) -> tuple[object, ...]:
    """Return the facts of one recording in the order of :data:`METADATA_COLUMNS`.

    ``file`` is relative to the folder of the audio.
    """
    return (
        file.as_posix(),
        site.name,
        site.habitat,
        start_time.isoformat(),
        site.latitude,
        site.longitude,
        config.sample_rate,
        config.n_samples / config.sample_rate,
        1,
        LICENCE,
        "synthetic",
    )


def species_rows(species: Iterable[Species]) -> list[tuple[object, ...]]:
    """Return one row for each species in the order of :data:`SPECIES_COLUMNS`."""
    return [
        (
            one.name,
            one.scientific_name,
            one.code,
            one.group,
            "; ".join(kind.name for kind in one.call_types),
            one.low_hz,
            one.high_hz,
        )
        for one in species
    ]


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
