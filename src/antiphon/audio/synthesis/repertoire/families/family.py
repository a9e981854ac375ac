"""What a family of classes is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from antiphon.audio.synthesis.repertoire.recipe import Recipe

Domain = Literal["bio", "general"]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of sound source.

    Parameters
    ----------
    name
        Such as ``trill``; one lower-case word or several joined by hyphens.
    draw
        Draws the recipe of one class.
    weight
        Share of the classes of its domain, relative to the other families.
    spread
        How much individuals of a class differ, 1 as among birds of a species.
    gap_s
        Least and most silence between events of a bout, s.
    events
        Most events in a bout.
    """

    name: str
    draw: Callable[[np.random.Generator], Recipe]
    weight: float = 1.0
    spread: float = 1.0
    gap_s: tuple[float, float] = (0.15, 1.2)
    events: int = 3
