# ruff: noqa: E402
"""Two whole rounds: networks that are trained, exported, and label what they never heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.training.data.sources import read_sources
from antiphon.training.export import exporting
from antiphon.training.pseudo.config import load_pseudo_config
from antiphon.training.pseudo.out_of_fold import read_trained_on
from antiphon.training.pseudo.running import run_all_rounds
from antiphon.training.pseudo.store import read_labels
from tests.training.pseudo.fakes import soundscape, world

STUDENT = """
stage: detector
name: student
data:
  sources: [{kind: folder, path: focal, label_folders: true}]
  sample_rate: 2000
  clip_s: 2.0
  batch: 8
  short: loop
augment: {mixup: {p: 0.5}, gain: {}}
front_end: {kind: log_mel, n_fft: 256, hop: 50, n_mels: 24, normalise: mean_std}
backbone: {kind: conv, width: 8, depths: [1, 1], dim: 24, frequency: keep}
head: {kind: sed, dropout: 0.0}
optimiser: {lr: 5.0e-3}
loop: {steps: 120, device: cpu, threads: 1, log_every: 20}
checkpoint: {every_minutes: null}
validation: {every: 120, retrieval: false, probe: false}
"""


@pytest.mark.slow
def test_two_rounds_of_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exporting.export_model
    monkeypatch.setattr(
        exporting, "export_model", lambda *a, **k: whole(*a, **{**k, "seconds": 0.01})
    )
    settings = world(tmp_path, unlabelled=8, held=8)
    text = settings.read_text().replace("[1.0, 1.54, 1.82]", "[1.0, 1.54]")
    settings.write_text(text + "  stop: never\n")
    rng = np.random.default_rng(4)
    for name in ("frog", "wren"):
        for i in range(12):
            start = float(rng.uniform(0.0, 1.0))
            song = (name, start, start + 1.0)
            soundscape(tmp_path / f"focal/{name}/{name}{i}.wav", 2.0, [song], seed=i)
    (tmp_path / "student.yaml").write_text(STUDENT)
    notes: list[str] = []
    report, page = run_all_rounds(load_pseudo_config(settings), tmp_path / "out", note=notes.append)
    assert [one.number for one in report.rounds] == [0, 1, 2]
    assert report.rounds[report.kept].score["value"] > 0.9
    assert page.is_file()
    # What a teacher of round 2 labelled it was not trained on, nor on anything of its site.
    for number in (1, 2):
        labels = read_labels(tmp_path / f"out/round-{number}/labels.parquet")
        assert labels.targets.frames is not None
        # Scores are of different networks.
        assert len({t.fingerprint for t in labels.provenance.teachers}) == 2
        seen = {
            t.name: read_trained_on(
                Path(t.model).parents[1] / f"trained_on-{t.name.removeprefix('fold')}.csv"
            )
            for t in labels.provenance.teachers
        }
        for recording, site, whose in zip(
            labels.recording, labels.site, labels.teachers, strict=True
        ):
            for name in whose.split("+"):
                assert Path(recording).stem not in seen[name].files
                assert site not in seen[name].sites
    # The students of round 1 learned from the soundscapes of the other fold.
    sites = [read_trained_on(tmp_path / f"out/round-1/trained_on-{i}.csv").sites for i in (0, 1)]
    assert sites[0]
    assert sites[1]
    assert not sites[0] & sites[1]
    config = tmp_path / "out/round-2/students/fold-0/config.yaml"
    from antiphon.training.config import load_run_config

    table = read_sources(load_run_config(config).data)[0]
    assert table.pseudo_clips.any()
    # The same command again does nothing anew.
    again, _ = run_all_rounds(load_pseudo_config(settings), tmp_path / "out")
    assert again.to_json() == report.to_json()
