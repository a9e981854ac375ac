"""One recording: who calls when, from where, over what background, and what of it is heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import fft

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.distractors import draw_distractor
from antiphon.audio.synthesis.environment import (
    Weather,
    draw_weather,
    make_background,
)
from antiphon.audio.synthesis.model import Species
from antiphon.audio.synthesis.propagation import BAND_TAIL, Path, receive
from antiphon.audio.synthesis.sites import Site
from antiphon.audio.synthesis.species import species_at, species_by_name
from antiphon.errors import UserError

# Above this amplitude the recorder compresses instead of clipping.
KNEE = 0.9
# The background is measured over at least this long, so that short calls are compared with
# the noise around them.
_NOISE_SPAN_S = 0.12
_DISTRACTORS_PER_S = 1.3 / 60.0


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
class Disturbance:
    """A sound of no species: its kind and bounds in seconds."""

    kind: str
    start_s: float
    end_s: float


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


@dataclass(frozen=True, slots=True)
class _Bout:
    """One individual calling from one place for a while."""

    species: Species
    individual: int
    start_s: float
    end_s: float
    distance_m: float
    scatter_db: float
    ongoing: bool


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where calls sound: they are added to ``mix`` and measured against ``background``."""

    config: SceneConfig
    site: Site
    mix: Samples
    background: Samples


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
    disturbances = _add_distractors(background, config, site, other_rng)
    mix = background.copy()
    stage = _Stage(config, site, mix, background)
    events: list[Event] = []
    for species in config.repertoire():
        seeds = np.random.default_rng(np.random.SeedSequence([key, 3, species.key]))
        for bout in _draw_bouts(species, config, site, hour, weather, seeds):
            events.extend(_call(bout, stage, seeds))
    compressed = _limit(mix)
    return Soundscape(
        audio=mix,
        sample_rate=rate,
        events=tuple(sorted(events, key=lambda e: (e.start_s, e.species, e.individual))),
        disturbances=disturbances,
        weather=weather,
        compressed=compressed,
        background=background if config.keep_background else None,
    )


def _draw_bouts(
    species: Species,
    config: SceneConfig,
    site: Site,
    hour: float,
    weather: Weather,
    rng: np.random.Generator,
) -> list[_Bout]:
    """Draw the bouts that are under way at the start and those that begin later.

    Bouts start at random and last an exponential time, so one that is under way has the same
    time left to go, whenever it began.
    """
    per_s = species.bouts_per_hour / 3600.0 * site.abundance(species) * config.activity
    per_s *= weather.calling
    duration = config.duration_s
    starts = [0.0] * int(rng.poisson(per_s * species.bout_s))
    ongoing = len(starts)
    starts += rng.uniform(0.0, duration, rng.poisson(per_s * duration)).tolist()
    bouts: list[_Bout] = []
    for number, start in enumerate(starts):
        own = rng.spawn(1)[0]
        if own.random() > species.activity.at((hour + start / 3600.0) % 24.0):
            continue
        end = start + min(float(own.exponential(species.bout_s)), 4.0 * species.bout_s)
        callers = own.permutation(np.array(site.individuals()))
        for caller in callers[: 2 if own.random() < species.answer else 1]:
            # Uniform over the area around the recorder, within the bounds of the species.
            near, far = species.near_m**2, species.far_m**2
            bouts.append(
                _Bout(
                    species=species,
                    individual=int(caller),
                    start_s=start,
                    end_s=end,
                    distance_m=round(float(np.sqrt(own.uniform(near, far))), 1),
                    scatter_db=float(own.uniform(-16.0, -8.0)),
                    ongoing=number < ongoing,
                )
            )
            start += float(own.uniform(0.2, 1.0)) * species.gap_s
    return bouts


