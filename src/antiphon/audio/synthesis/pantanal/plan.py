"""What a world consists of: every recording, laid out from a seed before any is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from antiphon.audio.synthesis.pantanal.fauna import FAUNA, PantanalSpecies
from antiphon.audio.synthesis.pantanal.places import Place, make_places, make_regions
from antiphon.audio.synthesis.pantanal.voices import VERSION
from antiphon.errors import UserError

Split = Literal["labelled", "unlabelled", "test"]
SPLITS: tuple[Split, ...] = ("labelled", "unlabelled", "test")
FIRST_DAY = datetime(2025, 2, 1)
_DAYS = 28
_REGIONS = 9
_RECORDISTS = 24
# Least number of clips of which every species with clips can have its share.
_LEAST_FOCAL = 80


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What decides every sound of a world.

    Parameters
    ----------
    seed
        0 or more.
    focal
        Focal clips, 80 or more.
    soundscapes
        Soundscapes in all, 10 or more: 3 of 10 labelled, 4 unlabelled, 3 hidden for the test.
    sites
        Recorder sites, 8 or more. Labelled recordings are of the first two fifths, those without
        labels of the first four; the test is of all but the first quarter.
    sample_rate
        Hz; 32,000 or more, as some species sound at 12 kHz.
    soundscape_s
        Length of a soundscape in s, a multiple of the window.
    window_s
        Length of the labelled windows, s.
    focal_s
        Shortest and longest focal clip, s.
    version
        Of the generator.
    """

    seed: int = 0
    focal: int = 600
    soundscapes: int = 150
    sites: int = 12
    sample_rate: int = 32_000
    soundscape_s: float = 60.0
    window_s: float = 5.0
    focal_s: tuple[float, float] = (6.0, 20.0)
    version: int = VERSION

    def check(self) -> None:
        """Refuse what makes no world.

        Raises
        ------
        UserError
            A number is out of range.
        """
        if self.seed < 0:
            raise UserError(f"The seed must be 0 or more, not {self.seed}.")
        if self.focal < _LEAST_FOCAL:
            raise UserError(
                f"{self.focal} focal clips are too few for a long tail; give {_LEAST_FOCAL} or "
                "more."
            )
        if self.soundscapes < 10:
            raise UserError(f"A world needs 10 or more soundscapes, not {self.soundscapes}.")
        if not 8 <= self.sites <= 99:
            raise UserError(f"A world can have 8 to 99 sites, not {self.sites}.")
        if not 32_000 <= self.sample_rate <= 192_000:
            raise UserError(
                f"The sample rate is {self.sample_rate} Hz; it can be 32,000 to 192,000 Hz."
            )
        windows = self.soundscape_s / self.window_s if self.window_s > 0 else 0.0
        if windows < 1 or abs(windows - round(windows)) > 1e-9:
            raise UserError(
                f"A soundscape of {self.soundscape_s:g} s does not divide into windows of "
                f"{self.window_s:g} s."
            )
        if not 1.0 <= self.focal_s[0] <= self.focal_s[1] <= 600.0:
            raise UserError(f"Focal clips cannot last {self.focal_s[0]:g} to {self.focal_s[1]:g} s")

    @property
    def windows(self) -> int:
        """Windows of a soundscape."""
        return round(self.soundscape_s / self.window_s)

    def facts(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {**asdict(self), "focal_s": list(self.focal_s)}


@dataclass(frozen=True, slots=True)
class FocalPlan:
    """A focal clip to be made: which, of what, by whom, where and how long."""

    number: int
    species: PantanalSpecies
    author: str
    region: Place
    hour: float
    seconds: float

    @property
    def stem(self) -> str:
        """Name of its file, without suffix."""
        return f"XP{self.number + 1:06d}"

    @property
    def path(self) -> str:
        """Its file in the folder of the world."""
        return f"train_audio/{self.species.label}/{self.stem}.ogg"


@dataclass(frozen=True, slots=True)
class ScapePlan:
    """A soundscape to be made: which, where, when, and who must not be missing."""

    split: Split
    number: int
    place: Place
    start: datetime
    guests: tuple[PantanalSpecies, ...]

    @property
    def stem(self) -> str:
        """Name of its file, such as ``BC2026_Train_0001_S05_20250227_010002``."""
        side = "Test" if self.split == "test" else "Train"
        name = self.place.site.name
        return f"BC2026_{side}_{self.number + 1:04d}_{name}_{self.start:%Y%m%d_%H%M%S}"

    @property
    def path(self) -> str:
        """Its file in the folder of the world."""
        folder = "test_soundscapes" if self.split == "test" else "train_soundscapes"
        return f"{folder}/{self.stem}.ogg"


def focal_counts(total: int) -> dict[str, int]:
    """Return how many focal clips each species has.

    Rare species have their exact number, those known from soundscapes alone have none, and the
    others share the rest by weight with at least two each.
    """
    counts = {s.label: int(-s.focal) for s in FAUNA if s.focal < 0}
    common = [s for s in FAUNA if s.focal > 0]
    rest = total - sum(counts.values()) - 2 * len(common)
    weights = np.array([s.focal for s in common])
    exact = rest * weights / weights.sum()
    extra = np.floor(exact).astype(int)
    # Largest remainders take what rounding left.
    for k in np.argsort(extra - exact, kind="stable")[: rest - int(extra.sum())]:
        extra[k] += 1
    counts.update({s.label: 2 + int(k) for s, k in zip(common, extra, strict=True)})
    return {s.label: counts.get(s.label, 0) for s in FAUNA}


def plan_focal(settings: WorldSettings) -> tuple[FocalPlan, ...]:
    """Lay out the focal clips: who recorded what, where a species lives and when it calls."""
    rng = np.random.default_rng([settings.seed, 8])
    regions = make_regions(settings.seed, _REGIONS)
    homes = [int(rng.integers(_REGIONS)) for _ in range(_RECORDISTS)]
    # Few recordists contribute much.
    diligence = 1.0 / np.arange(1, _RECORDISTS + 1)
    plans: list[FocalPlan] = []
    for species in FAUNA:
        likes = np.array([max(regions[home].abundance(species), 0.05) for home in homes])
        share = diligence * likes
        for _ in range(focal_counts(settings.focal)[species.label]):
            who = int(rng.choice(_RECORDISTS, p=share / share.sum()))
            plans.append(
                FocalPlan(
                    len(plans),
                    species,
                    f"Recordist {who + 1:02d}",
                    regions[homes[who]],
                    _hour(species, rng),
                    round(float(np.exp(rng.uniform(*np.log(settings.focal_s)))), 1),
                )
            )
    return tuple(plans)


def _hour(species: PantanalSpecies, rng: np.random.Generator) -> float:
    """Draw an hour at which a species calls."""
    hours = np.arange(0.0, 24.0, 0.25)
    active = np.array([species.activity.at(float(hour)) for hour in hours])
    return float(rng.choice(hours, p=active / active.sum()))


def plan_soundscapes(settings: WorldSettings) -> tuple[ScapePlan, ...]:
    """Lay out the soundscapes: sites in turn, hours spread over the day.

    Every species is a guest, whatever its abundance, of at least one labelled and two test
    recordings at its hours, where there are that many recordings.
    """
    rng = np.random.default_rng([settings.seed, 9])
    places = make_places(settings.seed, settings.sites)
    n = len(places)
    sites: dict[Split, tuple[Place, ...]] = {
        "labelled": places[: round(0.4 * n)],
        "unlabelled": places[: round(0.8 * n)],
        "test": places[round(0.25 * n) :],
    }
    counts = _split_counts(settings.soundscapes)
    plans: list[ScapePlan] = []
    train = 0
    for split in SPLITS:
        there, count = sites[split], counts[split]
        starts = _starts(count, rng)
        spots = [there[k % len(there)] for k in range(count)]
        guests = _guests(spots, starts, {"labelled": 1, "unlabelled": 0, "test": 2}[split], rng)
        first = 0 if split == "test" else train
        plans += [ScapePlan(split, first + k, spots[k], starts[k], guests[k]) for k in range(count)]
        train += 0 if split == "test" else count
    return tuple(plans)


def _split_counts(total: int) -> dict[Split, int]:
    tenth = 0.3 * total
    labelled, test = round(tenth), round(tenth)
    return {"labelled": labelled, "unlabelled": total - labelled - test, "test": test}


def _starts(count: int, rng: np.random.Generator) -> list[datetime]:
    """Draw start times: one in each of ``count`` parts of the day, in random order."""
    parts = (rng.permutation(count) + rng.random(count)) * (86_400.0 / count)
    days = rng.integers(0, _DAYS, count)
    return [
        FIRST_DAY + timedelta(days=int(day), seconds=int(second))
        for day, second in zip(days, parts, strict=True)
    ]


def _guests(
    spots: Sequence[Place], starts: Sequence[datetime], each: int, rng: np.random.Generator
) -> list[tuple[PantanalSpecies, ...]]:
    """Choose recordings in which a species calls for certain; at most two in any."""
    found: list[list[PantanalSpecies]] = [[] for _ in spots]
    if each:
        for species in (FAUNA[k] for k in rng.permutation(len(FAUNA))):
            fit = np.array(
                [
                    species.activity.at(start.hour + start.minute / 60.0)
                    * (0.02 + place.abundance(species))
                    * (len(guests) < 2)
                    for place, start, guests in zip(spots, starts, found, strict=True)
                ]
            )
            many = min(each, int(np.count_nonzero(fit)))
            if many:
                for k in rng.choice(len(spots), many, replace=False, p=fit / fit.sum()):
                    found[int(k)].append(species)
    return [tuple(guests) for guests in found]
