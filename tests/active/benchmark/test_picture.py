"""Learning curves for a notebook."""

from __future__ import annotations

import html

import pytest

from antiphon.active.benchmark.picture import learning_curves
from antiphon.errors import UserError
from tests.active.benchmark.made import made_facts, made_result


def _runs(name="pond"):
    return [
        made_result(strategy, made_facts(name), seed, [0.1 * k, 0.2 * k + 0.1 * seed]).run
        for k, strategy in enumerate(("random", "coreset"), start=1)
        for seed in (0, 1)
    ]


def test_repeats_are_averaged(tmp_path):
    picture = learning_curves(_runs())
    assert "random: 0.250 [0.179, 0.321] at 100" in picture.html
    assert "coreset: 0.450" in picture.html
    assert picture.save(tmp_path / "curves.html").read_text() == picture.html


def test_a_notebook_shows_it_in_a_frame_of_its_own():
    picture = learning_curves(_runs())
    shown = picture._repr_html_()
    inside = shown.split('srcdoc="')[1].split('"')[0]
    assert html.unescape(inside) == picture.html


def test_what_is_no_one_chart():
    with pytest.raises(UserError, match="no runs"):
        learning_curves([])
    with pytest.raises(UserError, match="lake, pond"):
        learning_curves(_runs() + _runs("lake"))
