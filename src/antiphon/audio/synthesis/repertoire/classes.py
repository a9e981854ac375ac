"""The repertoire: classes drawn from a seed, their individuals, single events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.repertoire.clip import Clip, clip_at, make_clip
from antiphon.audio.synthesis.repertoire.drawing import Individual
from antiphon.audio.synthesis.repertoire.events import INDIVIDUALS, Split, trim
from antiphon.audio.synthesis.repertoire.families import BIO, GENERAL, Domain, Family
from antiphon.audio.synthesis.repertoire.recipe import Recipe
from antiphon.audio.synthesis.repertoire.score import LONGEST_S
from antiphon.errors import UserError

VERSION = 1
"""Raised with every change to what a seed sounds like."""

_DOMAIN_KEY = {"bio": 1, "general": 2}
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class SoundClass:
    """A class of sounds.

    Parameters
    ----------
    index
        Place in its repertoire.
    id
        Such as ``b00012`` (the 13th bio class) or ``g00003``. With the seed it says all; it does
        not depend on how many classes there are.
    name
        For people, such as ``Trill 12``.
    domain
        ``bio`` or ``general``.
    family
        Such as ``trill``.
    number
        Within the domain.
    """

    index: int
    id: str
    name: str
    domain: Domain
    family: str
    number: int

    @property
    def path(self) -> str:
        """Label through all levels: ``bio/trill/b00012``."""
        return f"{self.domain}/{self.family}/{self.id}"


class Repertoire:
    """Classes of sound that follow from a seed.

    Class ``k`` of a domain is the same whatever the number of classes, so that repertoires of one
    seed are nested. Recipes are drawn when first needed and kept.

    Parameters
    ----------
    seed
        0 or more.
    n_bio, n_general
        Number of classes of each domain.
    held_out
        Share of classes, 0 to 1, that are in :attr:`unseen` and not in :attr:`seen`, spread over
        the families.

    Raises
    ------
    UserError
        A number is out of range.
    """

    def __init__(
        self, seed: int = 0, n_bio: int = 1200, n_general: int = 800, *, held_out: float = 0.0
    ) -> None:
        if seed < 0 or n_bio < 0 or n_general < 0 or n_bio + n_general == 0:
            raise UserError(
                "A repertoire needs a seed of 0 or more and at least one class; "
                f"got seed {seed}, {n_bio} bio and {n_general} general classes."
            )
        if not 0.0 <= held_out < 1.0:
            raise UserError(f"The share of classes held out is {held_out}; it can be 0 to below 1.")
        self.seed = seed
        self.n_bio = n_bio
        self.n_general = n_general
        self._families: list[Family] = []
        classes: list[SoundClass] = []
        domains: tuple[tuple[Domain, int, tuple[Family, ...]], ...] = (
            ("bio", n_bio, BIO),
            ("general", n_general, GENERAL),
        )
        for domain, count, families in domains:
            bounds = np.cumsum([family.weight for family in families])
            for number in range(count):
                # The golden ratio gives each family its share among the first n, whatever n.
                place = (number * _GOLDEN + 0.5) % 1.0 * bounds[-1]
                family = families[int(np.searchsorted(bounds, place, side="right"))]
                title = family.name.replace("-", " ").capitalize()
                classes.append(
                    SoundClass(
                        len(classes),
                        f"{domain[0]}{number:05d}",
                        f"{title} {number}",
                        domain,
                        family.name,
                        number,
                    )
                )
                self._families.append(family)
        self.classes: tuple[SoundClass, ...] = tuple(classes)
        hidden = np.array(
            [
                np.random.default_rng([seed, 9, _DOMAIN_KEY[c.domain], c.number]).random()
                for c in classes
            ]
        )
        self.unseen: npt.NDArray[np.int64] = np.flatnonzero(hidden < held_out)
        self.seen: npt.NDArray[np.int64] = np.flatnonzero(hidden >= held_out)
        self._recipes: dict[int, Recipe] = {}

    def __len__(self) -> int:
        return len(self.classes)

    def family(self, index: int) -> Family:
        """Return the family of a class."""
        return self._families[index]

    def recipe(self, index: int) -> Recipe:
        """Return the recipe of a class."""
        found = self._recipes.get(index)
        if found is None:
            one = self.classes[index]
            rng = np.random.default_rng([self.seed, _DOMAIN_KEY[one.domain], one.number])
            found = self._recipes[index] = self._families[index].draw(rng)
        return found

    def fits(self, index: int, sample_rate: int) -> bool:
        """Return whether a class can be heard at a sample rate in Hz."""
        return self.recipe(index).main_hz * 1.15 < 0.47 * sample_rate

    def individual(self, index: int, number: int) -> Individual:
        """Return an individual of a class: always the same for the same number."""
        one = self.classes[index]
        rng = np.random.default_rng([self.seed, 3, _DOMAIN_KEY[one.domain], one.number, number])
        return Individual.draw(rng, self._families[index].spread)

    def draw_individual(self, index: int, rng: np.random.Generator, split: Split) -> Individual:
        """Draw one of the individuals of a class that belong to a split."""
        first, count = INDIVIDUALS[split]
        return self.individual(index, first + int(rng.integers(count)))

    def event(
        self,
        index: int,
        rng: np.random.Generator,
        sample_rate: int,
        *,
        individual: Individual | None = None,
        split: Split = "train",
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event as it sounds at the source: no distance, echo or background.

        Parameters
        ----------
        index
            Of the class.
        rng
            Draws what differs from event to event, and the individual if none is given.
        sample_rate
            Hz.
        individual
            Who; by default one of ``split``.
        split
            Which individuals to draw from.
        limit_s
            Longest event, s.

        Returns
        -------
        float32 (n,)
            Peak 1; starts and ends about 50 dB below it.

        Raises
        ------
        UserError
            The class cannot be heard at that rate, or there is none of that index.
        """
        if not 0 <= index < len(self.classes):
            raise UserError(f"There is no class {index}; there are {len(self.classes)}, from 0.")
        if not self.fits(index, sample_rate):
            raise UserError(
                f"Class {self.classes[index].id} ({self.classes[index].name}) sounds at "
                f"{self.recipe(index).main_hz:.0f} Hz, too high for {sample_rate} Hz. "
                "Take a higher sample rate, or another class."
            )
        who = individual or self.draw_individual(index, rng, split)
        return trim(self.recipe(index).render(who, sample_rate, rng, limit_s), sample_rate)

    def choose(
        self,
        rng: np.random.Generator,
        sample_rate: int,
        pool: Sequence[int] | npt.NDArray[np.int64],
    ) -> int:
        """Draw a class that can be heard at a sample rate.

        Raises
        ------
        UserError
            None of a hundred draws can.
        """
        for _ in range(100):
            index = int(pool[int(rng.integers(len(pool)))])
            if self.fits(index, sample_rate):
                return index
        raise UserError(f"None of the classes chosen can be heard at {sample_rate} Hz.")

    def clip(
        self,
        rng: np.random.Generator,
        sample_rate: int,
        seconds: float,
        *,
        classes: Sequence[int] | npt.NDArray[np.int64] | None = None,
        split: Split = "train",
        most_classes: int = 3,
        keep_background: bool = False,
    ) -> Clip:
        """Make a clip; see :func:`antiphon.audio.synthesis.repertoire.clip.make_clip`."""
        return make_clip(
            self,
            rng,
            sample_rate,
            seconds,
            classes=classes,
            split=split,
            most_classes=most_classes,
            keep_background=keep_background,
        )

    def clip_at(
        self,
        number: int,
        sample_rate: int,
        seconds: float,
        *,
        split: Split = "train",
        classes: Sequence[int] | npt.NDArray[np.int64] | None = None,
        most_classes: int = 3,
    ) -> Clip:
        """Return clip ``number`` of a split: it depends on the seed and the arguments alone."""
        return clip_at(
            self,
            number,
            sample_rate,
            seconds,
            split=split,
            classes=classes,
            most_classes=most_classes,
        )
