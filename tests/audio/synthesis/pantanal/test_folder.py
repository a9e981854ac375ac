"""A world on disk: files of the layout, tables that agree, resumption, refusals."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.audio.synthesis.pantanal import WorldSettings, write_world
from antiphon.audio.synthesis.pantanal.fauna import CLASSES, TAXA
from antiphon.audio.synthesis.pantanal.labels import window_labels
from antiphon.audio.synthesis.pantanal.plan import plan_soundscapes
from antiphon.audio.synthesis.pantanal.scene import make_soundscape
from antiphon.errors import FileError
from antiphon.evaluation.blending.files.rows import row_id
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.evaluation.blending.files.taxonomy import read_taxonomy
from antiphon.evaluation.blending.files.truth import read_truth

SMALL = WorldSettings(
    seed=2, focal=80, soundscapes=10, soundscape_s=5.0, window_s=2.5, focal_s=(1.0, 1.5)
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(folder.rglob("*"))
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pantanal") / "world"
    facts = write_world(folder, SMALL, workers=1)
    assert (facts.focal, facts.soundscapes, facts.made) == (80, 10, 90)
    assert facts.cpu_s > 0
    assert facts.audio_s == pytest.approx(50.0 + 80 * 1.25, rel=0.1)
    return folder


def test_the_layout_is_that_of_a_challenge(world: Path) -> None:
    assert len(list((world / "train_soundscapes").glob("*.ogg"))) == 7
    assert len(list((world / "test_soundscapes").glob("*.ogg"))) == 3
    train = rows(world / "train.csv")
    assert len(train) == 80
    for row in train:
        info = soundfile.info(world / "train_audio" / row["filename"])
        assert (info.samplerate, info.channels, info.format) == (32_000, 1, "OGG")
        assert row["filename"].startswith(f"{row['primary_label']}/")
        secondary = ast.literal_eval(row["secondary_labels"])
        assert set(secondary) < set(CLASSES) - {row["primary_label"]}
        assert 1.0 <= float(row["rating"]) <= 5.0
    taxa = read_taxonomy(world / "taxonomy.csv")
    assert tuple(taxa) == CLASSES
    assert set(taxa.values()) == set(TAXA)


def test_the_evaluator_reads_submission_and_truth(world: Path) -> None:
    sample = read_scores(world / "sample_submission.csv")
    hidden = read_truth(world / "truth/test_soundscapes_labels.csv")
    assert set(sample.rows) == set(hidden.rows)
    assert tuple(sample.classes) == CLASSES
    header = (world / "sample_submission.csv").read_text().splitlines()[0]
    assert header == ",".join(("row_id", *CLASSES))
    labelled = read_truth(world / "train_soundscapes_labels.csv")
    table = rows(world / "train_soundscapes_labels.csv")
    assert len(table) == 3 * 2
    for row in table:
        stem = row["filename"].removesuffix(".ogg")
        assert row["row_id"] == row_id(stem, float(row["end"]))
        assert (world / "train_soundscapes" / row["filename"]).is_file()
    assert set(labelled.files).isdisjoint(hidden.files)


def test_tables_and_audio_agree_with_the_generator(world: Path) -> None:
    plan = plan_soundscapes(SMALL)[0]
    made = make_soundscape(plan, SMALL)
    audio, _ = soundfile.read(world / plan.path, dtype="float32")
    assert len(audio) == len(made.audio)
    assert np.corrcoef(audio, made.audio)[0, 1] > 0.8
    events = [row for row in rows(world / "truth/events.csv") if row["filename"] == plan.path]
    assert [(row["label"], float(row["start"])) for row in events] == [
        (event.label, round(event.start_s, 5)) for event in made.events
    ]
    labels = [
        row["primary_label"]
        for row in rows(world / "train_soundscapes_labels.csv")
        if row["filename"] == f"{plan.stem}.ogg"
    ]
    assert labels == [";".join(one) for one in window_labels(made.events, 2, 2.5)]
    places = rows(world / "truth/recordings.csv")
    assert len(places) == 10
    assert all(float(row["wind_ms"]) >= 0 for row in places)


def test_the_same_settings_make_the_same_bytes(world: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "world", SMALL, workers=2)
    assert contents(tmp_path / "world") == contents(world)


def test_a_run_goes_on_where_it_stopped(world: Path) -> None:
    before = contents(world)
    lost = sorted((world / "test_soundscapes").glob("*.ogg"))[-1]
    kept = sorted((world / "train_audio").rglob("*.ogg"))[0]
    time = kept.stat().st_mtime_ns
    lost.unlink()
    facts = write_world(world, SMALL, workers=1)
    # The last two soundscapes are made together.
    assert facts.made == 2
    assert kept.stat().st_mtime_ns == time
    assert contents(world) == before
    assert write_world(world, SMALL, workers=1).made == 0


def test_another_world_or_folder_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="made with seed 2, not 3"):
        write_world(world, WorldSettings(**{**SMALL.facts(), "seed": 3, "focal_s": (1.0, 1.5)}))
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileError, match="not empty"):
        write_world(tmp_path, SMALL)
    part = next((world / "truth/parts").glob("*.json"))
    text = part.read_text()
    part.write_text("{")
    with pytest.raises(FileError, match="Delete it and run"):
        write_world(world, SMALL, workers=1)
    part.write_text(text)
