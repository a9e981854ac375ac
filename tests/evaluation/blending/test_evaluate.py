"""The whole evaluation: who takes part, what is compared, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import FileError, UserError
from antiphon.evaluation.blending.choosing.postprocess import parse_step
from antiphon.evaluation.blending.evaluate import evaluate
from antiphon.evaluation.blending.files.submission import read_scores, read_truth
from antiphon.evaluation.blending.scoring.auc import macro_auc
from antiphon.evaluation.blending.scoring.blends import blend_scores
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks
from antiphon.evaluation.blending.settings import Settings
from antiphon.evaluation.blending.simulation.files import problem_of, write_world
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, ModelRecipe, simulate
from antiphon.evaluation.blending.trust.provenance import Declaration, OutOfFold

LEAKY = ModelRecipe("leaky", 2.0, leak=2.0)
QUICK = {"replicates": 200, "n_splits": 100}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    models = (*DEFAULT_MODELS[:3], LEAKY)
    world = simulate(
        models, seed=8, n_files=40, n_unlabelled=60, n_classes=24, n_sites=4, n_canaries=4
    )
    files = write_world(world, tmp_path_factory.mktemp("world"))
    return world, [read_scores(p) for p in files.scores], read_truth(files.truth)


def _declared(world, **more):
    return {"leaky": Declaration(frozenset(world.trained_on["leaky"])), **more}


def test_a_model_that_saw_the_recordings_is_out_of_everything(made):
    world, files, truth = made
    found = evaluate(files, truth, Settings(declared=_declared(world), search="grid", **QUICK))
    assert [c.standing for c in found.components] == ["judged"] * 3 + ["not evaluable"]
    names = [s.name for s in found.systems]
    assert "leaky" not in names
    assert set(found.weights) == set(found.search.models) == set(world.models[:3])
    assert "leaky" not in {s.model for s in found.shares}
    honest = problem_of(world).with_models(world.models[:3])
    equal = next(s for s in found.systems if s.name == "equal rank")
    wanted = macro_auc(blend_scores(honest.scores, "rank"), honest.truth)
    assert equal.auc == pytest.approx(wanted, abs=1e-12)
    assert "leaky" not in json.dumps(found.to_json()["systems"])


def test_undeclared_leaks_are_suspected_and_left_out_and_kept_if_asked(made):
    _, files, truth = made
    found = evaluate(files, truth, Settings(**QUICK))
    assert [c.standing for c in found.components] == ["judged"] * 3 + ["suspected"]
    assert not found.components[3].takes_part
    assert found.matched_by
    kept = evaluate(files, truth, Settings(keep=("leaky",), **QUICK))
    assert "leaky" in [s.name for s in kept.systems]
    assert kept.components[3].kept
    assert "flatters" in " ".join(kept.components[3].reasons)


def test_a_declaration_outweighs_the_test_but_the_disagreement_is_told(made):
    world, files, truth = made
    clean = {"leaky": Declaration(frozenset({"BC2026_Train_0900_S09_20240101_000000"}))}
    found = evaluate(files, truth, Settings(declared=clean, **QUICK))
    assert found.components[3].standing == "judged"
    assert "disagree" in " ".join(found.components[3].reasons)
    folds = {f: str(k % 2) for k, f in enumerate(world.trained_on["leaky"])}
    mapped = OutOfFold(Path("map.csv"), folds, {f: frozenset({k}) for f, k in folds.items()})
    held = _declared(world)["leaky"]
    found = evaluate(
        files, truth, Settings(declared={"leaky": replace(held, out_of_fold=mapped)}, **QUICK)
    )
    assert found.components[3].provenance.status == "out of fold"
    assert found.components[3].takes_part


def test_another_recording_of_the_same_day_at_the_same_site_is_told(made):
    world, files, truth = made
    one = world.files[0]
    neighbour = one[: one.rindex("_")] + "_235959"
    declared = {world.models[0]: Declaration(frozenset({neighbour}))}
    found = evaluate(files, truth, Settings(declared=declared, **QUICK))
    assert found.components[0].standing == "judged"
    assert "site and day" in found.components[0].warnings[0]


def test_systems_are_the_models_and_the_blends(made):
    world, files, truth = made
    settings = Settings(
        declared=_declared(world), weights={"effnet-b0": 3, "effnet-b3": 1}, **QUICK
    )
    found = evaluate(files, truth, settings)
    assert [s.name for s in found.systems] == [
        *world.models[:3],
        *(f"equal {k}" for k in ("rank", "probability", "logit", "zlogit", "geometric", "power")),
        "weighted rank",
    ]
    assert found.weights == {"effnet-b0": 0.75, "effnet-b3": 0.25, "perch-probe": 0.0}
    problem = problem_of(world)
    ranks = doubled_mid_ranks(problem.scores)
    wanted = macro_auc((3.0 * ranks[0] + ranks[1]), problem.truth)
    assert found.chosen.auc == pytest.approx(wanted, abs=1e-12)
    for system in found.systems:
        assert system.low <= system.high
        if system.delta is not None:
            equal = next(s for s in found.systems if s.name == "equal rank")
            assert system.delta.value == pytest.approx(system.auc - equal.auc, abs=1e-12)
            assert system.p_holm >= system.delta.p


def test_shares_reach_from_the_others_to_the_model_alone(made):
    world, files, truth = made
    found = evaluate(files, truth, Settings(declared=_declared(world), **QUICK))
    scores = {s.name: s.auc for s in found.systems}
    for share in found.shares:
        assert share.auc[-1] == pytest.approx(scores[share.model], abs=1e-12)
        without = share.auc[0]
        assert share.with_it.value == pytest.approx(scores["equal rank"] - without, abs=1e-12)
    assert found.crossing is None
    two = evaluate(files[:2], truth, Settings(**QUICK))
    assert two.crossing.best >= max(s.auc.max() for s in two.shares) - 1e-12
    assert two.crossing.near_low <= two.crossing.low <= two.crossing.high
    assert two.crossing.high <= two.crossing.near_high


def test_one_model_alone_is_judged_on_its_own_scale(made):
    _, files, truth = made
    found = evaluate(files[:1], truth, Settings(steps=(parse_step("prior"),), **QUICK))
    assert [s.name for s in found.systems] == ["effnet-b0", "effnet-b0 + 1 step"]
    assert found.shares == ()
    assert found.systems[0].delta is None
    rows, score = found.submission()
    plain = files[0].score[[files[0].rows.index(r) for r in rows]]
    assert (score <= plain + 1e-12).all()


def test_logits_can_only_be_blended_by_rank(made):
    _, files, truth = made
    logits = [replace(f, score=np.log(f.score / (1 - f.score))) for f in files[:2]]
    found = evaluate(logits, truth, Settings(**QUICK))
    assert [s.name for s in found.systems] == ["effnet-b0", "effnet-b3", "equal rank"]
    with pytest.raises(UserError, match="needs probabilities"):
        evaluate(logits, truth, Settings(kind="logit", **QUICK))


def test_what_is_written_is_what_was_judged(made):
    world, files, truth = made
    steps = (parse_step("smooth"), parse_step("mean:0.2"))
    found = evaluate(files, truth, Settings(declared=_declared(world), steps=steps, **QUICK))
    rows, score = found.submission()
    assert len(rows) == 100 * 12
    place = {row: i for i, row in enumerate(rows)}
    judged = score[[place[row] for row in found.problem.rows]]
    assert np.allclose(judged, found.score, atol=1e-12)
    assert float(macro_auc(judged, found.problem.truth)) == pytest.approx(found.chosen.auc)
    assert found.chosen.auc == found.stages[-1].auc


def test_windows_that_only_some_models_scored(made):
    world, files, truth = made
    labelled = {f for f, known in zip(world.files, world.labelled, strict=True) if known}
    keep = [i for i, r in enumerate(files[1].rows) if r.rpartition("_")[0] in labelled]
    short = replace(
        files[1], rows=tuple(files[1].rows[i] for i in keep), score=files[1].score[keep]
    )
    found = evaluate([files[0], short], truth, Settings(**QUICK))
    assert found.n_unlabelled == 0
    assert found.components[0].membership is None
    with pytest.raises(UserError, match="720 windows without truth"):
        found.submission()
    gone = replace(short, rows=short.rows[1:], score=short.score[1:])
    with pytest.raises(FileError, match="1 row missing"):
        evaluate([files[0], gone], truth, Settings(**QUICK))


def test_settings_that_do_not_fit(made):
    world, files, truth = made
    declared = _declared(world)
    cases = [
        ({"keep": ("lekay",)}, "To be kept is lekay"),
        ({"weights": {"x": 1}}, "weights for x"),
        ({"weights": {"leaky": 1}}, "leaky cannot have a weight"),
        ({"weights": {"effnet-b0": 0}}, "one must be above 0"),
        ({"canaries": ("unicorn",)}, "unicorn"),
        ({"steps": (parse_step("max:1@Aves"),)}, "taxonomy"),
    ]
    for more, said in cases:
        with pytest.raises(UserError, match=said):
            evaluate(files, truth, Settings(declared=declared, **more, **QUICK))
    with pytest.raises(UserError, match="No model may take part: leaky"):
        evaluate(files[3:], truth, Settings(declared=declared, **QUICK))
    with pytest.raises(UserError, match="no score file"):
        evaluate([], truth, Settings(**QUICK))


def test_equal_seeds_give_equal_numbers(made):
    world, files, truth = made
    settings = Settings(declared=_declared(world), search="grid", canaries=world.canaries, **QUICK)
    first, again = (evaluate(files, truth, settings).to_json() for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(again, allow_nan=False)


def test_two_recordings_and_one_split_still_give_plain_numbers(made):
    world, files, truth = made
    names = set(world.files[:2])
    rows = [i for i, name in enumerate(truth.files) if name in names]
    few = replace(
        truth,
        **{
            part: tuple(getattr(truth, part)[i] for i in rows)
            for part in ("rows", "files", "start_s", "end_s", "labels")
        },
    )
    found = evaluate(files[:2], few, Settings(replicates=100, n_splits=1))
    assert "2 recordings that judge" in found.components[0].membership.note
    json.dumps(found.to_json(), allow_nan=False)
