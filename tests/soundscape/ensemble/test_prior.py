"""Priors of classes, and what fills a gap."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import FormatError, UserError
from antiphon.soundscape.ensemble.prior import (
    Fills,
    class_priors,
    fill_unreached,
    prior_from_counts,
    read_priors,
)

CLASSES = ("a", "b", "c")


def test_shares_of_the_training_by_hand():
    # Of 7 examples and three halves, 6.5, 1.5 and 0.5.
    assert prior_from_counts([6, 1, 0]) == pytest.approx(np.array([6.5, 1.5, 0.5]) / 8.5)
    with pytest.raises(UserError, match="not negative"):
        prior_from_counts([1, -1])


def test_counts_may_be_a_column_or_the_rows_of_the_training_table(tmp_path):
    wanted = prior_from_counts([2, 1, 0])
    path = tmp_path / "train.csv"
    path.write_text("primary_label,filename\na,x.ogg\nb,y.ogg\na,z.ogg\n")
    assert read_priors(path, CLASSES) == pytest.approx(wanted)
    path.write_text("primary_label,count\nb,1\na,2\nother,50\n")
    assert class_priors(path, CLASSES) == pytest.approx(wanted)


def test_probabilities_are_taken_as_they_are(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("class,prior\nc,0.5\na,0.25\nb,0\n")
    assert read_priors(path, CLASSES).tolist() == [0.25, 0.0, 0.5]
    assert class_priors(0.01, CLASSES).tolist() == [0.01] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class,prior\na,0.5\nb,0.1\n", "1 class without a prior: c"),
        ("class,prior\na,0.5\nb,0.1\nc,3\n", "above 1: c"),
        ("class,prior\na,0.5\na,0.1\nc,1\nb,1\n", "twice: a"),
        ("class,count\na,-2\n", "negative"),
        ("class,count\na,two\n", "'two' is no number"),
        ("name,count\na,2\n", "no column primary_label"),
        ("class,count\nx,2\n", "none of its labels"),
    ],
)
def test_faulty_files_are_named(text, words, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_priors(path, CLASSES)


def test_gaps_are_filled_from_the_recording_the_run_and_the_prior():
    nan = np.nan
    score = np.array([[0.2, nan], [0.6, 0.9], [nan, nan], [nan, nan], [0.1, nan]])
    there = ~np.isnan(score)
    there[1, 1] = False
    found, fills = fill_unreached(score, there, [0, 0, 0, 1, 2], np.array([0.5, 0.03]))
    assert found[:, 0] == pytest.approx([0.2, 0.6, 0.4, 0.3, 0.1])
    assert found[:, 1].tolist() == [0.03] * 5
    assert fills == Fills(recording=1, run=1, prior=5)
    assert fills.total == 7
    only, fills = fill_unreached(score, there, [0, 0, 0, 1, 2], np.array([0.5, 0.03]), "prior")
    assert only[:, 0].tolist() == [0.2, 0.6, 0.5, 0.5, 0.1]
    assert fills == Fills(prior=7)
