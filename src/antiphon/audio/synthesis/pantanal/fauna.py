"""The species of the synthetic Pantanal: 32 of five taxa, none of which exists."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from antiphon.audio.synthesis.model import Activity

Taxon = Literal["Aves", "Amphibia", "Insecta", "Mammalia", "Reptilia"]
TAXA: tuple[Taxon, ...] = ("Aves", "Amphibia", "Insecta", "Mammalia", "Reptilia")

DAWN = Activity(((6.0, 1.6, 1.0), (17.5, 1.3, 0.5)))
DAY = Activity(((8.5, 2.6, 0.9), (15.5, 2.4, 0.6)))
NOON = Activity(((12.5, 2.4, 1.0), (16.5, 1.5, 0.4)))
DUSK = Activity(((18.8, 1.3, 1.0), (4.8, 1.0, 0.5)))
NIGHT = Activity(((21.0, 2.2, 1.0), (1.5, 2.6, 0.8)))
ALWAYS = Activity(((0.0, 7.0, 0.6), (12.0, 7.0, 0.6)))

EVERYWHERE: Mapping[str, float] = {"forest": 1.0, "wetland": 1.0, "meadow": 1.0}
WOODS: Mapping[str, float] = {"forest": 1.0, "meadow": 0.35}
WATER: Mapping[str, float] = {"wetland": 1.0, "meadow": 0.25}
OPEN: Mapping[str, float] = {"meadow": 1.0, "wetland": 0.4}


@dataclass(frozen=True, slots=True)
class CallKind:
    """One kind of call of a species.

    Parameters
    ----------
    family
        A family of the repertoire, such as ``trill``.
    low_hz, high_hz
        Bounds of the recipe's main frequency.
    share
        Relative frequency among the calls of the species.
    """

    family: str
    low_hz: float
    high_hz: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PantanalSpecies:
    """A species.

    Parameters
    ----------
    label
        Its ``primary_label``: a code, or a number as of a taxon in a database.
    name, scientific_name, taxon
        Made up, but for the taxon.
    calls
        Kinds of call.
    activity
        Hours of the day.
    habitats
        Abundance by habitat, 1 where it is at home.
    focal
        Weight of its focal clips; a whole number below 0 is their exact number (-3 for three), and
        0 stands for none: a species known from soundscapes alone.
    bouts_per_hour, bout_s, gap_s, answer, level_db, near_m, far_m
        As in :class:`antiphon.audio.synthesis.model.Species`.
    spread
        How much individuals differ, 1 as among birds of a species.
    wet
        Factor on its activity while it rains.
    """

    label: str
    name: str
    scientific_name: str
    taxon: Taxon
    calls: tuple[CallKind, ...]
    activity: Activity
    habitats: Mapping[str, float] = field(hash=False)
    focal: float
    bouts_per_hour: float = 40.0
    bout_s: float = 22.0
    gap_s: float = 2.5
    answer: float = 0.2
    level_db: float = 92.0
    near_m: float = 4.0
    far_m: float = 120.0
    spread: float = 1.0
    wet: float = 0.4

    @property
    def key(self) -> int:
        """A number that stands for the species in seeds; it follows the label alone."""
        return zlib.crc32(self.label.encode())


def _frog(*args: object, **kw: object) -> PantanalSpecies:
    defaults: dict[str, object] = {
        "bouts_per_hour": 45.0, "bout_s": 30.0, "gap_s": 1.2, "answer": 0.5, "level_db": 88.0,
        "far_m": 90.0, "wet": 1.6,
    }  # fmt: skip
    return PantanalSpecies(*args, **{**defaults, **kw})  # type: ignore[arg-type]


def _insect(*args: object, **kw: object) -> PantanalSpecies:
    defaults: dict[str, object] = {
        "bouts_per_hour": 30.0, "bout_s": 35.0, "gap_s": 0.8, "answer": 0.1, "level_db": 84.0,
        "far_m": 45.0, "spread": 0.7, "wet": 0.3,
    }  # fmt: skip
    return PantanalSpecies(*args, **{**defaults, **kw})  # type: ignore[arg-type]


def _large(*args: object, **kw: object) -> PantanalSpecies:
    defaults: dict[str, object] = {
        "bouts_per_hour": 12.0, "bout_s": 18.0, "gap_s": 3.5, "level_db": 98.0, "near_m": 15.0,
        "far_m": 180.0, "spread": 1.4, "wet": 0.7,
    }  # fmt: skip
    return PantanalSpecies(*args, **{**defaults, **kw})  # type: ignore[arg-type]


K = CallKind
BIRDS: tuple[PantanalSpecies, ...] = (
    PantanalSpecies("rivpip1", "River Piper", "Fistula ripae", "Aves",
                    (K("whistle", 2000, 3500, 3), K("sweep", 3000, 5000)), DAWN, EVERYWHERE, 10),
    PantanalSpecies("lantro1", "Lantern Trogon", "Lucerna sonora", "Aves",
                    (K("coo", 200, 700, 2), K("whistle", 900, 1600)), DAWN, WOODS, 6),
    PantanalSpecies("reetri1", "Reed Trillwing", "Tremula arundinis", "Aves",
                    (K("trill", 3500, 5500, 3), K("sweep", 4000, 7000)), DAY, WATER, 8),
    PantanalSpecies("camrat1", "Campo Rattler", "Crepita campestris", "Aves",
                    (K("chatter", 1200, 2600),), DAY, OPEN, 6),
    PantanalSpecies("galwar1", "Gallery Warbler", "Cantor silvae", "Aves",
                    (K("warble", 2500, 4500, 3), K("buzz-note", 3500, 6000)), DAWN, WOODS, 9,
                    bouts_per_hour=55),
    PantanalSpecies("thoson1", "Thorn Songster", "Cantor spinosus", "Aves",
                    (K("warble", 2800, 5200),), DAWN, EVERYWHERE, 5),
    PantanalSpecies("marbuz1", "Marsh Buzzer", "Stridor paludis", "Aves",
                    (K("buzz-note", 2500, 5000),), DAY, WATER, 4),
    PantanalSpecies("silswe1", "Silver Sweepbird", "Arcus argenteus", "Aves",
                    (K("sweep", 5500, 8500),), DAY, WOODS, 3, gap_s=1.2),
    PantanalSpecies("twithr1", "Twin-voiced Thrush", "Gemina bivox", "Aves",
                    (K("two-voiced", 1500, 3200),), DAWN, WOODS, -4, bouts_per_hour=12),
    PantanalSpecies("oxbfin1", "Oxbow Finch", "Strues lacustris", "Aves",
                    (K("stack-song", 1000, 2600, 2), K("squawk", 300, 2500)), DAY, OPEN, 4),
    PantanalSpecies("trekno1", "Tree Knocker", "Pulsator ligni", "Aves",
                    (K("drumming", 700, 2000, 2), K("trill", 2500, 4000)), DAY, WOODS, 3,
                    bouts_per_hour=25, gap_s=6.0),
    PantanalSpecies("dusjar1", "Dusk Jar", "Nox vespertina", "Aves",
                    (K("whistle", 1000, 2200),), DUSK, OPEN, 3),
    PantanalSpecies("cawher1", "Cawing Heron", "Raucus ardens", "Aves",
                    (K("caw", 250, 1000, 2), K("quack", 200, 1600)), ALWAYS, WATER, 2,
                    bouts_per_hour=18, level_db=95),
    PantanalSpecies("kisscr1", "Kissing Screamer", "Clamator palustris", "Aves",
                    (K("crow", 300, 1400),), DAWN, WATER, -2, bouts_per_hour=10, level_db=98,
                    far_m=200),
)  # fmt: skip
FROGS: tuple[PantanalSpecies, ...] = (
    _frog("22101", "Zip Treefrog", "Hylula celer", "Amphibia",
          (K("croak", 2200, 3800),), NIGHT, WATER, 6),
    _frog("22107", "Oven Frog", "Fornax rana", "Amphibia",
          (K("croak", 300, 800),), NIGHT, WATER, 4, level_db=92),
    _frog("22119", "Ratchet Frog", "Serrula rana", "Amphibia",
          (K("croak", 1000, 1900),), NIGHT, EVERYWHERE, 3),
    _frog("22130", "Pinging Frog", "Tinnula minor", "Amphibia",
          (K("peep", 2500, 4500),), NIGHT, WATER, 4),
    _frog("hoofro1", "Hooting Frog", "Tinnula major", "Amphibia",
          (K("peep", 600, 1200),), DUSK, EVERYWHERE, 2),
    _frog("lamfro1", "Lamb Frog", "Balatula agnina", "Amphibia",
          (K("bleat", 400, 1200),), NIGHT, WATER, -3, bouts_per_hour=15),
    _frog("22177", "Hidden Frog", "Latens rana", "Amphibia",
          (K("fish-hum", 150, 400),), NIGHT, WOODS, 0, bouts_per_hour=18, level_db=94),
)  # fmt: skip
INSECTS: tuple[PantanalSpecies, ...] = (
    _insect("47311", "Common Field Chirper", "Gryllula vulgaris", "Insecta",
            (K("cricket", 4000, 6000),), NIGHT, EVERYWHERE, 3),
    _insect("47318", "Long Tree Cricket", "Oecanthula longa", "Insecta",
            (K("drone", 2200, 3600),), NIGHT, WOODS, 2),
    _insect("47340", "Sedge Katydid", "Tettigula caricis", "Insecta",
            (K("rasp", 7000, 11_000),), NIGHT, WATER, 2),
    _insect("47352", "Noon Cicada", "Cicadula meridiei", "Insecta",
            (K("cicada", 4500, 8000),), NOON, WOODS, 2, level_db=94, far_m=80),
    _insect("47359", "Unseen Cicada", "Cicadula latens", "Insecta",
            (K("cicada", 2500, 4000),), NOON, EVERYWHERE, 0, level_db=92, far_m=80,
            bouts_per_hour=14),
)  # fmt: skip
LARGE: tuple[PantanalSpecies, ...] = (
    _large("41207", "Red Howler of the Reeds", "Ululator ruber", "Mammalia",
           (K("howl", 200, 700),), DAWN, WOODS, 3, level_db=104, far_m=300, bouts_per_hour=20),
    _large("41222", "Marsh Cat", "Murmura felina", "Mammalia",
           (K("growl", 100, 900),), NIGHT, EVERYWHERE, -5),
    _large("fielfo1", "Field Fox", "Latrator agilis", "Mammalia",
           (K("bark", 400, 1500),), DUSK, OPEN, 2),
    _large("41260", "River Squealer", "Lutrina acuta", "Mammalia",
           (K("squeal", 2000, 4500),), DAY, WATER, -5, bouts_per_hour=14, level_db=95),
    _large("26014", "Lesser Marsh Caiman", "Caimanula gruniens", "Reptilia",
           (K("grunt", 150, 700),), DUSK, WATER, 2, bouts_per_hour=18),
    _large("26021", "Ticking Gecko", "Crepitula parva", "Reptilia",
           (K("click-train", 2500, 6000),), NIGHT, WOODS, -2, level_db=88, near_m=4, far_m=40,
           bouts_per_hour=16),
)  # fmt: skip

FAUNA: tuple[PantanalSpecies, ...] = (*BIRDS, *FROGS, *INSECTS, *LARGE)
"""All species, by taxon."""

BY_LABEL: dict[str, PantanalSpecies] = {species.label: species for species in FAUNA}

CLASSES: tuple[str, ...] = tuple(sorted(BY_LABEL))
"""Labels as text in order, as in a sample submission: numbers first."""
