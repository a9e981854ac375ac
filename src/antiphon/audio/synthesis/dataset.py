"""A data set on disk: recordings, one Raven table for each, metadata and a list of species."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import soundfile

from antiphon.audio.synthesis.sites import Site, make_sites
from antiphon.audio.synthesis.soundscape import (
    Event,
    SceneConfig,
    Soundscape,
    synthesise_recording,
)
from antiphon.audio.synthesis.tables import (
    METADATA_COLUMNS,
    SPECIES_COLUMNS,
    csv_table,
    metadata_row,
    raven_table,
    species_rows,
)
from antiphon.audio.synthesis.writing import AudioFormat, write_audio, write_text
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, UserError

FIRST_DAY = datetime(2026, 5, 4)
# The first recording of a day, so that a few spread evenly catch dawn, noon, dusk and night.
FIRST_HOUR = 5.0


@dataclass(frozen=True, slots=True)
class PlannedRecording:
    """A recording that can be made at any time, alone: it depends on no other.

    Parameters
    ----------
    site
        Where.
    start_time
        When, by local solar time.
    seed
        Of the data set.
    number
        Within the site, from 0.
    """

    site: Site
    start_time: datetime
    seed: int
    number: int

    @property
    def stem(self) -> str:
        """File name without suffix: site, date and time, as field recorders write it."""
        return f"{self.site.name}_{self.start_time:%Y%m%d_%H%M%S}"

    def synthesise(self, config: SceneConfig) -> Soundscape:
        """Make the recording."""
        seeds = np.random.SeedSequence([self.seed, 0, self.site.index, self.number])
        return synthesise_recording(
            config, self.site, self.start_time, np.random.default_rng(seeds)
        )


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """One recording of a written data set: its file, its truth and the events in it."""

    planned: PlannedRecording
    path: Path
    table: Path
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What :func:`write_dataset` wrote.

    Parameters
    ----------
    folder, audio, truth, metadata, species_list
        The data set's folder, and within it ``audio/``, ``truth/``, ``metadata.csv`` and
        ``species.csv``.
    config
        Rate, duration and species.
    recordings
        In the order of sites and times.
    """

    folder: Path
    audio: Path
    truth: Path
    metadata: Path
    species_list: Path
    config: SceneConfig
    recordings: tuple[RecordingFacts, ...]

    @property
    def duration_s(self) -> float:
        """Seconds of audio in all."""
        return self.config.duration_s * len(self.recordings)

    @property
    def calls(self) -> dict[str, int]:
        """Number of calls by species, also those that never call."""
        counts = Counter(event.species for facts in self.recordings for event in facts.events)
        return {species.name: counts[species.name] for species in self.config.repertoire()}

    def prevalence(self, window_s: float = 3.0) -> dict[str, float]:
        """Return the share of windows in which each species is heard, and ``""`` for nobody."""
        return window_prevalence([facts.events for facts in self.recordings], self.config, window_s)


def window_prevalence(
    recordings: Iterable[Sequence[Event]], config: SceneConfig, window_s: float = 3.0
) -> dict[str, float]:
    """Return the share of windows with each species, windows lying side by side.

    Parameters
    ----------
    recordings
        The events of each recording.
    config
        The duration of each and the species there may be.
    window_s
        Length of a window in seconds; a shorter rest at the end of a recording is not counted.

    Returns
    -------
    dict
        From species to share, 0 to 1; the empty name stands for windows with no call at all.
    """
    names = [species.name for species in config.repertoire()]
    count = max(1, int(config.duration_s / window_s + 1e-9))
    heard = []
    for events in recordings:
        present = np.zeros((count, len(names)), bool)
        for event in events:
            first = int(event.start_s / window_s)
            last = int(np.ceil(event.end_s / window_s))
            present[first:last, names.index(event.species)] = True
        heard.append(present)
    if not heard:
        return dict.fromkeys(["", *names], 0.0)
    table = np.concatenate(heard)
    shares = {name: float(share) for name, share in zip(names, table.mean(0), strict=True)}
    return {"": float(np.mean(~table.any(axis=1))), **shares}


def plan_dataset(
    *,
    seed: int,
    sites: int = 4,
    days: int = 2,
    recordings_per_site_day: int = 6,
    habitats: Sequence[str] | None = None,
    first_day: datetime = FIRST_DAY,
) -> tuple[PlannedRecording, ...]:
    """Lay out the recordings of a data set, spread evenly over the day from 05:00 on.

    Parameters
    ----------
    seed
        Decides everything; 0 or more.
    sites, days, recordings_per_site_day
        Extent.
    habitats
        Of the sites in turn, by default forest, wetland and meadow; ``marine`` for whales.
    first_day
        Date of the first day.

    Raises
    ------
    UserError
        An extent below 1, a negative seed or an unknown habitat.
    """
    if seed < 0:
        raise UserError(f"The seed must be 0 or more, not {seed}.")
    if days < 1 or not 1 <= recordings_per_site_day <= 86_400:
        raise UserError("A data set needs at least 1 day and 1 recording per site and day.")
    midnight = first_day.replace(hour=0, minute=0, second=0, microsecond=0)
    step_s = 86_400 // recordings_per_site_day
    times = sorted(
        midnight
        + timedelta(days=day)
        + timedelta(seconds=(FIRST_HOUR * 3600 + step_s * number) % 86_400)
        for day in range(days)
        for number in range(recordings_per_site_day)
    )
    return tuple(
        PlannedRecording(site, time, seed, number)
        for site in make_sites(seed, sites, habitats)
        for number, time in enumerate(times)
    )


