"""The fields of a results file (YAML), in their order.

The aggregated form is that of the task page, with means and deviations over independent runs; the
other is what BaseAL's ``learner.export()`` writes for one learner.
"""

from __future__ import annotations

from typing import Literal

Form = Literal["aggregated", "export"]

HEADER = (
    "submission_timestamp",
    "author_lastname",
    "institute_abbreviation",
    "sampling_strategy",
    "dataset",
    "model",
    "config",
    "learning_curve",
    "supplementary",
)
CONFIG: dict[Form, tuple[str, ...]] = {
    "aggregated": ("learning_rate", "model_parameters", "n_outer_repeats", "pretrain_samples"),
    "export": ("learning_rate", "model_parameters", "repeats", "pretrain_samples"),
}
CURVE: dict[Form, tuple[str, ...]] = {
    "aggregated": (
        "cycle",
        "n_labeled",
        "mAP_mean",
        "mAP_sd",
        "aulc_mAP_mean",
        "aulc_mAP_sd",
        "annotation_cost",
        "sampling_time_s_mean",
        "sampling_time_s_sd",
    ),
    "export": (
        "cycle",
        "accuracy",
        "f1_score",
        "mAP",
        "accuracy_sd",
        "f1_score_sd",
        "mAP_sd",
        "n_labeled",
        "epochs",
        "batch_size",
        "sampling_time_s",
        "annotation_cost",
        "aulc_mAP",
        "aulc_accuracy",
        "aulc_f1_score",
    ),
}
SUPPLEMENTARY: dict[Form, tuple[str, ...]] = {
    "aggregated": (
        "n_cycles",
        "n_outer_repeats",
        "total_annotation_cost_mean",
        "total_annotation_cost_sd",
        "total_sampling_time_s_mean",
        "total_sampling_time_s_sd",
        "computational_cost",
    ),
    "export": (
        "n_cycles",
        "total_sampling_time_s",
        "total_annotation_cost",
        "computational_cost",
    ),
}
COST = (
    "model_parameters",
    "epochs_per_cycle",
    "n_cycles",
    "cost_method",
    "baseline_n_cycles",
    "baseline_cost",
    "relative_cost",
)
