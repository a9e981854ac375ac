"""Report data as plain JSON values, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import numpy as np

from antiphon.pipeline.report.data import (
    Calibration,
    ClassQuality,
    Estimate,
    PrecisionRecall,
    Quality,
)


def to_json(value: Any) -> Any:
    """Return report data as plain JSON values; NaN becomes null, arrays become lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def quality_from_json(value: Mapping[str, Any]) -> Quality:
    """Return an evaluation from what :func:`to_json` made of it.

    Raises
    ------
    KeyError, TypeError
        If the value is not one.
    """
    facts = dict(value)
    facts["classes"] = tuple(_class(entry) for entry in facts["classes"])
    facts["leakage"] = tuple(facts["leakage"])
    for name in ("macro_average_precision", "macro_roc_auc"):
        facts[name] = _estimate(facts[name])
    if facts["calibration"] is not None:
        bins = facts["calibration"]
        facts["calibration"] = Calibration(
            **{name: _floats(bins[name]) for name in ("predicted", "observed", "low", "high")},
            count=np.array(bins["count"], np.int64),
            error=_number(bins["error"]),
        )
    return Quality(**facts)


def _class(value: Mapping[str, Any]) -> ClassQuality:
    facts = dict(value)
    for name in ("average_precision", "roc_auc", "precision", "recall"):
        facts[name] = _estimate(facts[name])
    if facts["curve"] is not None:
        curve = dict(facts["curve"])
        prevalence = curve.pop("prevalence")
        facts["curve"] = PrecisionRecall(
            **{name: _floats(values) for name, values in curve.items()},
            prevalence=_float(prevalence),
        )
    return ClassQuality(**facts)


def _estimate(value: Mapping[str, Any] | None) -> Estimate | None:
    return None if value is None else _number(value)


def _number(value: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_float(value[name]) for name in ("value", "low", "high")))


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _floats(values: list[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([_float(v) for v in values], np.float64)
