"""Ensembles as they are written: what is refused, and in what words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from antiphon.errors import FormatError
from antiphon.soundscape.ensemble.config import BlendConfig, read_ensemble

GOOD = {
    "name": "two",
    "classes": ["a", "1491113"],
    "members": [
        {"name": "cnn", "model": "nets/cnn.yaml"},
        {"name": "probe", "encoder": "enc/own.yaml", "head": "probe.safetensors", "priority": 2},
    ],
    "blend": {"kind": "rank", "of": {"cnn": 0.8, "probe": 0.2}},
}


def _write(folder, **changes):
    path = folder / "e.yaml"
    data = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    path.write_text(yaml.safe_dump(data))
    return path


def test_paths_are_relative_to_the_file(tmp_path):
    found = read_ensemble(
        _write(
            tmp_path, classes="s.csv", taxonomy="t.csv", reference="r.safetensors", prior="p.csv"
        )
    )
    assert found.member("cnn").model == tmp_path / "nets/cnn.yaml"
    assert found.member("probe").encoder == str(tmp_path / "enc/own.yaml")
    assert found.member("probe").head == tmp_path / "probe.safetensors"
    assert found.classes == tmp_path / "s.csv"
    assert (found.taxonomy, found.reference) == (tmp_path / "t.csv", tmp_path / "r.safetensors")
    assert found.prior == tmp_path / "p.csv"


def test_a_registered_encoder_is_no_path(tmp_path):
    members = [{"name": "p", "encoder": "perch_v2", "head": "h.safetensors"}]
    found = read_ensemble(_write(tmp_path, members=members, blend=None))
    assert found.member("p").encoder == "perch_v2"


def test_one_member_needs_no_blend(tmp_path):
    found = read_ensemble(_write(tmp_path, members=GOOD["members"][:1], blend=None))
    assert found.nodes == {"blend": BlendConfig(kind="probability", of={"cnn": 1.0})}


CNN, PROBE = GOOD["members"]
FAULTS = {
    "unknown key": ({"postproces": []}, r"'postproces'.*'postprocess'"),
    "unknown member key": (
        {"members": [{**CNN, "prioritiy": 2}, PROBE]},
        r"'members.0.prioritiy'.*'priority'",
    ),
    "unknown blend key": (
        {"blend": {"kinds": "rank", "of": {"cnn": 1, "probe": 1}}},
        r"'blend.kinds'.*'kind'",
    ),
    "class read as a number": ({"classes": ["a", 1491113]}, "1491113.*quotes"),
    "doubled class": ({"classes": ["a", "b", "a"]}, "'classes': doubled: a"),
    "doubled member": ({"members": [CNN, {**PROBE, "name": "cnn"}]}, "several.*'cnn'"),
    "model and head": ({"members": [{**CNN, "head": "h"}, PROBE]}, "either model, or"),
    "encoder alone": ({"members": [CNN, {"name": "probe", "encoder": "x"}]}, "both encoder and"),
    "neither": ({"members": [CNN, {"name": "probe"}]}, "either model, or"),
    "unknown child": (
        {"blend": {"of": {"cnn": 1, "prob": 1}}},
        r"'prob', which is neither.*Did you mean 'probe'",
    ),
    "unused member": ({"blend": {"of": {"cnn": 1}}}, "'probe' is in no blend"),
    "unused group": ({"groups": {"g": {"of": {"probe": 1}}}, "blend": {"of": {"cnn": 1}}}, "'g'"),
    "used twice": (
        {"groups": {"g": {"of": {"cnn": 1}}}, "blend": {"of": {"g": 1, "cnn": 1, "probe": 1}}},
        "'cnn' is in several blends: g, blend",
    ),
    "circle": (
        {
            "groups": {"g": {"of": {"h": 1}}, "h": {"of": {"g": 1}}},
            "blend": {"of": {"cnn": 1, "probe": 1}},
        },
        "g, h blend each other",
    ),
    "group of a member's name": (
        {"groups": {"cnn": {"of": {"probe": 1}}}, "blend": {"of": {"cnn": 1}}},
        "group 'cnn' has the name",
    ),
    "no blend": ({"blend": None}, "'blend' is missing"),
    "weight 0": ({"blend": {"of": {"cnn": 0, "probe": 1}}}, "must be above 0"),
    "weight no number": ({"blend": {"of": {"cnn": "0.5", "probe": 1}}}, "not '0.5'"),
    "class weight negative": (
        {"blend": {"of": {"cnn": {"Aves": -1, "default": 1}, "probe": 1}}},
        "weight of Aves is -1",
    ),
    "unknown kind": ({"blend": {"kind": "ranks", "of": {"cnn": 1, "probe": 1}}}, "'rank'"),
    "no step": ({"postprocess": ["smoth:1"]}, "'smoth:1' is no step"),
    "step by taxon": ({"postprocess": ["mean:0.5@Aves"]}, "give the taxonomy"),
    "prior": ({"prior": 1.5}, "from 0 to 1"),
    "shifts without 0": ({"members": [{**CNN, "shifts": {2.5: 1}}, PROBE]}, "must be 0 s"),
    "runtime": ({"members": [{**CNN, "runtime": "ort"}, PROBE]}, "'onnxruntime'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_with_file_and_key(fault, tmp_path):
    changes, words = FAULTS[fault]
    path = _write(tmp_path, **changes)
    with pytest.raises(FormatError, match=words) as caught:
        read_ensemble(path)
    assert str(path) in str(caught.value)


def test_shifts_are_weights_by_second(tmp_path):
    shifts = {-2.5: 0.25, 0: 0.5, 2.5: 0.25}
    found = read_ensemble(_write(tmp_path, members=[{**CNN, "shifts": shifts}, PROBE]))
    assert found.member("cnn").shifts == shifts


def test_named_files_are_not_opened(tmp_path):
    assert read_ensemble(_write(tmp_path, classes="none.csv")).classes == Path(tmp_path, "none.csv")
