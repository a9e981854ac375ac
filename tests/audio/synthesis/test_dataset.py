"""Data sets on disk."""

from __future__ import annotations

import csv
import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.audio.names import parse_name
from antiphon.audio.recording import find_recordings, probe
from antiphon.audio.synthesis.dataset import (
    DatasetFacts,
    plan_dataset,
    window_prevalence,
    write_dataset,
)
from antiphon.audio.synthesis.soundscape import Event, SceneConfig
from antiphon.audio.synthesis.tables import RAVEN_COLUMNS
from antiphon.errors import FileError, UserError

SMALL = {
    "seed": 3,
    "sites": 2,
    "days": 1,
    "recordings_per_site_day": 2,
    "duration_s": 8.0,
    "sample_rate": 24_000,
}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> DatasetFacts:
    return write_dataset(tmp_path_factory.mktemp("data"), **SMALL)


def test_the_same_seed_writes_the_same_bytes(small: DatasetFacts, tmp_path: Path) -> None:
    again = write_dataset(tmp_path / "new" / "folder", **SMALL)
    assert digests(again.folder) == digests(small.folder)
    other = write_dataset(tmp_path / "other", **{**SMALL, "seed": 4})
    assert not set(digests(other.audio).values()) & set(digests(small.audio).values())


def test_a_recording_does_not_depend_on_the_others(small: DatasetFacts) -> None:
    for facts in reversed(small.recordings):
        scene = facts.planned.synthesise(small.config)
        pcm, rate = soundfile.read(facts.path, dtype="int16")
        assert rate == 24_000
        np.testing.assert_array_equal(pcm, np.rint(scene.audio * np.float32(32767)))
        assert scene.events == facts.events


def test_names_give_site_and_start_time(small: DatasetFacts) -> None:
    assert find_recordings(small.audio) == sorted(f.path for f in small.recordings)
    for facts in small.recordings:
        name = parse_name(facts.path)
        assert name.start_time == facts.planned.start_time
        assert name.recorder == facts.planned.site.name == facts.path.parent.name
        info = probe(facts.path)
        assert (info.sample_rate, info.channels, info.duration_s) == (24_000, 1, 8.0)
        assert info.subtype == "PCM_16"
        assert info.problem is None


def test_raven_tables_read_back_to_the_same_numbers(small: DatasetFacts) -> None:
    assert sum(len(f.events) for f in small.recordings) > 0
    for facts in small.recordings:
        assert facts.table.name == f"{facts.path.stem}.Table.1.selections.txt"
        with facts.table.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t")
            rows = list(reader)
        assert tuple(reader.fieldnames or ()) == RAVEN_COLUMNS
        assert [int(row["Selection"]) for row in rows] == list(range(1, len(rows) + 1))
        read = tuple(
            Event(
                species=row["Species"],
                call_type=row["Call Type"],
                individual=int(row["Individual"]),
                start_s=float(row["Begin Time (s)"]),
                end_s=float(row["End Time (s)"]),
                low_hz=float(row["Low Freq (Hz)"]),
                high_hz=float(row["High Freq (Hz)"]),
                snr_db=float(row["SNR (dB)"]),
                distance_m=float(row["Distance (m)"]),
            )
            for row in rows
        )
        assert read == facts.events


def test_a_silent_recording_has_a_table_with_a_header_alone(tmp_path: Path) -> None:
    found = write_dataset(
        tmp_path, **{**SMALL, "sites": 1, "species": ["Needle Katydid"], "sample_rate": 32_000,
                     "duration_s": 1.0, "recordings_per_site_day": 1}
    )  # fmt: skip
    (facts,) = found.recordings
    assert facts.events == ()
    assert facts.table.read_text().split("\n") == ["\t".join(RAVEN_COLUMNS), ""]


