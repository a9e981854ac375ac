"""Members of an ensemble's file, and whole runs with real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from antiphon.audio.reader import read_span
from antiphon.errors import FileError
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.soundscape.members.scoring import score_recording
from antiphon.soundscape.run.joining import member_specs
from antiphon.soundscape.run.report import COMPLETE
from antiphon.soundscape.run.running import run_soundscapes
from tests.soundscape.members.making import CLASSES, conv_file
from tests.soundscape.run.fakes import write_recordings


def _ensemble(folder: Path, **more) -> Path:
    """Write an ensemble of two networks of 0.32 s, one hearing contexts that overlap."""
    folder.mkdir(exist_ok=True)
    conv_file(folder)
    entries = [
        {"name": "plain", "model": "conv.yaml", "runtime": "onnxruntime"} | more,
        {
            "name": "overlapping",
            "model": "conv.yaml",
            "runtime": "onnxruntime",
            "context_hop_s": 0.16,
            "shifts": {-0.08: 0.25, 0.0: 0.5, 0.08: 0.25},
            "reduce": "mean",
            "priority": 2,
        },
    ]
    facts = {
        "name": "two",
        "classes": list(CLASSES),
        "window": {"length_s": 0.32, "hop_s": 0.32},
        "members": entries,
        "blend": {"kind": "probability", "of": {"plain": 3, "overlapping": 1}},
    }
    path = folder / "ensemble.yaml"
    path.write_text(yaml.safe_dump(facts))
    return path


def test_settings_reach_the_members(tmp_path):
    plain, overlapping = member_specs(_ensemble(tmp_path))
    assert (plain.name, plain.priority, plain.hop_s, plain.stride) == ("plain", 1, None, 1)
    assert dict(overlapping.shifts) == {-0.08: 0.25, 0.0: 0.5, 0.08: 0.25}
    assert (overlapping.hop_s, overlapping.reduce, overlapping.priority) == (0.16, "mean", 2)
    assert plain.load(1).classes == CLASSES


def test_a_key_is_of_what_decides_the_scores(tmp_path):
    def key(**more):
        return member_specs(_ensemble(tmp_path, **more))[0].key

    same = key()
    assert key(priority=3) == same
    assert len({same, key(scores="clip"), key(reduce="mean"), key(stride=2)}) == 4
    moved = tmp_path / "moved"
    assert member_specs(_ensemble(moved))[0].key == same
    model = moved / "conv.onnx"
    model.write_bytes(model.read_bytes() + b"\n")
    assert member_specs(moved / "ensemble.yaml")[0].key != same


def test_weights_that_differ_anywhere_make_another_key(tmp_path):
    path = _ensemble(tmp_path)
    model = tmp_path / "conv.onnx"
    content = bytearray(model.read_bytes() + bytes(1_000_000))
    keys = []
    # One byte, far from both ends and from the middle, as where a single layer was trained on.
    for value in (0, 1):
        content[300_000] = value
        model.write_bytes(content)
        keys.append(member_specs(path)[0].key)
    # Weights outside the model's file, as torch writes them.
    for value in (b"0", b"1"):
        (tmp_path / "conv.onnx.data").write_bytes(value)
        keys.append(member_specs(path)[0].key)
    assert len(set(keys)) == 4


def test_a_file_that_is_not_there(tmp_path):
    path = _ensemble(tmp_path, model="gone.yaml")
    with pytest.raises(FileError, match=r"gone\.yaml: there is no such file"):
        member_specs(path)


def test_a_run_gives_what_members_score_by_themselves(tmp_path):
    rng = np.random.default_rng(1)
    folder = write_recordings(tmp_path / "audio", {"a": 0.5, "b": 0.25}, 3.0, 8000)
    import soundfile

    soundfile.write(folder / "b.wav", rng.normal(0, 0.1, 20_000), 8000, subtype="FLOAT")
    ensemble = _ensemble(tmp_path / "e")
    done = run_soundscapes(folder, ensemble, tmp_path / "out.csv", workers=2)
    assert done.exit_code == COMPLETE
    found = read_scores(done.out)
    for stem in "ab":
        rows = [i for i, row in enumerate(found.rows) if row.startswith(f"{stem}_")]
        ends = [float(found.rows[i].split("_")[1]) for i in rows]
        audio = read_span(folder / f"{stem}.wav")[0]
        expected = 0.0
        for spec, weight in zip(member_specs(ensemble), (0.75, 0.25), strict=True):
            expected = expected + weight * score_recording(
                spec.load(1),
                audio,
                np.array(ends) - 0.32,
                0.32,
                hop_s=spec.hop_s,
                shifts=spec.shifts,
                reduce=spec.reduce,
                use=spec.use,
            )
        assert found.score[rows] == pytest.approx(expected, abs=1e-6)
    (plain, _) = done.report["members"]
    assert plain["runtime"]["chosen"]
