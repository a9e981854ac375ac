"""Students: their data, folds and masses; the training itself is not done here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.labels.formats.table import read_delimited
from antiphon.training.config import RunConfig, load_run_config
from antiphon.training.data.sampling import ClipSampler, clip_weights
from antiphon.training.data.sources import read_sources
from antiphon.training.data.splitting import split
from antiphon.training.pseudo.config import MassConfig, PlacesConfig, PseudoConfig
from antiphon.training.pseudo.labelling import label_recordings
from antiphon.training.pseudo.mass import capped_weight, expected_mass, focal_clips
from antiphon.training.pseudo.out_of_fold import (
    Soundscape,
    TrainedOn,
    list_soundscapes,
    read_trained_on,
)
from antiphon.training.pseudo.students import DetectorStudents
from tests.training.data.making import config, folder_of_tones, write_csv
from tests.training.pseudo.fakes import ToneMember, soundscape, teacher

STUDENT = """
stage: detector
name: student
data:
  sources: [{kind: folder, path: focal, label_folders: true}]
  sample_rate: 2000
  clip_s: 2.0
  batch: 4
  long_tail: 0.5
front_end: {kind: log_mel, n_fft: 256, hop: 100, n_mels: 16}
backbone: {kind: conv, width: 8, depths: [1, 1], dim: 16, frequency: keep}
head: {kind: sed}
optimiser: {lr: 1.0e-3}
loop: {steps: 4, device: cpu, threads: 1}
"""


def recordings(root: Path) -> list[Soundscape]:
    """Nine soundscapes of three sites and one of none; all but two have a wren or a frog."""
    for i in range(9):
        songs = [("wren", 0.5, 3.5)] if i % 3 else [("frog", 0.0, 4.0), ("wren", 1.0, 2.0)]
        name = f"X_{i:03d}_S{i // 3:02d}_20250101_000000.wav"
        soundscape(root / "audio" / name, 6.0, songs if i < 7 else [])
    soundscape(root / "audio/alone.wav", 4.0, [("frog", 0.0, 1.0)])
    return list_soundscapes(root / "audio", PlacesConfig())


def student(root: Path) -> RunConfig:
    folder_of_tones(root / "focal/wren", [f"w{i}" for i in range(12)], seconds=2.0)
    folder_of_tones(root / "focal/frog", [f"f{i}" for i in range(4)], seconds=2.0)
    (root / "student.yaml").write_text(STUDENT)
    return load_run_config(root / "student.yaml")


def made(root: Path) -> tuple[Path, float]:
    config = PseudoConfig.model_validate(
        {
            "name": "x",
            "audio": {"path": str(root / "audio")},
            "teachers": [{"name": "t", "model": "t", "trained_on": None}],
            "targets": {"window_s": 2, "frame_s": 0.25, "floor": 0.2},
        }
    )
    report = label_recordings(
        recordings(root),
        [teacher(ToneMember())],
        [TrainedOn()],
        config,
        root / "out/round-1/labels.parquet",
        root / "out/scores",
        gamma=1.0,
        round_number=1,
    )
    return report.file, report.provenance.weight


class Told:
    """Keeps what training was asked for."""

    def __init__(self) -> None:
        self.configs: list[RunConfig] = []
        self.notes: list[str] = []

    def train(self, config: RunConfig, folder: Path, folds: int) -> list[Path]:
        self.configs.append(config)
        return [folder / f"fold-{i}" for i in range(folds)]

    def export(self, run: Path, folder: Path) -> Path:
        return folder / "student.yaml"


def students(root: Path, told: Told, folds: int = 3) -> DetectorStudents:
    return DetectorStudents(
        student(root),
        root / "audio",
        PlacesConfig(),
        folds,
        train=told.train,
        export=told.export,
    )


def test_a_site_is_in_one_fold_and_its_student_may_label_it(tmp_path: Path) -> None:
    told = Told()
    trainer = students(tmp_path, told)
    labels, weight = made(tmp_path)
    listed = recordings(tmp_path)
    trainer.prepare(listed, tmp_path / "out")
    done = trainer.train(labels, weight, None, tmp_path / "out/round-1", told.notes.append)
    seen = [read_trained_on(one.trained_on) for one in done.students]
    # Every recording was left out by exactly one student; all of a site by the same one.
    left = {one.name: [i for i, s in enumerate(seen) if not s.saw(one)] for one in listed}
    assert all(len(who) == 1 for who in left.values())
    for site in range(3):
        assert len({left[one.name][0] for one in listed if one.site == f"S{site:02d}"}) == 1
    # So are the focal clips.
    for name in [f"w{i}" for i in range(12)] + [f"f{i}" for i in range(4)]:
        assert sum(name not in s.files for s in seen) == 1
    # And the folds are those that the runs will be divided by.
    table = read_sources(told.configs[0].data)[0]
    for fold in range(3):
        folds = told.configs[0].data.folds
        assert folds is not None
        mine = folds.model_copy(update={"fold": fold})
        side = split(table, told.configs[0].data.holdout, mine)
        assert len(side.validation.pseudo_clips) > 0
        assert not side.validation.pseudo_clips.any()


def test_folds_stay_when_labels_come(tmp_path: Path) -> None:
    told = Told()
    trainer = students(tmp_path, told)
    trainer.prepare(recordings(tmp_path), tmp_path / "out")
    before = (tmp_path / "out/folds.csv").read_bytes()
    trainer.train(None, 1.0, None, tmp_path / "out/round-0", told.notes.append)
    labels, weight = made(tmp_path)
    trainer.train(labels, weight, None, tmp_path / "out/round-1", told.notes.append)
    assert (tmp_path / "out/folds.csv").read_bytes() == before
    files = [config.data.folds.file for config in told.configs if config.data.folds]
    assert files == [(tmp_path / "out/folds.csv").absolute()] * 2
    table = read_delimited(tmp_path / "out/folds.csv", {"group", "fold"}.__contains__)
    folds = table.text(table.find("fold"))
    assert sorted(set(folds)) == ["0", "1", "2"]


def drawn_mass(config: RunConfig, seed: int = 0) -> tuple[float, float]:
    """Return focal and pseudo targets of clips as the sampler draws them, counted one by one."""
    from antiphon.training.data.soft_targets import soft_labels

    table = read_sources(config.data)[0]
    p = clip_weights(table, long_tail=config.data.long_tail)
    sampler = ClipSampler(p, seed)
    sums = np.zeros(2)
    for i in range(40 * len(table)):
        clip = sampler.clip(i)
        recording = int(table.recording[clip])
        soft = table.soft_of(recording)
        if soft is None:
            sums[0] += len(table.classes_of(clip))
        else:
            span = float(table.start_s[clip]), float(table.end_s[clip])
            sums[1] += soft_labels(soft, recording, *span, 0.5)[0].sum()
    return float(sums[0]), float(sums[1])


def test_the_sampler_draws_less_pseudo_than_focal_mass(tmp_path: Path) -> None:
    told = Told()
    trainer = students(tmp_path, told, folds=1)
    trainer.prepare(recordings(tmp_path), tmp_path / "out")
    labels, _ = made(tmp_path)
    caps = MassConfig(focal=tmp_path / "student.yaml", share=0.4)
    facts = trainer.train(labels, 1.0, caps, tmp_path / "out/round-1", told.notes.append).facts
    assert facts["share"] == pytest.approx(0.4)
    focal, pseudo = drawn_mass(told.configs[0])
    assert pseudo / focal == pytest.approx(0.4, rel=0.05)
    # A small wish stays what it is.
    facts = trainer.train(labels, 0.1, caps, tmp_path / "out/round-2", told.notes.append).facts
    assert facts["share"] < 0.35
    focal, pseudo = drawn_mass(told.configs[1])
    assert pseudo / focal == pytest.approx(facts["share"], rel=0.1)


def test_the_focal_mass_leaves_out_what_a_model_labelled(tmp_path: Path) -> None:
    told = Told()
    trainer = students(tmp_path, told, folds=1)
    assert trainer.focal_mass(("wren", "frog", "heron")).tolist() == [12, 4, 0]
    trainer.prepare(recordings(tmp_path), tmp_path / "out")
    labels, weight = made(tmp_path)
    trainer.train(labels, weight, None, tmp_path / "out/round-1", told.notes.append)
    table = read_sources(told.configs[0].data)[0]
    assert focal_clips(table, ("wren", "frog")).tolist() == [12, 4]


def test_a_student_has_to_be_a_detector_with_these_folds(tmp_path: Path) -> None:
    config = student(tmp_path)
    other = config.model_copy(update={"stage": "supervised", "head": None})
    with pytest.raises(UserError, match="must be a detector"):
        DetectorStudents(other, tmp_path / "audio", PlacesConfig(), 3)
    text = STUDENT.replace("  batch: 4\n", "  batch: 4\n  folds: {count: 4}\n")
    (tmp_path / "student.yaml").write_text(text)
    with pytest.raises(UserError, match=r"rounds\.folds is 3, .*count: 4"):
        DetectorStudents(
            load_run_config(tmp_path / "student.yaml"), tmp_path / "audio", PlacesConfig(), 3
        )


def test_the_mass_under_the_sampler_stays_capped_with_a_mix_of_domains(tmp_path: Path) -> None:
    file, _ = made(tmp_path)
    student(tmp_path)
    told = {"domain": "general", "name": "other", "path": str(tmp_path / "focal/frog")}
    sources = [
        {"kind": "folder", "path": str(tmp_path / "focal"), "label_folders": True, "weight": 2.0},
        {"kind": "folder", **told, "label_folders": False, "labels": str(tmp_path / "frogs.csv")},
        {"kind": "folder", "path": str(tmp_path / "audio"), "pseudo": str(file), "weight": 1.0},
    ]
    rows = [(f"f{i}.wav", "frog") for i in range(4)]
    write_csv(tmp_path / "frogs.csv", ["filename", "label"], rows)
    mix = {"bio": 3.0, "general": 1.0}
    data = config(*sources, clip_s=2.0, mix=mix)
    table, _ = read_sources(data)
    caps = MassConfig(focal=tmp_path / "student.yaml", share=0.4)
    weight, facts = capped_weight(table, data, 50.0, caps)
    assert facts["share"] == pytest.approx(0.4, rel=1e-6)
    assert facts["share"] <= 0.4
    # And so says the sampler itself.
    p = clip_weights(table.with_weight(2, weight), mix=mix)
    mass = expected_mass(table, p, data.min_overlap)
    assert mass[2].sum() / mass[:2].sum() == pytest.approx(0.4, rel=1e-6)
