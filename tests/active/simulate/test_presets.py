"""The presets have the published sizes, and their variants fall into two halves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antiphon.active.simulate.generate import generate
from antiphon.active.simulate.presets import VARIANTS, list_presets, preset, variants
from antiphon.errors import UserError

# Task page, tables 1 and 2: pool, validation, classes, labels per segment.
PUBLISHED = {
    "hsn": (6600, 1800, 19, 0.524),
    "pow": (2280, 684, 41, 2.833),
    "uhh": (18319, 7327, 25, 1.058),
    "elephantisland2014": (2197, 1489, 7, 1.965),
    "elephantisland2013": (1630, 1092, 7, 2.650),
    "casey2014": (1282, 782, 7, 2.428),
    "kerguelen2014": (1154, 748, 7, 2.684),
    "kerguelen2015": (729, 479, 7, 2.839),
    "casey2017": (613, 405, 6, 1.858),
    "maudrise2014": (526, 353, 7, 1.288),
    "kerguelen2005": (465, 269, 7, 2.176),
    "ballenyislands2015": (309, 205, 7, 1.875),
    "greenwich2015": (171, 113, 6, 1.527),
    "rosssea2014": (10, 8, 1, 0.929),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_sets_have_the_published_counts(name: str) -> None:
    n_pool, n_validation, classes, labels = PUBLISHED[name]
    data = generate(replace(preset(name, 1), dimension=4), 0)
    assert (len(data.pool()), len(data.judges())) == (n_pool, n_validation)
    assert data.targets.shape == (n_pool + n_validation, classes)
    # No whole number of labels on 18 segments comes nearer than 0.017.
    assert data.targets.sum(axis=1).mean() == pytest.approx(labels, abs=0.018, rel=0.005)
    assert data.targets[data.pool()].any(axis=0).all()
    assert data.targets[data.judges()].any(axis=0).all()
    assert data.domain == ("BirdSet" if name in ("hsn", "pow", "uhh") else "ATBFL")


def test_the_pooled_set_is_the_sum_of_the_site_years() -> None:
    parts = [size for name, size in PUBLISHED.items() if name not in ("hsn", "pow", "uhh")]
    recipe = preset("atbfl")
    assert recipe.n_pool == sum(part[0] for part in parts) == 9086
    assert recipe.n_validation == sum(part[1] for part in parts) == 5943
    mean = np.average([p[3] for p in parts], weights=[p[0] + p[1] for p in parts])
    assert recipe.labels_per_sample == pytest.approx(mean)
    assert recipe.n_sites == 11


def test_every_preset_has_all_variants_under_names_of_their_own() -> None:
    junk = ["hsn-junk", "pow-junk", "uhh-junk", "atbfl-junk"]
    assert list_presets() == [*PUBLISHED, "atbfl", *junk]
    recipes = [preset(name, variant) for name in list_presets() for variant in range(VARIANTS)]
    assert len({recipe.name for recipe in recipes}) == len(recipes)
    knobs = {tuple(sorted((replace(r, name="").to_json()).items())) for r in recipes}
    assert len(knobs) == len(recipes)


def test_halves_share_no_variant() -> None:
    tuning, held_out = variants("tuning"), variants("held-out")
    assert tuning == (0, 2, 4, 6)
    assert set(tuning).isdisjoint(held_out)
    assert sorted([*tuning, *held_out]) == list(range(VARIANTS))
    with pytest.raises(UserError, match="validation"):
        variants("validation")  # type: ignore[arg-type]


def test_an_unknown_preset_or_variant_is_named() -> None:
    with pytest.raises(UserError, match="hns"):
        preset("hns")
    with pytest.raises(UserError, match="8"):
        preset("hsn", 8)


def test_junk_changes_nothing_but_junk() -> None:
    clean, dirty = preset("pow", 3), preset("pow-junk", 3)
    assert dirty.junk_share == 0.05
    assert dirty.junk_size > 2 * dirty.gain
    same = replace(dirty, name=clean.name, junk_share=clean.junk_share, junk_size=clean.junk_size)
    assert same == clean
    data = [generate(replace(recipe, dimension=64), 0) for recipe in (clean, dirty)]
    assert np.array_equal(data[0].targets, data[1].targets)
    clean_rows, dirty_rows = (d.embeddings / np.linalg.norm(d.embeddings) for d in data)
    cosine = np.sum(clean_rows * dirty_rows, axis=1)
    cosine /= np.linalg.norm(clean_rows, axis=1) * np.linalg.norm(dirty_rows, axis=1)
    moved = cosine < 0.999
    assert moved.mean() == pytest.approx(0.05, abs=0.012)
    middle = np.median(dirty_rows, axis=0)
    length = np.linalg.norm(dirty_rows - middle, axis=1)
    assert np.median(length[moved]) > 1.5 * np.median(length[~moved])