def _call(bout: _Bout, stage: _Stage, rng: np.random.Generator) -> list[Event]:
    """Let one bout sound on the stage and return its calls."""
    species, rate = bout.species, stage.config.sample_rate
    own = rng.spawn(1)[0]
    shares = np.array([kind.share for kind in species.call_types])
    shares /= shares.sum()
    kind = species.call_types[own.choice(len(shares), p=shares)]
    loudness = species.level_db + float(own.normal(0.0, 2.0))
    events = []
    at, first = bout.start_s, bout.ongoing
    while at < min(bout.end_s, stage.config.duration_s):
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
    bout: _Bout,
    stage: _Stage,
    rng: np.random.Generator,
) -> Event | None:
    """Add one call to the mix and describe it; None if it is not to be heard.

    A call that crosses an edge of the recording is cut there, and left out if less than half of
    it and less than 0.25 s remain.
    """
    rate, n = stage.config.sample_rate, len(stage.mix)
    first, last = max(start, 0), min(start + len(call), n)
    if last - first < min(0.5 * len(call), 0.25 * rate):
        return None
    site = stage.site
    path = Path(bout.distance_m, site.in_air, site.reverberation_s, bout.scatter_db)
    scale = np.float32(10.0 ** ((level_db - site.full_scale_db) / 20.0))
    heard = receive(call[first - start : last - start] * scale, rate, path, rng)
    noise = _band_power(stage.background, first, last, heard.low_hz, heard.high_hz, rate)
    in_band = 1.0 - 2.0 * BAND_TAIL
    signal = in_band * float(np.mean(np.square(heard.direct, dtype=np.float64)))
    snr = 10.0 * np.log10(max(signal, 1e-30) / max(noise, 1e-30))
    if snr < stage.config.min_snr_db:
        return None
    stage.mix[first:last] += heard.direct
    tail = heard.scattered[: n - first]
    stage.mix[first : first + len(tail)] += tail
    return Event(
        species=bout.species.name,
        call_type=call_type,
        individual=bout.individual,
        start_s=first / rate,
        end_s=last / rate,
        low_hz=float(np.floor(heard.low_hz)),
        high_hz=float(np.ceil(heard.high_hz)),
        snr_db=round(float(snr), 2),
        distance_m=bout.distance_m,
    )


def _band_power(
    audio: Samples, first: int, last: int, low_hz: float, high_hz: float, rate: int
) -> float:
    """Return the mean power of a span in a band; the span is widened if it is very short."""
    missing = round(_NOISE_SPAN_S * rate) - (last - first)
    if missing > 0:
        first = max(0, min(first - missing // 2, len(audio) - (last - first) - missing))
        last = min(len(audio), first + round(_NOISE_SPAN_S * rate))
    span = audio[first:last]
    window = np.hanning(len(span)).astype(np.float32)
    size = fft.next_fast_len(len(span), real=True)
    spectrum = fft.rfft(span * window, size)
    low, high = round(low_hz * size / rate), round(high_hz * size / rate) + 1
    power = np.sum(np.square(np.abs(spectrum[low:high]), dtype=np.float64))
    # Parseval for a real signal, and the power that the window takes away.
    return float(2.0 * power / size / np.sum(np.square(window, dtype=np.float64)))


def _add_distractors(
    background: Samples, config: SceneConfig, site: Site, rng: np.random.Generator
) -> tuple[Disturbance, ...]:
    found = []
    scale = np.float32(10.0 ** (-site.full_scale_db / 20.0))
    count = rng.poisson(_DISTRACTORS_PER_S * config.duration_s * site.disturbance)
    for start in np.sort(rng.integers(0, len(background), count)):
        kind, sound = draw_distractor(config.sample_rate, site.in_air, rng)
        stop = min(start + len(sound), len(background))
        background[start:stop] += scale * sound[: stop - start]
        rate = config.sample_rate
        found.append(Disturbance(kind, float(start / rate), float(stop / rate)))
    return tuple(found)


def _limit(audio: Samples) -> int:
    """Compress what passes the knee, in place, so that nothing reaches 1; return how many."""
    loud = np.flatnonzero(np.abs(audio) > KNEE)
    over = (np.abs(audio[loud]) - KNEE) / (1.0 - KNEE)
    audio[loud] = np.sign(audio[loud]) * (KNEE + (1.0 - KNEE) * np.tanh(over))
    return len(loud)
