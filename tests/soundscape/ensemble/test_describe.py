"""Ensembles in words, and weights by class and taxon."""

from __future__ import annotations

import pytest

from antiphon.errors import UserError
from antiphon.soundscape.ensemble.describe import describe, effective_weights
from antiphon.soundscape.ensemble.tree import Tree
from tests.soundscape.ensemble.making import config_of

GROUPS = {"g": {"kind": "logit", "of": {"x": 1, "y": {"Aves": 3, "default": 1}}}}
BLEND = {"kind": "probability", "of": {"g": 1, "z": {"Insecta": 4, "Aves": 1}}}


def test_a_column_for_each_taxon_with_a_weight_of_its_own():
    config = config_of(BLEND, groups=GROUPS)
    found = {one.member: one.weights for one in effective_weights(config)}
    assert found["x"] == pytest.approx({"Aves": 0.5 / 4, "Insecta": 0.2 / 2, "default": None})
    assert found["y"] == pytest.approx({"Aves": 0.5 * 3 / 4, "Insecta": 0.1, "default": None})
    assert found["z"] == pytest.approx({"Aves": 0.5, "Insecta": 0.8, "default": None})
    assert [one.branch for one in effective_weights(config)] == [
        ("blend", "g"),
        ("blend", "g"),
        ("blend",),
    ]
    text = describe(config)
    assert "z       0.5000  0.8000   -        1         z.yaml" in text
    assert "    y: Aves 3, default 1" in text
    assert "none; no blend compares windows" in text


def test_reference_and_steps_are_told(tmp_path):
    config = config_of(
        {"of": {"x": 1}}, reference=tmp_path / "r.safetensors", postprocess=["smooth"], prior=0.1
    )
    text = describe(config.model_copy(update={"unreached": "prior"}))
    assert "reference r.safetensors" in text
    assert "steps: smooth" in text
    assert "the prior (0.1)" in text


@pytest.mark.parametrize(
    ("weight", "taxa", "words"),
    [
        ({"Aves": 1}, None, "'x' name Aves.*Give the taxonomy"),
        ({"Avis": 1, "default": 1}, ("Aves", "Aves"), "'x' name Avis.*nor a taxon"),
        ({"a": 1}, None, "'x' has no weight for the class b; add a default"),
        ({"a": 0, "b": 1}, None, "all weights are 0 for 1 class: a"),
    ],
)
def test_weights_that_fit_no_class_are_refused(weight, taxa, words):
    config = config_of({"of": {"x": weight}})
    with pytest.raises(UserError, match=words):
        Tree.of(config, ("a", "b"), taxa)