def test_metadata_names_every_recording_relative_to_the_audio(small: DatasetFacts) -> None:
    with small.metadata.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4
    for row, facts in zip(rows, small.recordings, strict=True):
        assert small.audio / row["file"] == facts.path
        assert datetime.fromisoformat(row["start_time"]) == facts.planned.start_time
        assert row["site"] == facts.planned.site.name
        assert row["licence"] == "CC0-1.0"
        assert float(row["duration_s"]) == 8.0
        assert -90 <= float(row["latitude"]) <= 90


def test_the_list_of_species_is_that_of_the_habitats(small: DatasetFacts) -> None:
    with small.species_list.open(newline="", encoding="utf-8") as stream:
        names = [row["species"] for row in csv.DictReader(stream)]
    assert names == list(small.calls)
    assert "Synthetic Trillwren" in names
    assert "Cellar Whale" not in names
    assert "Needle Katydid" not in names
    assert {e.species for f in small.recordings for e in f.events} <= set(names)


def test_flac_holds_the_same_samples_as_wav(small: DatasetFacts, tmp_path: Path) -> None:
    flac = write_dataset(tmp_path, **SMALL, audio_format="flac")
    for one, other in zip(small.recordings, flac.recordings, strict=True):
        assert other.path.suffix == ".flac"
        np.testing.assert_array_equal(
            soundfile.read(one.path, dtype="int16")[0], soundfile.read(other.path, dtype="int16")[0]
        )


def test_a_plan_is_spread_over_the_day() -> None:
    plan = plan_dataset(seed=0, sites=1, days=2, recordings_per_site_day=6)
    assert len({p.stem for p in plan}) == 12
    assert {p.start_time.hour for p in plan} == {1, 5, 9, 13, 17, 21}
    assert [p.start_time for p in plan] == sorted(p.start_time for p in plan)


def test_more_sites_leave_the_first_ones_as_they_are() -> None:
    few = plan_dataset(seed=0, sites=2)
    assert plan_dataset(seed=0, sites=5)[: len(few)] == few


def test_recordings_of_another_data_set_are_not_mixed_in(
    small: DatasetFacts, tmp_path: Path
) -> None:
    write_dataset(tmp_path, **SMALL)
    write_dataset(tmp_path, **SMALL)
    assert digests(tmp_path) == digests(small.folder)
    with pytest.raises(FileError, match="another data set"):
        write_dataset(tmp_path, **{**SMALL, "sites": 1})


def test_a_folder_that_cannot_be_made_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        write_dataset(tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed must be 0 or more"),
        ({"days": 0}, "at least 1 day"),
        ({"audio_format": "mp3"}, "'wav' or 'flac'"),
        ({"species": ["Cellar Whale"]}, "lives in none of the habitats"),
        ({"species": ["Dodo"]}, "no synthetic species"),
    ],
)
def test_impossible_data_sets_are_refused(
    wrong: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        write_dataset(tmp_path, **{**SMALL, **wrong})
    assert not any(tmp_path.iterdir())


def call(start_s: float, end_s: float, species: str = "Paper Thrush") -> Event:
    return Event(species, "song", 0, start_s, end_s, 1000.0, 2000.0, 10.0, 10.0)


def test_prevalence_by_hand() -> None:
    config = SceneConfig(duration_s=12, species=("Paper Thrush", "Hollow Dove"))
    first = (call(2.9, 3.1), call(1.0, 2.0, "Hollow Dove"))
    found = window_prevalence([first, (call(3.0, 6.0),)], config, 3.0)
    assert found == {"": 5 / 8, "Paper Thrush": 3 / 8, "Hollow Dove": 1 / 8}


@pytest.mark.slow
def test_window_prevalence_of_the_default_data_set_is_that_of_field_data() -> None:
    config = SceneConfig()
    shares = [
        window_prevalence([p.synthesise(config).events for p in plan_dataset(seed=seed)], config)
        for seed in range(3)
    ]
    mean = {name: np.mean([s[name] for s in shares]) for name in shares[0]}
    assert 0.3 < mean[""] < 0.6
    assert sum(0.05 < share < 0.15 for name, share in mean.items() if name) >= 4
    assert sum(0.002 < share < 0.02 for name, share in mean.items() if name) >= 3