def write_dataset(
    folder: Path | str,
    *,
    seed: int,
    sites: int = 4,
    days: int = 2,
    recordings_per_site_day: int = 6,
    duration_s: float = 60.0,
    sample_rate: int = 32_000,
    species: Sequence[str] | None = None,
    habitats: Sequence[str] | None = None,
    audio_format: AudioFormat = "wav",
    reporter: Reporter | None = None,
) -> DatasetFacts:
    """Write a data set that everything downstream takes for field data.

    ``audio/SITE/SITE_YYYYMMDD_HHMMSS.wav`` (16 bits, rounded, no dither: the noise floor lies
    above the last bit), ``truth/SITE_..._HHMMSS.Table.1.selections.txt`` (Raven; a header alone
    where nothing calls), ``metadata.csv`` (paths relative to ``audio/``) and ``species.csv``. A
    file appears under its name only when it is whole; the same arguments write the same bytes.

    Parameters
    ----------
    folder
        Made if need be. Recordings of the same plan are replaced.
    seed, sites, days, recordings_per_site_day, habitats
        As for :func:`plan_dataset`.
    duration_s, sample_rate, species
        As for :class:`SceneConfig`; ``species`` are names.
    audio_format
        ``wav`` or ``flac``.
    reporter
        Told of each recording.

    Raises
    ------
    UserError
        An argument is out of range or a name unknown.
    FileError
        The folder holds recordings of another data set, or cannot be written.
    """
    if audio_format not in ("wav", "flac"):
        raise UserError(f"The audio format is {audio_format!r}; it can be 'wav' or 'flac'.")
    if audio_format == "flac" and sample_rate > 655_350:
        raise UserError("FLAC holds sample rates up to 655,350 Hz. Choose the format 'wav'.")
    plan = plan_dataset(
        seed=seed,
        sites=sites,
        days=days,
        recordings_per_site_day=recordings_per_site_day,
        habitats=habitats,
    )
    config = _config(plan, sample_rate, duration_s, species)
    folder = Path(folder)
    audio, truth = folder / "audio", folder / "truth"
    reporter = reporter or Silent()
    try:
        _refuse_others(audio, plan, audio_format)
        truth.mkdir(parents=True, exist_ok=True)
        reporter.start("Synthesising recordings", len(plan), "recordings")
        facts, rows = [], []
        for planned in plan:
            scene = planned.synthesise(config)
            path = audio / planned.site.name / f"{planned.stem}.{audio_format}"
            table = truth / f"{planned.stem}.Table.1.selections.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_audio(path, scene.audio, scene.sample_rate, audio_format)
            write_text(table, raven_table(scene.events))
            facts.append(RecordingFacts(planned, path, table, scene.events))
            rows.append(
                metadata_row(path.relative_to(audio), planned.site, planned.start_time, config)
            )
            reporter.advance(1)
        reporter.finish()
        metadata, species_list = folder / "metadata.csv", folder / "species.csv"
        write_text(metadata, csv_table(METADATA_COLUMNS, rows))
        write_text(species_list, csv_table(SPECIES_COLUMNS, species_rows(config.repertoire())))
    except (OSError, soundfile.LibsndfileError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = Path(getattr(error, "filename", None) or folder)
        raise FileError(
            where, f"cannot be written ({reason})", "Check free space and permissions"
        ) from error
    return DatasetFacts(folder, audio, truth, metadata, species_list, config, tuple(facts))


def _config(
    plan: Sequence[PlannedRecording],
    sample_rate: int,
    duration_s: float,
    names: Sequence[str] | None,
) -> SceneConfig:
    """Choose the species that live in the plan's habitats; refuse a name that lives in none."""
    habitats = {planned.site.habitat for planned in plan}
    named = None if names is None else tuple(names)
    config = SceneConfig(sample_rate=sample_rate, duration_s=duration_s, species=named)
    living = [s for s in config.repertoire() if habitats & s.habitats.keys()]
    for species in config.repertoire():
        if named is not None and species not in living:
            raise UserError(
                f"{species.name} lives in none of the habitats {', '.join(sorted(habitats))}, "
                f"only in {', '.join(sorted(species.habitats))}."
            )
    return replace(config, species=tuple(species.name for species in living))


def _refuse_others(audio: Path, plan: Sequence[PlannedRecording], suffix: str) -> None:
    """Refuse a folder with recordings that are not of the plan; the truth would not fit."""
    expected = {(planned.site.name, f"{planned.stem}.{suffix}") for planned in plan}
    for path in sorted(audio.glob("*/*")):
        if not path.name.startswith(".") and (path.parent.name, path.name) not in expected:
            raise FileError(
                audio,
                f"holds recordings of another data set ({path.parent.name}/{path.name})",
                "Choose an empty folder, or delete this one",
            )
