from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from antiphon.active.baseal.results import read_submission
from antiphon.active.baseal.submission import (
    Header,
    submission_fields,
    submission_name,
    write_submission,
)
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.record import Cycle, Run
from antiphon.active.learner.schedule import Schedule
from antiphon.errors import UserError
from tests.active.baseal.heads import small_set

WHEN = datetime(2026, 3, 22, 15, 57, 31)
HEADER = Header("lastname", "INST")

# The task page's example, its first and last lines, as text: order and form of every field.
SHAPE = """\
submission_timestamp: '2026-03-22T15:57:31'
author_lastname: lastname
institute_abbreviation: INST
sampling_strategy: margin
dataset: HSN
model: perch_v2
config:
  learning_rate: 0.001
  model_parameters: 1000
  n_outer_repeats: 2
  pretrain_samples: 0
learning_curve:
- cycle: 1
  n_labeled: 50
  mAP_mean: 0.3
  mAP_sd: 0.1
  aulc_mAP_mean: 0.15
  aulc_mAP_sd: 0.05
  annotation_cost: 20
  sampling_time_s_mean: 0.002
  sampling_time_s_sd: 0.001
- cycle: 2
  n_labeled: 100
  mAP_mean: 0.45
  mAP_sd: 0.05
  aulc_mAP_mean: 0.2625
  aulc_mAP_sd: 0.0625
  annotation_cost: 30
  sampling_time_s_mean: 0.003
  sampling_time_s_sd: 0.0
supplementary:
  n_cycles: 2
  n_outer_repeats: 2
  total_annotation_cost_mean: 55.0
  total_annotation_cost_sd: 5.0
  total_sampling_time_s_mean: 0.005
  total_sampling_time_s_sd: 0.001
  computational_cost:
    model_parameters: 1000
    epochs_per_cycle: 10
    n_cycles: 2
    cost_method: 20000
    baseline_n_cycles: 2
    baseline_cost: 40000
    relative_cost: 0.5
"""


def cycle(number: int, quality: float, events: int, seconds: float) -> Cycle:
    return Cycle(
        cycle=number,
        n_labelled=50 * number,
        rows=tuple(range(50 * (number - 1), 50 * number)),
        events=events,
        mAP=quality,
        accuracy=quality / 2,
        f1=quality / 4,
        calibration_error=0.1,
        loss=0.2,
        select_s=seconds,
        predict_s=0.0,
        train_s=0.0,
        judge_s=0.0,
    )


def run(seed: int, *cycles: Cycle) -> Run:
    return Run(
        dataset="HSN",
        domain="BirdSet",
        key="k",
        strategy="margin",
        seed=seed,
        config=LoopConfig(budget=100),
        parameters=1000,
        baseline_parameters=2000,
        n_pool=300,
        n_judges=100,
        n_labels=5,
        without_positives=0,
        cycles=cycles,
    )


RUNS = [
    run(0, cycle(1, 0.2, 20, 0.001), cycle(2, 0.4, 30, 0.003)),
    run(1, cycle(1, 0.4, 25, 0.003), cycle(2, 0.5, 35, 0.003)),
]


def test_the_aggregated_form_field_for_field(tmp_path: Path) -> None:
    """Means, deviations (divided by n), areas and costs by hand."""
    path = write_submission(RUNS, tmp_path, HEADER, when=WHEN)
    assert path.name == "margin_HSN_lastname.yaml"
    assert path.read_text(encoding="utf-8") == SHAPE
    found = read_submission(path)
    assert (found.repeats, found.curve[-1].aulc, found.relative_cost) == (2, 0.2625, 0.5)


def test_the_export_form(tmp_path: Path) -> None:
    path = write_submission(RUNS[:1], tmp_path, HEADER, form="export", when=WHEN)
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(fields["config"]) == [
        "learning_rate",
        "model_parameters",
        "repeats",
        "pretrain_samples",
    ]
    assert fields["learning_curve"][1] == {
        "cycle": 2,
        "accuracy": 0.2,
        "f1_score": 0.1,
        "mAP": 0.4,
        "accuracy_sd": 0.0,
        "f1_score_sd": 0.0,
        "mAP_sd": 0.0,
        "n_labeled": 100,
        "epochs": 10,
        "batch_size": 32,
        "sampling_time_s": 0.003,
        "annotation_cost": 30,
        "aulc_mAP": 0.2,
        "aulc_accuracy": 0.1,
        "aulc_f1_score": 0.05,
    }
    assert list(fields["supplementary"]) == [
        "n_cycles",
        "total_sampling_time_s",
        "total_annotation_cost",
        "computational_cost",
    ]
    assert fields["supplementary"]["total_annotation_cost"] == 50
    found = read_submission(path)
    assert (found.form, found.annotation_cost, found.sampling_s) == ("export", 50, 0.004)


def test_the_baseline_as_baseal_reckons_it() -> None:
    """BaseAL: budget // 32 cycles of the same head; the page: batches of 50, a full-width head."""
    page = submission_fields(RUNS, HEADER)["supplementary"]["computational_cost"]
    assert (page["baseline_n_cycles"], page["relative_cost"]) == (2, 0.5)
    assert page["relative_cost"] == pytest.approx(RUNS[0].relative_cost())
    compat = submission_fields(RUNS, HEADER, compat=True)["supplementary"]["computational_cost"]
    assert (compat["baseline_n_cycles"], compat["relative_cost"]) == (3, round(2 / 3, 4))


def test_results_of_real_runs(tmp_path: Path) -> None:
    config = LoopConfig(budget=40, schedule=Schedule((10,)), epochs=2, hidden=6)
    runs = [run_loop(small_set(multilabel=True), "coreset", config, seed) for seed in range(3)]
    found = read_submission(write_submission(runs, tmp_path, replace(HEADER, dataset="a/B")))
    assert found.path.name == "coreset_a_B_lastname.yaml"
    areas = [one.aulc() for one in runs]
    assert found.curve[-1].aulc == pytest.approx(np.mean(areas), abs=1e-6)
    assert found.curve[-1].aulc_sd == pytest.approx(np.std(areas), abs=1e-6)
    assert found.annotation_cost == pytest.approx(np.mean([r.events() for r in runs]), abs=0.01)


def test_runs_of_different_length_are_cut() -> None:
    short = replace(RUNS[1], cycles=RUNS[1].cycles[:1])
    assert len(submission_fields([RUNS[0], short], HEADER)["learning_curve"]) == 1


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "no runs"),
        ([RUNS[0], replace(RUNS[1], strategy="random")], "differ in strategy"),
        ([RUNS[0], replace(RUNS[1], dataset="POW")], "differ in dataset"),
        ([RUNS[0], replace(RUNS[1], config=LoopConfig(epochs=3))], "differ in config"),
        ([replace(RUNS[0], cycles=())], "has no cycles"),
        ([RUNS[0], run(1, cycle(2, 0.1, 1, 0.1))], "have 50 to 100 labels after cycle 1"),
    ],
)
def test_runs_that_are_no_result(runs: list[Run], message: str) -> None:
    with pytest.raises(UserError, match=message):
        submission_fields(runs, HEADER)


def test_names_of_files() -> None:
    assert submission_name("a b/c", "BirdSet_BASEAL/HSN_BASEAL", "van Dyck") == (
        "a-b_c_BirdSet_BASEAL_HSN_BASEAL_van-Dyck.yaml"
    )
    assert submission_name("m", "d", "Müller") == "m_d_Müller.yaml"
    with pytest.raises(UserError, match="last name is empty"):
        submission_name("m", "d", " ")
