"""Sites differ from each other and stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.synthesis.sites import make_site, make_sites
from antiphon.audio.synthesis.species import SPECIES, species_by_name
from antiphon.errors import UserError


def test_a_site_does_not_depend_on_how_many_there_are() -> None:
    assert make_sites(5, 2) == make_sites(5, 7)[:2]
    assert make_site(5, 1, "wetland") == make_sites(5, 4)[1]


def test_sites_differ_in_noise_gain_and_community() -> None:
    sites = make_sites(1, 6)
    assert len({s.gain_db for s in sites}) > 4
    assert len({s.floor_db for s in sites}) > 4
    one, other = sites[0], sites[3]
    assert one.habitat == other.habitat
    ratios = [one.abundance(s) / other.abundance(s) for s in SPECIES if one.habitat in s.habitats]
    assert max(ratios) > 1.3 * min(ratios)


def test_no_individual_lives_at_two_sites() -> None:
    flocks = [set(site.individuals()) for site in make_sites(0, 5)]
    assert len(set.union(*flocks)) == sum(map(len, flocks))


def test_whales_live_in_the_sea_and_nothing_else_does() -> None:
    sea, forest = make_site(0, 0, "marine"), make_site(0, 1, "forest")
    whale = species_by_name("Cellar Whale")
    assert sea.abundance(whale) > 0
    assert forest.abundance(whale) == 0
    assert np.sum([sea.abundance(s) > 0 for s in SPECIES]) == 1


def test_wrong_habitats_and_counts_are_refused() -> None:
    with pytest.raises(UserError, match="no habitat 'desert'"):
        make_sites(0, 2, ["desert"])
    with pytest.raises(UserError, match="at least 1 site"):
        make_sites(0, 0)
