"""One recording of the world: background, weather, bouts, calls, and the exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from antiphon.audio.synthesis.bouts import Bout, draw_bouts, one_bout
from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.environment import Weather, draw_weather, make_background
from antiphon.audio.synthesis.mixing import Stage, add_call, add_distractors, limit
from antiphon.audio.synthesis.pantanal.fauna import PantanalSpecies
from antiphon.audio.synthesis.pantanal.places import Place
from antiphon.audio.synthesis.pantanal.plan import FocalPlan, ScapePlan, WorldSettings
from antiphon.audio.synthesis.pantanal.voices import draw_kind, individual_of, render_call
from antiphon.audio.synthesis.propagation import Path
from antiphon.audio.synthesis.repertoire.events import extent
from antiphon.audio.synthesis.repertoire.score import LONGEST_S

MOST_AT_ONCE = 5
"""Species in any stretch of 5 s."""

MIN_SNR_DB = 0.0
"""A call below it is neither in the sound nor in the truth."""

_ADMISSION_S = 5.0
_QUIET = 0.08
_WET = 0.09
_SECONDARY = 0.6

Role = Literal["focal", "background", "soundscape"]


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """One call, as it truly is in a recording.

    Parameters
    ----------
    label
        Species.
    call
        Family of the call, such as ``trill``.
    individual
        Such as ``S03-2``; of a species.
    start_s, end_s
        From 40 dB below its peak to 40 dB below it, without echo.
    low_hz, high_hz
        Band that holds 98 % of the energy of the direct sound at the recorder.
    snr_db
        Its mean power in that band over that of the background.
    distance_m
        From the recorder.
    role
        ``focal`` or ``background`` in a focal clip, else ``soundscape``.
    """

    label: str
    call: str
    individual: str
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    snr_db: float
    distance_m: float
    role: Role


@dataclass(frozen=True, slots=True)
class WorldRecording:
    """A recording: float32 (n,) within -1 and 1, every call by start time, the weather."""

    audio: Samples
    events: tuple[WorldEvent, ...]
    weather: Weather


def make_soundscape(plan: ScapePlan, settings: WorldSettings) -> WorldRecording:
    """Make one soundscape.

    Of 12 recordings about one is silent but for its guests. Bouts are admitted in random order,
    guests first, as long as no stretch of 5 s would hold more than five species.
    """
    rng = np.random.default_rng([settings.seed, 20, plan.split == "test", plan.number])
    hour = plan.start.hour + plan.start.minute / 60.0
    stage, weather = _stage(plan.place, hour, settings.soundscape_s, settings, rng)
    place, length = plan.place, settings.soundscape_s
    lively = 0.0 if rng.random() < _QUIET else float(np.exp(rng.normal(0.7, 0.6)))
    bouts: list[Bout[PantanalSpecies]] = []
    for species in place.community():
        rate = species.bouts_per_hour / 3600.0 * place.abundance(species) * lively
        rate *= species.wet if weather.drops_per_s else 1.0
        own = rng.spawn(1)[0]
        bouts += draw_bouts(species, rate, length, hour, place.individuals(), own)
    certain = [_guest(species, place, length, rng) for species in plan.guests]
    events: list[WorldEvent] = []
    for bout in admit(certain, bouts, length, rng):
        guest = bout in certain
        events += _sound(bout, place, stage, "soundscape", rng.spawn(1)[0], surely=guest)
    limit(stage.mix)
    return _recording(stage, events, weather)


def make_focal(plan: FocalPlan, settings: WorldSettings) -> WorldRecording:
    """Make one focal clip: an animal near the recorder, and others behind it in some."""
    rng = np.random.default_rng([settings.seed, 21, plan.number])
    place = plan.region
    stage, weather = _stage(place, plan.hour, plan.seconds, settings, rng)
    species = plan.species
    near = replace(species, near_m=2.0, far_m=max(8.0, 0.3 * species.far_m), answer=0.0)
    first = float(rng.uniform(0.0, 0.15 * plan.seconds))
    # A number of its own: no animal is in two clips.
    bout = one_bout(near, first, [100 + plan.number], rng)[0]
    bout = replace(bout, end_s=plan.seconds)
    events = _sound(bout, place, stage, "focal", rng, surely=True)
    if rng.random() < _SECONDARY:
        others = [s for s in place.community() if s.label != species.label]
        weights = np.array([s.activity.at(plan.hour) * place.abundance(s) for s in others])
        if weights.sum() > 0:
            many = min(int(rng.integers(1, 3)), int(np.count_nonzero(weights)))
            for k in rng.choice(len(others), many, replace=False, p=weights / weights.sum()):
                far = replace(others[k], near_m=0.4 * others[k].far_m, answer=0.0)
                at = float(rng.uniform(0.0, 0.7 * plan.seconds))
                behind = one_bout(far, at, place.individuals(), rng)[0]
                events += _sound(behind, place, stage, "background", rng, surely=False)
    # Recordists set their level; it says nothing of the animal.
    peak = max(float(np.max(np.abs(stage.mix))), 1e-9)
    stage.mix[:] *= np.float32(10.0 ** (rng.uniform(-14.0, -1.0) / 20.0) / peak)
    return _recording(stage, events, weather)


def admit(
    certain: Sequence[Bout[PantanalSpecies]],
    bouts: Sequence[Bout[PantanalSpecies]],
    duration_s: float,
    rng: np.random.Generator,
) -> list[Bout[PantanalSpecies]]:
    """Take bouts, ``certain`` ones first and the others in random order, while there is room.

    A bout is left out if some stretch of 5 s that it touches would hold more than
    :data:`MOST_AT_ONCE` species.
    """
    count = int(np.ceil(duration_s / _ADMISSION_S))
    heard: list[set[str]] = [set() for _ in range(count)]
    taken = []
    for bout in [*certain, *(bouts[k] for k in rng.permutation(len(bouts)))]:
        first = int(max(bout.start_s, 0.0) / _ADMISSION_S)
        # The last call may begin at the end of the bout.
        last = min(count, int(np.ceil((bout.end_s + LONGEST_S) / _ADMISSION_S)))
        here = heard[first:last]
        label = bout.species.label
        if any(len(one) >= MOST_AT_ONCE and label not in one for one in here):
            continue
        for one in here:
            one.add(label)
        taken.append(bout)
    return taken


def _guest(
    species: PantanalSpecies, place: Place, length_s: float, rng: np.random.Generator
) -> Bout[PantanalSpecies]:
    near = replace(species, far_m=max(1.2 * species.near_m, 0.4 * species.far_m), answer=0.0)
    start = float(rng.uniform(0.0, 0.8 * length_s))
    return one_bout(near, start, place.individuals(), rng)[0]


def _stage(
    place: Place, hour: float, seconds: float, settings: WorldSettings, rng: np.random.Generator
) -> tuple[Stage, Weather]:
    rate = settings.sample_rate
    n = round(seconds * rate)
    weather = draw_weather(place.site, hour, rng)
    if not weather.drops_per_s and rng.random() < _WET:
        # It rains more here than where the other synthetic recordings come from.
        weather = Weather(weather.wind_ms, float(np.exp(rng.uniform(np.log(8.0), np.log(200.0)))))
    background = make_background(place.site, weather, n, rate, rng)
    add_distractors(background, rate, place.site, rng)
    return Stage(place.site, rate, background.copy(), background, MIN_SNR_DB), weather


def _sound(
    bout: Bout[PantanalSpecies],
    place: Place,
    stage: Stage,
    role: Role,
    rng: np.random.Generator,
    *,
    surely: bool,
) -> list[WorldEvent]:
    """Let one bout sound on the stage and return its calls.

    ``surely``: if none of its calls is heard, one is given again ever closer, until it is.
    """
    species, rate, site = bout.species, stage.sample_rate, place.site
    who = individual_of(species, place.seed, place.number, bout.individual)
    name = f"{site.name}-{bout.individual}"
    kind = draw_kind(species, rng)
    level = species.level_db + float(rng.normal(0.0, 2.5))
    path = Path(bout.distance_m, True, site.reverberation_s, bout.scatter_db)
    end = min(bout.end_s, len(stage.mix) / rate)
    events: list[WorldEvent] = []

    def give(at_s: float, path: Path) -> tuple[float, WorldEvent | None]:
        call = render_call(species, kind, who, rate, rng)
        loud = level + float(rng.normal(0.0, 1.5)) - site.full_scale_db
        scaled = call * np.float32(10.0 ** (loud / 20.0))
        start = round(at_s * rate)
        heard = add_call(stage, scaled, start, path, rng)
        length = len(call) / rate
        if heard is None:
            return length, None
        first, last = extent(call)
        return length, WorldEvent(
            label=species.label,
            call=species.calls[kind].family,
            individual=name,
            start_s=max(start + first, heard.first) / rate,
            end_s=min(start + last, heard.last) / rate,
            low_hz=float(np.floor(heard.low_hz)),
            high_hz=float(np.ceil(heard.high_hz)),
            snr_db=heard.snr_db,
            distance_m=path.distance_m,
            role=role,
        )

    at = bout.start_s
    if bout.ongoing:
        # A bout under way may be anywhere between a call and the next.
        at -= float(rng.uniform(0.0, 1.0)) * species.gap_s
    while at < end:
        if rng.random() < 0.3:
            kind = draw_kind(species, rng)
        length, event = give(at, path)
        if event is not None and event.end_s > event.start_s:
            events.append(event)
        at += length + species.gap_s * float(np.exp(rng.normal(-0.08, 0.4)))
    while surely and not events and path.distance_m > 1.5:
        path = replace(path, distance_m=round(0.6 * path.distance_m, 1))
        # Early enough that a call of any length is heard in large part.
        last_s = len(stage.mix) / rate - 1.0
        event = give(min(bout.start_s, max(0.0, last_s)), path)[1]
        events += [] if event is None else [event]
    return events


def _recording(stage: Stage, events: list[WorldEvent], weather: Weather) -> WorldRecording:
    ordered = sorted(events, key=lambda e: (e.start_s, e.label, e.individual))
    return WorldRecording(stage.mix, tuple(ordered), weather)
