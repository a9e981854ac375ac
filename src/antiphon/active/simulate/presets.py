"""Recipes shaped like the sets of BioDCASE 2026 Task 4, with variants to choose and to report on.

Sizes, classes and labels per segment are those of the task page. All other knobs were found by a
search: recipes were kept for which Random, Margin, CoreSet and TypiClust come out near the
published development baselines in level and order (``benchmarks/active_calibration.py`` shows how
near). Many recipes do, so each set has several: those with even numbers are to choose methods
and settings on, those with odd numbers to report on.
"""

from __future__ import annotations

import csv
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from antiphon.active.simulate.recipe import Recipe
from antiphon.errors import UserError

Half = Literal["tuning", "held-out"]

VARIANTS = 8
"""Recipes of each set, numbered from 0."""

SIZES: dict[str, tuple[str, int, int, int, float]] = {
    "hsn": ("BirdSet", 6600, 1800, 19, 0.524),
    "pow": ("BirdSet", 2280, 684, 41, 2.833),
    "uhh": ("BirdSet", 18319, 7327, 25, 1.058),
    "elephantisland2014": ("ATBFL", 2197, 1489, 7, 1.965),
    "elephantisland2013": ("ATBFL", 1630, 1092, 7, 2.650),
    "casey2014": ("ATBFL", 1282, 782, 7, 2.428),
    "kerguelen2014": ("ATBFL", 1154, 748, 7, 2.684),
    "kerguelen2015": ("ATBFL", 729, 479, 7, 2.839),
    "casey2017": ("ATBFL", 613, 405, 6, 1.858),
    "maudrise2014": ("ATBFL", 526, 353, 7, 1.288),
    "kerguelen2005": ("ATBFL", 465, 269, 7, 2.176),
    "ballenyislands2015": ("ATBFL", 309, 205, 7, 1.875),
    "greenwich2015": ("ATBFL", 171, 113, 6, 1.527),
    "rosssea2014": ("ATBFL", 10, 8, 1, 0.929),
}
"""Domain, pool, validation, classes and labels per segment of each published set."""

_FAMILIES = ("hsn", "pow", "uhh")
_POOLED = "atbfl"
_JUNK = "-junk"
# Share of junk in the sets that test for it, and its distance relative to the length of a call.
_JUNK_SHARE, _JUNK_SIZE = 0.05, 3.0


def list_presets() -> list[str]:
    """Return the names of all presets.

    They are the published sets; ``atbfl``, all site-years in one, which is what the published ATBFL
    baselines are of; and ``hsn-junk`` and the like, the same with one segment in twenty moved
    three call lengths away by a fault of the recorder, for which there is no published figure.
    """
    large = [*_FAMILIES, _POOLED]
    return [*SIZES, _POOLED, *(name + _JUNK for name in large)]


def variants(half: Half) -> tuple[int, ...]:
    """Return the variants to choose methods and settings on, or those to report on."""
    if half not in ("tuning", "held-out"):
        raise UserError(f"The halves are 'tuning' and 'held-out', not {half!r}.")
    return tuple(range(0 if half == "tuning" else 1, VARIANTS, 2))


def preset(name: str, variant: int = 0) -> Recipe:
    """Return a recipe shaped like a published set.

    Parameters
    ----------
    name
        Of :func:`list_presets`.
    variant
        0 to 7; see :func:`variants`. The recipe is named ``name.variant``.

    Raises
    ------
    UserError
        There is no such preset or variant.
    """
    if name not in list_presets():
        raise UserError(f"Preset {name!r} is not known. There are: {', '.join(list_presets())}.")
    if not 0 <= variant < VARIANTS:
        raise UserError(f"Preset {name!r} has the variants 0 to {VARIANTS - 1}, not {variant}.")
    if name.endswith(_JUNK):
        clean = preset(name.removesuffix(_JUNK), variant)
        size = round(_JUNK_SIZE * clean.gain, 6)
        return replace(clean, name=f"{name}.{variant}", junk_share=_JUNK_SHARE, junk_size=size)
    if name == _POOLED:
        return _pooled(variant)
    domain, n_pool, n_validation, classes, labels = SIZES[name]
    knobs = _knobs(_POOLED if domain == "ATBFL" else name, variant)
    if domain == "ATBFL":
        # A site-year is one site; its share of empty segments is the nearest that its labels allow.
        empty = min(max(knobs["empty_share"], 1.0 - labels, 0.0), 1.0 - labels / classes)
        knobs |= {"n_sites": 1, "empty_share": round(empty, 6)}
    return Recipe(
        f"{name}.{variant}", n_pool, n_validation, classes, labels, domain=domain, **knobs
    )


def _pooled(variant: int) -> Recipe:
    parts = [size for size in SIZES.values() if size[0] == "ATBFL"]
    rows = sum(size[1] + size[2] for size in parts)
    labels = sum((size[1] + size[2]) * size[4] for size in parts) / rows
    recipe = Recipe(
        f"{_POOLED}.{variant}",
        sum(size[1] for size in parts),
        sum(size[2] for size in parts),
        max(size[3] for size in parts),
        labels,
        domain="ATBFL",
        **_knobs(_POOLED, variant),
    )
    return replace(recipe, n_sites=len(parts))


def _knobs(family: str, variant: int) -> dict[str, Any]:
    """Return a copy of the calibrated knobs."""
    return dict(_calibrated()[family, variant])


@cache
def _calibrated() -> dict[tuple[str, int], dict[str, Any]]:
    """Read the table of knobs, one row for each recipe."""
    whole = {knob.name for knob in fields(Recipe) if knob.type == "int"}
    text = files(__package__).joinpath("calibrated.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        place = row.pop("preset"), int(row.pop("variant"))
        found[place] = {k: int(v) if k in whole else float(v) for k, v in row.items()}
    return found
