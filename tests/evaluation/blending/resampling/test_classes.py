"""Tables by class, taxon, site and hour."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.taxonomy import read_taxonomy, taxon_of
from antiphon.evaluation.blending.resampling.classes import (
    NOT_ESTIMABLE,
    break_down,
)
from antiphon.evaluation.blending.resampling.wins import win_counts
from antiphon.evaluation.blending.scoring.auc import class_auc, macro_auc
from antiphon.evaluation.blending.simulation.files import problem_of
from antiphon.evaluation.blending.simulation.worlds import simulate


@pytest.fixture(scope="module")
def made():
    world = simulate(seed=4, n_unlabelled=0, n_classes=40)
    problem = problem_of(world)
    wins = win_counts(problem.scores[0], problem.truth, problem.file)
    taxa = dict(zip(world.classes, world.taxa, strict=True))
    found = break_down(wins, problem, taxa=taxa, rng=np.random.default_rng(0), replicates=300)
    return problem, found, taxa


def test_classes_come_worst_first_with_their_own_auc(made):
    problem, found, _ = made
    areas = [row.auc for row in found.classes]
    assert areas == sorted(areas)
    wanted = dict(zip(problem.classes, class_auc(problem.scores[0], problem.truth), strict=True))
    for row in found.classes:
        assert row.auc == pytest.approx(wanted[row.name], abs=1e-12)


def test_what_a_perfect_class_would_bring(made):
    problem, found, _ = made
    mean = float(macro_auc(problem.scores[0], problem.truth))
    assert sum(row.room for row in found.classes) == pytest.approx(1.0 - mean, abs=1e-12)
    row = found.classes[0]
    assert row.swing == pytest.approx((row.high - row.low) / 2 / 40, nan_ok=True)


def test_one_recording_is_not_estimable(made):
    problem, found, _ = made
    files = dict(zip(problem.classes, problem.positive_files.tolist(), strict=True))
    single = [row for row in found.classes if row.n_files == 1]
    assert single
    for row in found.classes:
        assert row.n_files == files[row.name]
        assert (row.note == NOT_ESTIMABLE) == (row.n_files == 1)
        assert np.isnan(row.low) == (row.n_files == 1)
        if row.n_files > 1:
            assert row.low <= row.auc + 1e-12
            assert row.high >= row.auc - 1e-12
    assert single[0].to_json()["low"] is None


def test_taxa_are_means_of_their_classes(made):
    _, found, taxa = made
    for group in found.taxa:
        own = [row.auc for row in found.classes if taxa[row.name] == group.name]
        assert group.n_classes == len(own)
        assert group.auc == pytest.approx(np.mean(own), abs=1e-12)
        assert group.low <= group.auc <= group.high or np.isnan(group.low)


def test_a_site_left_out_is_the_problem_without_its_recordings(made):
    problem, found, _ = made
    sites = np.array(problem.site)
    for group in found.sites:
        rest = problem.with_files(sites != group.name)
        here = problem.with_files(sites == group.name)
        assert group.without == pytest.approx(float(macro_auc(rest.scores[0], rest.truth)))
        assert group.auc == pytest.approx(float(macro_auc(here.scores[0], here.truth)))
        assert (group.n_files, group.n_windows) == (len(here.files), len(here.rows))
        assert group.n_classes == here.scored.sum()
    assert sum(group.n_files for group in found.hours) == 66
    assert {group.name for group in found.hours} <= {
        f"{h:02d}-{h + 3:02d} h" for h in range(0, 24, 3)
    }


def test_without_names_there_are_no_groups(made):
    from dataclasses import replace

    problem = replace(made[0], site=None, hour=None)
    wins = win_counts(problem.scores[0], problem.truth, problem.file)
    found = break_down(wins, problem, rng=np.random.default_rng(0), replicates=10)
    assert found.taxa == found.sites == found.hours == ()


def test_taxonomy_files(tmp_path):
    path = tmp_path / "taxonomy.csv"
    path.write_text("primary_label,scientific_name,class_name\n1139490,X,Insecta\nbk,Y,Aves\n")
    taxa = read_taxonomy(path)
    assert taxon_of(["bk", "1139490"], taxa) == ("Aves", "Insecta")
    with pytest.raises(UserError, match=r"1 classes have no taxon.*frog"):
        taxon_of(["bk", "frog"], taxa)
    path.write_text("primary_label,class_name\nbk,Aves\nbk,Insecta\n")
    with pytest.raises(FormatError, match="two taxa"):
        read_taxonomy(path)
    path.write_text("primary_label,name\nbk,Aves\n")
    with pytest.raises(FormatError, match="no column"):
        read_taxonomy(path)
