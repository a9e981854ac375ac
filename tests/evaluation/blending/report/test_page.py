"""The page and its numbers."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html.parser import HTMLParser

import pytest

from antiphon.errors import FileError
from antiphon.evaluation.blending.choosing.postprocess import parse_step
from antiphon.evaluation.blending.evaluate import evaluate
from antiphon.evaluation.blending.files.submission import read_scores, read_truth
from antiphon.evaluation.blending.report.number_text import signed
from antiphon.evaluation.blending.report.page import render, write_report
from antiphon.evaluation.blending.report.wording import verdicts
from antiphon.evaluation.blending.settings import Settings
from antiphon.evaluation.blending.simulation.files import write_world
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, ModelRecipe, simulate
from antiphon.evaluation.blending.trust.provenance import Declaration

QUICK = {"replicates": 200, "n_splits": 100}
VOID = {"meta", "input", "link", "br", "img", "hr"}


class _Balance(HTMLParser):
    """Fails where a tag is closed that was not opened last."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    models = (*DEFAULT_MODELS[:2], ModelRecipe("<leaky>", 2.0, leak=2.0))
    world = simulate(
        models, seed=9, n_files=30, n_unlabelled=40, n_classes=18, n_sites=3, n_canaries=3
    )
    folder = tmp_path_factory.mktemp("world")
    files = write_world(world, folder)
    scores = [read_scores(p) for p in files.scores]
    settings = Settings(
        declared={"<leaky>": Declaration(frozenset(world.trained_on["<leaky>"]))},
        search="grid",
        canaries=world.canaries,
        steps=(parse_step("smooth"),),
        taxa=dict(zip(world.classes, world.taxa, strict=True)),
        **QUICK,
    )
    return evaluate(scores, read_truth(files.truth), settings), scores, read_truth(files.truth)


def test_the_page_is_well_formed_and_complete(found):
    page = render(found[0], when=datetime(2026, 1, 2, 3, 4))
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    assert "2026-01-02 03:04" in page
    for section in (
        "Summary",
        "What may be judged",
        "Models and blends",
        "What each model brings",
        "Weights",
        "Steps after the blend",
        "Public and private board",
        "Classes, worst first",
        "Taxa, sites, hours",
    ):
        assert f". {section}</h2>" in page
    body = page[page.index("<body>") : page.index("<script>")]
    assert not re.search(r"\bnan\b", body)


def test_what_is_not_evaluable_is_red_and_escaped_and_first(found):
    page = render(found[0])
    assert "<leaky>" not in page
    red = re.findall(r'<span style="color:#d32f2f[^"]*">([^<]*)</span>', page)
    assert any("&lt;leaky&gt; is not evaluable" in text for text in red)
    assert verdicts(found[0])[0].warning
    assert page.index("is not evaluable") < page.index("Macro ROC-AUC with its 95 %")


def test_numbers_are_written_beside_the_page(found, tmp_path):
    page, numbers = write_report(found[0], tmp_path / "new" / "folder")
    data = json.loads(numbers.read_text())
    assert data["chosen"] == found[0].chosen.name
    assert f"{data['systems'][-1]['auc']:.4f}" in page.read_text()
    assert [c["standing"] for c in data["components"]] == ["judged", "judged", "not evaluable"]
    assert data["components"][2]["canary"]["n_classes"] == 3
    assert len(data["breakdown"]["classes"]) == data["scored_classes"]
    assert sorted(p.name for p in page.parent.iterdir()) == ["report.html", "report.json"]


def test_a_folder_that_cannot_be(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        write_report(found[0], tmp_path / "file")


def test_sections_without_content_are_left_out(found):
    _, scores, truth = found
    page = render(evaluate(scores[:1], truth, Settings(**QUICK)))
    for absent in ("What each model brings", ". Weights</h2>", "Steps after the blend"):
        assert absent not in page
    assert "there is no other model to compare with" in page


def test_signs_are_written_only_for_what_is_not_zero():
    assert signed(0.00004) == signed(-0.00004) == "0.0000"
    assert signed(0.0042) == "+0.0042"
    assert signed(-0.0042) == "−0.0042"
    assert signed(float("nan")) == "–"
