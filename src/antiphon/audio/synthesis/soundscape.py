"""One recording: who calls when, from where, over what background, and what of it is heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from antiphon.audio.synthesis.bouts import Bout, draw_bouts
from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.environment import (
    Weather,
    draw_weather,
    make_background,
)
from antiphon.audio.synthesis.mixing import (
    Disturbance,
    Stage,
    add_call,
    add_distractors,
    limit,
)
from antiphon.audio.synthesis.model import Species
from antiphon.audio.synthesis.propagation import Path
from antiphon.audio.synthesis.sites import Site
from antiphon.audio.synthesis.species import species_at, species_by_name
from antiphon.errors import UserError


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """What all recordings of a data set share.

    Parameters
    ----------
    sample_rate
        Hz, 2,000 or more.
    duration_s
        Seconds.
    min_snr_db
        A call below this signal-to-noise ratio is left out of the sound and of the truth.
    activity
        Factor on how often everything calls.
    species
        Names of the species that may occur; None for all whose calls fit the sample rate.
    keep_background
        Whether :class:`Soundscape` holds the background apart as well.
    """

    sample_rate: int = 32_000
    duration_s: float = 60.0
    min_snr_db: float = -3.0
    activity: float = 1.0
    species: tuple[str, ...] | None = None
    keep_background: bool = False

    def __post_init__(self) -> None:
        if self.sample_rate < 2000:
            raise UserError(f"The sample rate must be 2000 Hz or more, not {self.sample_rate}.")
        if not self.duration_s >= 1.0:
            raise UserError(f"A recording must last 1 s or more, not {self.duration_s:g} s.")
        if not self.activity >= 0.0:
            raise UserError(f"The activity must be 0 or more, not {self.activity:g}.")
        self.repertoire()

    @property
    def n_samples(self) -> int:
        """Samples in a recording."""
        return round(self.duration_s * self.sample_rate)

    def repertoire(self) -> tuple[Species, ...]:
        """Return the species that may occur at this sample rate.

        Raises
        ------
        UserError
            A name is unknown, or a species named needs a higher sample rate.
        """
        if self.species is None:
            return species_at(self.sample_rate)
        chosen = tuple(dict.fromkeys(species_by_name(name) for name in self.species))
        for species in chosen:
            if species.min_sample_rate > self.sample_rate:
                raise UserError(
                    f"{species.name} needs a sample rate of {species.min_sample_rate} Hz or more, "
                    f"not {self.sample_rate} Hz."
                )
        return chosen


@dataclass(frozen=True, slots=True)
class Event:
    """One call, as it truly is in the recording.

    Parameters
    ----------
    species, call_type
        Names.
    individual
        Number of the individual within its species.
    start_s, end_s
        Bounds of the direct sound, whole samples; the scattered sound after it is not counted.
    low_hz, high_hz
        Band that holds 98 % of the energy of the direct sound at the recorder.
    snr_db
        Mean power of the direct sound in that band between its bounds, over that of the
        background (noise and sounds of no species; other calls are not counted).
    distance_m
        From the recorder.
    """

    species: str
    call_type: str
    individual: int
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    snr_db: float
    distance_m: float


@dataclass(frozen=True, slots=True)
class Soundscape:
    """A recording with its truth.

    Parameters
    ----------
    audio
        float32 (n,), within -1 and 1. The scale is that of the site's recorder
        (``site.full_scale_db``) and the same for all its recordings.
    sample_rate
        Hz.
    events
        Every call there is, by start time.
    disturbances
        Sounds of no species, by start time.
    weather
        Wind and rain.
    compressed
        Samples that the recorder's limiter touched, 0 in nearly all recordings.
    background
        All that is not a call, float32 (n,), if asked for.
    """

    audio: Samples
    sample_rate: int
    events: tuple[Event, ...]
    disturbances: tuple[Disturbance, ...]
    weather: Weather
    compressed: int
    background: Samples | None = None


def synthesise_recording(
    config: SceneConfig, site: Site, start_time: datetime, rng: np.random.Generator
) -> Soundscape:
    """Make one recording.

    Species call in bouts whose number follows their abundance at the site and the hour, each from
    its own distance; others may answer. What a species does depends on ``rng`` and the species
    alone, so leaving one out changes nothing of the others.

    Parameters
    ----------
    config
        Rate, duration, species.
    site
        Where.
    start_time
        When the recording starts, by local solar time.
    rng
        Draws all there is to draw.
    """
    n, rate = config.n_samples, config.sample_rate
    hour = start_time.hour + start_time.minute / 60.0 + start_time.second / 3600.0
    key = int(rng.integers(2**62))
    weather_rng, noise_rng, other_rng = (
        np.random.default_rng(np.random.SeedSequence([key, part])) for part in range(3)
    )
    weather = draw_weather(site, hour, weather_rng)
    background = make_background(site, weather, n, rate, noise_rng)
    disturbances = add_distractors(background, rate, site, other_rng)
    mix = background.copy()
    stage = Stage(site, rate, mix, background, config.min_snr_db)
    events: list[Event] = []
    for species in config.repertoire():
        seeds = np.random.default_rng(np.random.SeedSequence([key, 3, species.key]))
        rate_per_s = species.bouts_per_hour / 3600.0 * site.abundance(species) * config.activity
        rate_per_s *= weather.calling
        callers = site.individuals()
        for bout in draw_bouts(species, rate_per_s, config.duration_s, hour, callers, seeds):
            events.extend(_call(bout, stage, seeds))
    compressed = limit(mix)
    return Soundscape(
        audio=mix,
        sample_rate=rate,
        events=tuple(sorted(events, key=lambda e: (e.start_s, e.species, e.individual))),
        disturbances=disturbances,
        weather=weather,
        compressed=compressed,
        background=background if config.keep_background else None,
    )


def _call(bout: Bout[Species], stage: Stage, rng: np.random.Generator) -> list[Event]:
    """Let one bout sound on the stage and return its calls."""
    species, rate = bout.species, stage.sample_rate
    duration_s = len(stage.mix) / rate
    own = rng.spawn(1)[0]
    shares = np.array([kind.share for kind in species.call_types])
    shares /= shares.sum()
    kind = species.call_types[own.choice(len(shares), p=shares)]
    loudness = species.level_db + float(own.normal(0.0, 2.0))
    events = []
    at, first = bout.start_s, bout.ongoing
    while at < min(bout.end_s, duration_s):
        if own.random() < 0.3:
            kind = species.call_types[own.choice(len(shares), p=shares)]
        call = species.render(kind.name, bout.individual, rate, own)
        gap = species.gap_s * float(np.exp(own.normal(-0.08, 0.4)))
        length = len(call) / rate
        if first:
            # A bout under way may be anywhere between a call and the next.
            at += float(own.uniform(-length, gap))
            first = False
        level = loudness + float(own.normal(0.0, 1.5))
        event = _place(call, round(at * rate), level, kind.name, bout, stage, own)
        if event is not None:
            events.append(event)
        at += length + gap
    return events


def _place(
    call: Samples,
    start: int,
    level_db: float,
    call_type: str,
    bout: Bout[Species],
    stage: Stage,
    rng: np.random.Generator,
) -> Event | None:
    """Add one call to the mix and describe it; None if it is not to be heard."""
    site = stage.site
    path = Path(bout.distance_m, site.in_air, site.reverberation_s, bout.scatter_db)
    scale = np.float32(10.0 ** ((level_db - site.full_scale_db) / 20.0))
    heard = add_call(stage, call * scale, start, path, rng)
    if heard is None:
        return None
    return Event(
        species=bout.species.name,
        call_type=call_type,
        individual=bout.individual,
        start_s=heard.first / stage.sample_rate,
        end_s=heard.last / stage.sample_rate,
        low_hz=float(np.floor(heard.low_hz)),
        high_hz=float(np.ceil(heard.high_hz)),
        snr_db=heard.snr_db,
        distance_m=bout.distance_m,
    )
