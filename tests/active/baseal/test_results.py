from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.active.baseal.results import read_submission, running_area
from antiphon.errors import FileError, FormatError
from tests.active.baseal.yaml_files import results_fields, write_results


def test_running_area_is_the_trapezoid_from_zero() -> None:
    n, value = np.array([50, 100, 150, 250]), np.array([0.3, 0.5, 0.4, 0.6])
    found = running_area(n.tolist(), value.tolist())
    for i in range(4):
        x, y = np.r_[0, n[: i + 1]], np.r_[0, value[: i + 1]]
        assert found[i] == pytest.approx(np.trapezoid(y, x) / n[i])
    # With equal steps the last one is (sum - last / 2) / n.
    equal = running_area([50, 100, 150], [0.2, 0.4, 0.5])[-1]
    assert equal == pytest.approx((0.2 + 0.4 + 0.5 - 0.25) / 3)


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    found = read_submission(write_results(tmp_path / "a.yaml"))
    assert (found.form, found.strategy, found.dataset) == ("aggregated", "margin", "HSN_BASEAL")
    assert (found.author, found.institute, found.model) == ("lastname", "INST", "perch_v2")
    assert found.timestamp == "2026-03-22T15:57:31"
    assert found.repeats == 5
    assert [p.n_labelled for p in found.curve] == [50, 100]
    assert found.curve[1].mAP == 0.4
    assert found.curve[1].aulc == pytest.approx((7.5 + 17.5) / 100)
    assert found.curve[1].aulc_sd == 0.005
    assert (found.annotation_cost, found.relative_cost) == (60.0, 1.0)


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    fields = copy.deepcopy(results_fields())
    place = fields
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return fields


CURVE = "learning_curve"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("dataset",), None, "the field 'dataset' is missing"),
        (("datset",), "x", r"'datset' is not known. Did you mean 'dataset'\?"),
        (("sampling_strategy",), " ", "'sampling_strategy' is empty"),
        (("config", "model_parameters"), None, "config: the field 'model_parameters' is missing"),
        (("config", "n_outer_repeats"), 2.5, "n_outer_repeats: expected a whole number"),
        ((CURVE,), [], "expected a list"),
        ((CURVE, 0), 3, "learning_curve, cycle 1: expected fields, found int"),
        ((CURVE, 1, "cycle"), 3, "cycle is 3, expected 2"),
        ((CURVE, 1, "n_labeled"), 50, "n_labeled is 50, not more than the 50 before"),
        ((CURVE, 1, "mAP_mean"), "high", "mAP_mean: expected a number from 0 up, found 'high'"),
        ((CURVE, 1, "mAP_mean"), float("nan"), "mAP_mean: expected a number"),
        ((CURVE, 1, "mAP_mean"), 40.0, "mAP_mean: 40.0 is above 1"),
        ((CURVE, 1, "aulc_mAP_mean"), 0.3, "aulc_mAP_mean is 0.300000, but .* give 0.250000"),
        ((CURVE, 0, "sampling_time_s_sd"), None, "cycle 1: the field 'sampling_time_s_sd'"),
        (("supplementary", "n_cycles"), 3, "n_cycles is 3, but the rest gives 2"),
        (("supplementary", "n_outer_repeats"), 4, "n_outer_repeats is 4, but the rest gives 5"),
        (
            ("supplementary", "computational_cost", "cost_method"),
            7,
            "cost_method is 7.0, but the rest gives 20000",
        ),
        (
            ("supplementary", "computational_cost", "relative_cost"),
            2.0,
            "relative_cost is 2.0, but the rest gives 1.0",
        ),
    ],
)
def test_a_file_that_is_wrong(
    tmp_path: Path, path: tuple[Any, ...], value: Any, message: str
) -> None:
    file = write_results(tmp_path / "a.yaml", fields=changed(path, value))
    with pytest.raises(FormatError, match=rf"a\.yaml: .*{message}"):
        read_submission(file)


def test_unknown_fields_can_be_noted_instead(tmp_path: Path) -> None:
    file = write_results(tmp_path / "a.yaml", fields=changed(("remark",), "x"))
    assert read_submission(file, strict=False).notes == (
        "a.yaml: the field 'remark' is not known.",
    )


def test_files_that_are_no_results(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_submission(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(FormatError, match="holds no fields"):
        read_submission(tmp_path / "list.yaml")
    (tmp_path / "code.yaml").write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(FormatError, match="not valid YAML"):
        read_submission(tmp_path / "code.yaml")
