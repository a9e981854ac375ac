import sys
from pathlib import Path

import numpy as np
import pytest

from antiphon.encoders.manifest import Manifest, load_manifest
from antiphon.errors import MissingExtraError, ModelError, UserError
from antiphon.soundscape.members import agreement
from antiphon.soundscape.members.choosing import WantedOutput, _core_seconds, choose_runtime
from antiphon.soundscape.members.probes import probe_sounds
from tests.encoders.make import manifest_file, tflite_file
from tests.soundscape.members.making import conv_file

OUTPUTS = [
    WantedOutput("clip", "clip", "sigmoid"),
    WantedOutput("frames", "frames", "sigmoid"),
]


def made(folder: Path, **changes: object) -> tuple[Manifest, Path]:
    path = conv_file(folder, **changes)  # type: ignore[arg-type]
    return load_manifest(path), path.with_suffix(".onnx")


def needs_openvino() -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")


def test_the_faster_one_is_taken_and_the_other_is_reported(tmp_path: Path) -> None:
    needs_openvino()
    session, report = choose_runtime(*made(tmp_path), OUTPUTS)
    (other,) = report.others
    assert {report.chosen.name, other.name} == {"onnxruntime f32", "openvino f32"}
    assert report.window_s is not None
    assert other.window_s is not None
    assert 0 < report.window_s <= other.window_s
    assert session.facts == report.facts
    assert report.facts.precision == "f32"
    by_name = {one.name: one for one in (report.chosen, other)}
    compared = by_name["openvino f32"].agreement
    assert compared is not None
    assert compared.within(agreement.BOUNDS["f32"])
    assert by_name["onnxruntime f32"].agreement is None
    assert len(report.lines()) == 2
    assert report.to_json()["chosen"]["facts"]["precision"] == "f32"


def turn_windows_round(monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.soundscape.members.runtimes.openvino import OpenvinoSession

    right = OpenvinoSession.run
    monkeypatch.setattr(
        OpenvinoSession, "run", lambda self, *given: [v[::-1] for v in right(self, *given)]
    )


@pytest.mark.parametrize("wanted", ["onnxruntime", "openvino"])
def test_what_is_asked_for_is_taken(tmp_path: Path, wanted: str) -> None:
    needs_openvino()
    session, report = choose_runtime(*made(tmp_path), OUTPUTS, wanted, rounds=0)  # type: ignore[arg-type]
    assert session.facts.runtime == wanted
    assert report.window_s is None
    assert "not timed" in report.lines()[0]


def test_a_runtime_that_disagrees_is_refused_with_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_openvino()
    turn_windows_round(monkeypatch)
    session, report = choose_runtime(*made(tmp_path), OUTPUTS, "auto")
    assert session.facts.runtime == "onnxruntime"
    (refused,) = report.others
    assert refused.name == "openvino f32"
    assert refused.window_s is None
    assert refused.agreement is not None
    assert refused.agreement.rank_correlation < 0.9
    assert f"rank correlation {refused.agreement.rank_correlation:.4f} over" in refused.refused
    assert "at least 0.9995 and at most 0.001 are asked for" in str(refused)
    with pytest.raises(ModelError, match="disagrees with ONNX Runtime: rank correlation"):
        choose_runtime(*made(tmp_path), OUTPUTS, "openvino")


def test_bf16_is_tried_and_f32_in_its_place_where_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_openvino()
    _, report = choose_runtime(*made(tmp_path), OUTPUTS, "auto", "bf16")
    tried = {one.name for one in (report.chosen, *report.others)}
    assert tried >= {"onnxruntime f32", "openvino bf16"}
    turn_windows_round(monkeypatch)
    _, report = choose_runtime(*made(tmp_path), OUTPUTS, "auto", "bf16")
    tried = {one.name for one in (report.chosen, *report.others)}
    assert tried == {"onnxruntime f32", "openvino bf16", "openvino f32"}


def test_without_openvino_auto_says_so_and_a_wish_for_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    session, report = choose_runtime(*made(tmp_path), OUTPUTS)
    assert session.facts.runtime == "onnxruntime"
    assert "not installed" in report.lines()[-1]
    with pytest.raises(MissingExtraError, match=r"antiphon\[openvino\]"):
        choose_runtime(*made(tmp_path), OUTPUTS, "openvino")


def test_an_export_in_training_mode_is_refused_by_every_runtime(tmp_path: Path) -> None:
    manifest, model = made(tmp_path, training=True)
    with pytest.raises(ModelError, match=r"training mode \(norm1\)"):
        choose_runtime(manifest, model, OUTPUTS, "onnxruntime")


def test_requests_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="computes f32 on processors, not bf16"):
        choose_runtime(*made(tmp_path), OUTPUTS, "onnxruntime", "bf16")
    model = tflite_file(tmp_path / "t.tflite")
    manifest = load_manifest(
        manifest_file(
            tmp_path,
            model=model.name,
            runtime="tflite",
            input={"layout": "NS"},
            output={"embedding": 2},
        )
    )
    with pytest.raises(UserError, match="TFLite file, which openvino does not run"):
        choose_runtime(manifest, model, [WantedOutput(2)], "openvino")
    session, report = choose_runtime(manifest, model, [WantedOutput(2, "embedding")])
    assert report.chosen.name == "litert f32"
    x = np.array([[-1, 0, 1, 2, 3, 4, 5, 9]], np.float32)
    assert session.run(x)[0].tolist() == [[0, 0, 1, 2, 3, 4, 5, 6]]


def test_a_network_that_does_not_take_what_the_front_end_gives(tmp_path: Path) -> None:
    manifest, model = made(tmp_path)
    longer = manifest.model_copy(update={"window_s": 0.64})
    with pytest.raises(ModelError, match=r"takes an input of shape 1 x 16 x 21, the front end"):
        choose_runtime(longer, model, OUTPUTS, "onnxruntime")


def test_a_clock_of_the_thread_that_does_not_see_the_work_is_not_believed() -> None:
    assert _core_seconds(0.010, 0.030) == 0.010
    assert _core_seconds(0.0, 0.030) == 0.030
    assert _core_seconds(0.0002, 0.010) == 0.010


def test_probe_sounds_differ_and_are_the_same_each_time() -> None:
    sounds = probe_sounds(5, 4000, 8000)
    assert sounds.shape == (5, 4000)
    assert np.abs(sounds).max() <= 1
    assert np.isfinite(sounds).all()
    np.testing.assert_array_equal(sounds, probe_sounds(5, 4000, 8000))
    levels = np.sqrt((sounds**2).mean(axis=1))
    assert len(np.unique(levels)) == 5
    assert (levels > 1e-4).all()
