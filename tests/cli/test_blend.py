"""The verb blend, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.evaluation.blending.scoring.auc import macro_auc
from antiphon.evaluation.blending.simulation.files import problem_of, write_world
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, ModelRecipe, simulate

QUICK = ("--replicates", 200)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    models = (*DEFAULT_MODELS[:2], ModelRecipe("leaky", 2.0, leak=2.0))
    world = simulate(
        models, seed=10, n_files=30, n_unlabelled=40, n_classes=14, n_sites=3, n_canaries=2
    )
    return world, write_world(world, tmp_path_factory.mktemp("world"))


def _call(files, *more):
    return (*files.scores, "--truth", files.truth, *QUICK, *more)


def test_from_scores_to_report_and_submission(antiphon, made, tmp_path):
    world, files = made
    out, blend = tmp_path / "report", tmp_path / "blend" / "submission.csv"
    ran = antiphon(
        "blend",
        *_call(files, "--trained-on", f"leaky={files.trained_on['leaky']}"),
        *("--search", "--smooth", "0.1,0.8,0.1", "--step", "max:0.5@Aves"),
        *("--taxonomy", files.taxonomy, "--out", out, "--write", blend),
    )
    assert ran.code == 0, ran.err
    assert "Warning: leaky is not evaluable and left out" in ran.err
    rows = {row[0]: row for row in ran.rows("model")}
    assert rows["leaky"][1:4] == ["NOT EVALUABLE: left out", "not evaluable", "30"]
    assert rows["effnet-b0"][1] == "judged"
    systems = [row[0] for row in ran.rows("system")]
    assert "leaky" not in systems
    assert systems[0].endswith("+ 2 steps")
    assert (out / "report.html").is_file()
    data = json.loads((out / "report.json").read_text())
    assert data["chosen"] in systems
    written = read_scores(blend)
    assert len(written.rows) == len(world.rows)
    problem = problem_of(world)
    place = [written.rows.index(row) for row in problem.rows]
    area = float(macro_auc(written.score[place], problem.truth))
    assert area == pytest.approx(data["systems"][-1]["auc"], abs=1e-9)


def test_without_a_declaration_the_leak_is_suspected(antiphon, made):
    _, files = made
    ran = antiphon("blend", *_call(files))
    assert ran.code == 0, ran.err
    assert "leaky is suspected of a leak" in ran.err
    assert {row[0]: row[1] for row in ran.rows("model")}["leaky"] == "SUSPECTED: left out"


def test_a_map_or_keep_brings_it_back(antiphon, made, tmp_path):
    world, files = made
    lines = [f"{name}.ogg,{k % 5}" for k, name in enumerate(world.trained_on["leaky"])]
    folds = tmp_path / "folds.csv"
    folds.write_text("\n".join(["filename,fold", *lines]) + "\n")
    trained = ("--trained-on", f"leaky={files.trained_on['leaky']}")
    ran = antiphon("blend", *_call(files, *trained, "--out-of-fold", f"leaky={folds}"))
    assert {row[0]: row[2] for row in ran.rows("model")}["leaky"] == "out of fold"
    assert "leaky" in [row[0] for row in ran.rows("system")]
    ran = antiphon("blend", *_call(files, *trained, "--keep", "leaky"))
    assert "NOT EVALUABLE: kept, as asked" in ran.out
    assert "leaky" in [row[0] for row in ran.rows("system")]


def test_json_names_and_weights(antiphon, made):
    _, files = made
    named = (f"a={files.scores[0]}", f"b={files.scores[1]}", "--truth", files.truth, *QUICK)
    declared = ("--trained-on", "a=none", "--trained-on", "b=none")
    ran = antiphon("blend", *named, *declared, "--weights", "b=1,a=3", "--blend", "prob", "--json")
    assert ran.code == 0, ran.err
    data = json.loads(ran.out)
    assert data["weights"] == {"a": 0.75, "b": 0.25}
    assert data["chosen"] == "weighted probability"
    assert [c["provenance"]["status"] for c in data["components"]] == ["held out"] * 2
    again = antiphon("blend", *named, "--weights", "3,1", "--json")
    assert json.loads(again.out)["weights"] == data["weights"]


def test_canaries_are_read_from_a_list(antiphon, made, tmp_path):
    world, files = made
    names = tmp_path / "canaries.txt"
    names.write_text("# none of these\n" + "\n".join(world.canaries) + "\n")
    ran = antiphon("blend", *_call(files, "--canaries", names, "--json"))
    assert json.loads(ran.out)["components"][0]["canary"]["n_classes"] == 2


def test_scores_that_are_not_numbers_name_row_and_class(antiphon, made, tmp_path):
    world, files = made
    lines = files.scores[0].read_text().splitlines()
    cells = lines[5].split(",")
    lines[5] = ",".join([cells[0], "nan", *cells[2:]])
    broken = tmp_path / "broken.csv"
    broken.write_text("\n".join(lines) + "\n")
    ran = antiphon("blend", broken, files.scores[1], "--truth", files.truth)
    assert ran.code == 2
    assert world.rows[4] in ran.err
    assert world.classes[0] in ran.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--trained-on", "leaky"), "is not MODEL=FILE"),
        (("--trained-on", "other=none"), "the models are effnet-b0"),
        (("--trained-on", "leaky=gone.txt"), "there is no such file"),
        (("--weights", "1,2"), "2 numbers for 3 models"),
        (("--weights", "1,2,x"), "'x' is no number"),
        (("--weights", "1,2,3", "--search"), "not both"),
        (("--greedy",), "add --search"),
        (("--search", "--blend", "logit"), "is for rank blends"),
        (("--blend", "mode"), "There are: rank"),
        (("--step", "blur"), "is no step"),
        (("--public-share", "1"), "between 0 and 1"),
        (("--unlisted", "maybe"), "is none of"),
        (("--keep", "lekay"), "the models are"),
        (("--site-pattern", "("), "is not valid"),
        (("--write", "blend.txt"), "it is none of"),
    ],
)
def test_mistakes_are_told_in_a_sentence(antiphon, made, more, said):
    ran = antiphon("blend", *_call(made[1], *more))
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_two_files_of_one_name_need_names(antiphon, made, tmp_path):
    _, files = made
    other = tmp_path / files.scores[0].name
    other.write_bytes(files.scores[1].read_bytes())
    ran = antiphon("blend", files.scores[0], other, "--truth", files.truth)
    assert ran.code == 2
    assert "name them apart" in ran.err
    ran = antiphon("blend", files.scores[0], f"x={other}", "--truth", files.truth, *QUICK)
    assert ran.code == 0, ran.err
    assert np.isin(["effnet-b0", "x"], [row[0] for row in ran.rows("model")]).all()


def test_a_heading_in_another_encoding_and_a_place_that_cannot_be(antiphon, made, tmp_path):
    world, files = made
    odd = tmp_path / "odd.csv"
    name = world.classes[0].encode()
    odd.write_bytes(files.scores[0].read_bytes().replace(name, b"\xf6", 1))
    ran = antiphon("blend", odd, "--truth", files.truth)
    assert ran.code == 2
    assert "not text in UTF-8" in ran.err
    ran = antiphon("blend", *_call(files, "--write", odd / "blend.csv"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
