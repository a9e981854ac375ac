"""BERTScore and SPICE: stand-ins for the packages, with their real signatures."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from antiphon.language.benchmark import caption_models
from antiphon.language.benchmark.caption_models import bert_score, spice


def stand_in(monkeypatch, name, **content):
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    for key, value in content.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, name, module)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(caption_models, "_installed", lambda name: False)
    monkeypatch.setattr(caption_models.shutil, "which", lambda name: "/usr/bin/java")
    assert "bert-score" in bert_score(["a"], [["a"]])
    assert "pycocoevalcap" in spice(["a"], [["a"]])
    monkeypatch.setattr(caption_models.shutil, "which", lambda name: None)
    assert "Java" in spice(["a"], [["a"]])


def test_bert_score_takes_the_f1_of_each_caption(monkeypatch):
    def score(cands, refs, lang, verbose):
        assert (cands, refs, lang, verbose) == (["a", "b"], [["x"], ["y", "z"]], "en", False)
        return [0.1, 0.2], [0.3, 0.4], [0.5, 0.6]

    stand_in(monkeypatch, "bert_score", score=score)
    assert np.asarray(bert_score(["a", "b"], [["x"], ["y", "z"]])) == pytest.approx([0.5, 0.6])


def test_spice_takes_the_f_of_all_tuples(monkeypatch):
    class Spice:
        def compute_score(self, gts, res):
            assert (gts, res) == ({0: ["x"], 1: ["y"]}, {0: ["a"], 1: ["b"]})
            return 0.3, [{"All": {"f": 0.2}}, {"All": {"f": 0.4}}]

    for name in ("pycocoevalcap", "pycocoevalcap.spice"):
        stand_in(monkeypatch, name)
    stand_in(monkeypatch, "pycocoevalcap.spice.spice", Spice=Spice)
    monkeypatch.setattr(caption_models.shutil, "which", lambda name: "/usr/bin/java")
    assert np.asarray(spice(["a", "b"], [["x"], ["y"]])) == pytest.approx([0.2, 0.4])


def test_a_program_that_fails_is_a_reason(monkeypatch):
    def score(*_, **__):
        raise OSError("no network\nmore")

    stand_in(monkeypatch, "bert_score", score=score)
    assert bert_score(["a"], [["a"]]) == "it failed (OSError: no network)"
