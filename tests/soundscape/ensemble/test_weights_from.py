"""Weights of antiphon blend in the file of an ensemble."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.choosing.postprocess import parse_step
from antiphon.evaluation.blending.evaluate import evaluate
from antiphon.evaluation.blending.files.submission import ScoreFile, read_truth
from antiphon.evaluation.blending.settings import Settings
from antiphon.soundscape.ensemble.config import read_ensemble
from antiphon.soundscape.ensemble.weights_from import read_blend_report, take_weights

ENSEMBLE = {
    "name": "three",
    "classes": "sample.csv",
    "members": [
        {"name": "x", "model": "nets/x.yaml"},
        {"name": "y", "model": "nets/y.yaml"},
        {"name": "p", "encoder": "perch_v2", "head": "p.safetensors"},
    ],
    "groups": {"cnn": {"kind": "probability", "of": {"x": 1, "y": 1}}},
    "blend": {"kind": "rank", "of": {"cnn": 1, "p": 1}},
}


def _report(weights, *, kind="rank", steps=(), standing=None, kept=()):
    standing = standing or {}
    return {
        "kind": kind,
        "weights": weights,
        "steps": [{"step": step} for step in steps],
        "components": [
            {"name": n, "standing": standing.get(n, "judged"), "kept": n in kept}
            for n in {**weights, **standing}
        ],
    }


def _write(folder, report, **changes):
    (folder / "e.yaml").write_text(yaml.safe_dump({**ENSEMBLE, **changes}))
    (folder / "report.json").write_text(json.dumps(report))
    return folder / "e.yaml", folder / "report.json"


def test_weights_kind_and_steps_are_taken(tmp_path):
    ensemble, report = _write(tmp_path, _report({"cnn": 0.8, "p": 0.2}, steps=["mean:0.5"]))
    out = tmp_path / "deeper" / "new.yaml"
    notes = take_weights(ensemble, report, out)
    found = read_ensemble(out)
    assert found.blend.of == {"cnn": 0.8, "p": 0.2}
    assert found.postprocess == ()
    assert notes == ["The steps of the report were not taken: mean:0.5."]
    # The files are the same ones, seen from the new folder.
    assert found.member("x").model.resolve() == tmp_path / "nets/x.yaml"
    assert found.classes.resolve() == tmp_path / "sample.csv"
    assert found.member("p").encoder == "perch_v2"
    assert take_weights(ensemble, report, ensemble, steps=True) == []
    assert read_ensemble(ensemble).postprocess == ("mean:0.5",)


def test_a_member_of_weight_0_is_taken_out_with_what_only_it_uses(tmp_path):
    ensemble, report = _write(tmp_path, _report({"cnn": 0.0, "p": 1.0}))
    notes = take_weights(ensemble, report, ensemble)
    assert [m.name for m in read_ensemble(ensemble).members] == ["p"]
    assert notes == ["'cnn' has weight 0 and was taken out."]


def test_weights_of_a_group(tmp_path):
    ensemble, report = _write(
        tmp_path,
        _report({"x": 0.3, "y": 0.7}, kind="geometric", kept=["y"], standing={"y": "suspected"}),
        reference="r.safetensors",
    )
    notes = take_weights(ensemble, report, ensemble, node="cnn")
    found = read_ensemble(ensemble)
    assert (found.groups["cnn"].kind, found.groups["cnn"].of) == ("geometric", {"x": 0.3, "y": 0.7})
    assert found.blend.of == {"cnn": 1, "p": 1}
    assert "made for other weights" in notes[0]
    assert "'y' has its weight although it was suspected" in notes[1]


def test_reports_of_other_models_are_refused(tmp_path):
    ensemble, report = _write(tmp_path, _report({"cnn": 0.5, "probe": 0.5}))
    with pytest.raises(UserError, match=r"no weight to 'p'.*not judged"):
        take_weights(ensemble, report, ensemble)
    _write(tmp_path, _report({"cnn": 1.0}, standing={"p": "not evaluable"}))
    with pytest.raises(UserError, match=r"no weight to 'p'.*it was not evaluable"):
        take_weights(ensemble, report, ensemble)
    _write(tmp_path, _report({"cnn": 0.5, "p": 0.25, "pp": 0.25}))
    with pytest.raises(UserError, match=r"weight to 'pp'.*Did you mean 'p'"):
        take_weights(ensemble, report, ensemble)
    with pytest.raises(UserError, match=r"no blend 'cn'.*Did you mean 'cnn'"):
        take_weights(ensemble, report, ensemble, node="cn")


def test_other_files_are_no_reports(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("{}")
    with pytest.raises(FormatError, match="no report of antiphon blend"):
        read_blend_report(path)
    path.write_text(json.dumps(_report({"x": -1.0})))
    with pytest.raises(FormatError, match="weights are none"):
        read_blend_report(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_blend_report(tmp_path / "none.json")


def test_the_evaluators_own_report_can_be_read(tmp_path):
    rng = np.random.default_rng(0)
    rows = tuple(f"r{f}_{5 * k}" for f in range(8) for k in range(1, 5))
    present = rng.random((len(rows), 2)) < 0.4
    files = [
        ScoreFile(
            tmp_path / f"{name}.csv",
            rows,
            ("a", "b"),
            np.clip(0.3 * present + 0.7 * rng.random(present.shape), 0, 1),
            name,
        )
        for name in ("cnn", "p")
    ]
    table = tmp_path / "t.csv"
    lines = [
        f"{row.split('_')[0]},{int(row.split('_')[1]) - 5},{row.split('_')[1]},"
        + ";".join(c for c, here in zip("ab", some, strict=True) if here)
        for row, some in zip(rows, present, strict=True)
    ]
    table.write_text("filename,start,end,primary_label\n" + "\n".join(lines) + "\n")
    truth = read_truth(table)
    settings = Settings(
        weights={"cnn": 3, "p": 1}, steps=(parse_step("smooth"),), replicates=100, n_splits=20
    )
    found = evaluate(files, truth, settings)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(found.to_json()))
    report = read_blend_report(path)
    assert report.weights == {"cnn": 0.75, "p": 0.25}
    assert (report.kind, report.steps) == ("rank", ("smooth:0.1,0.8,0.1",))
    assert set(report.standing) == {"cnn", "p"}
