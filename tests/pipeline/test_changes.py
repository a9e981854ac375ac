"""Files and folders change under a project: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import soundfile

from antiphon.api import Project
from antiphon.errors import FileError, StoreError, UserError
from antiphon.labels.formats.cells import join_labels
from antiphon.pipeline.export import annotation_table
from tests.noise import SMALL


def label(project, tmp_path, *rows):
    table = tmp_path / "labels.csv"
    table.write_text("recording,start_s,end_s,label\n" + "\n".join(rows) + "\n")
    return project.import_labels(table)


def shown(project):
    table = annotation_table(project.folder)
    return sorted(
        zip(table.column("recording").to_pylist(), table.column("label").to_pylist(), strict=True)
    )


@pytest.fixture
def two(tmp_path, recordings):
    audio = recordings("a.wav", "b.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", **SMALL)
    label(project, tmp_path, "a.wav,0,0.5,owl", "b.wav,0,0.5,frog")
    return project


def test_a_file_that_is_added(two, recordings):
    recordings("c.wav", seed=5)
    report = two.embed()
    assert (report.run.done, report.already, report.total_windows) == (1, 2, 6)
    assert shown(two) == [("a.wav", "owl"), ("b.wav", "frog")]


def test_a_file_that_is_away_for_a_while(two, tmp_path):
    (tmp_path / "audio" / "a.wav").rename(tmp_path / "a.wav")
    report = two.embed()
    assert report.intake.missing == ["a.wav"]
    assert two.status().problems[0][:2] == ("a.wav", "missing")
    assert {hit.path for hit in two.search(like=tmp_path / "a.wav")} == {"b.wav"}
    (tmp_path / "a.wav").rename(tmp_path / "audio" / "a.wav")
    report = two.embed()
    assert (report.run.done, report.total_windows) == (0, 4)
    assert shown(two) == [("a.wav", "owl"), ("b.wav", "frog")]


def test_a_file_that_is_renamed_keeps_its_windows_and_labels(two, tmp_path):
    (tmp_path / "audio" / "a.wav").rename(tmp_path / "audio" / "renamed.wav")
    report = two.embed()
    # Both files hold the same noise, so only one of the moves can be told from the contents.
    assert report.total_windows == 4
    assert shown(two) == [("b.wav", "frog"), ("renamed.wav", "owl")]


def test_a_file_with_new_contents(two, tmp_path, recordings):
    recordings("b.wav", seconds=2.0, seed=9)
    os.utime(tmp_path / "audio" / "b.wav", ns=(1, 1))
    report = two.embed()
    assert (report.run.done, report.total_windows) == (1, 6)
    # Labels belong to the sound that was heard; the other recording's are untouched.
    assert ("a.wav", "owl") in shown(two)
    assert ("b.wav", "frog") not in shown(two)


def test_a_file_that_was_only_touched(two, tmp_path):
    os.utime(tmp_path / "audio" / "b.wav", ns=(1, 1))
    report = two.embed()
    assert (report.run.done, report.total_windows) == (0, 4)
    assert shown(two) == [("a.wav", "owl"), ("b.wav", "frog")]


def test_a_detector_outlives_the_recordings_it_was_trained_on(trained, survey, tmp_path):
    shutil.copytree(survey.audio, tmp_path / "audio")
    text = (trained.path / "antiphon.toml").read_text()
    (trained.path / "antiphon.toml").write_text(
        text.replace(str(survey.audio), str(tmp_path / "audio"))
    )
    shutil.rmtree(tmp_path / "audio" / "FOREST01")
    project = Project(trained.path)
    assert project.embed().total_windows == 120
    assert project.detect().windows == 120


def test_two_encoders_side_by_side(two, tmp_path):
    other = {**SMALL, "window_s": 0.25}
    assert two.embed("spectral", **other).total_windows == 8
    names = [table.name for table in two.folder.tables()]
    assert len(set(names)) == 2
    clip = tmp_path / "audio" / "a.wav"
    assert len(two.search(like=clip, encoder=names[0])) == 4
    assert len(two.search(like=clip, encoder=names[1])) == 8
    # The newest is the default; by its encoder's name a table is found too, the newest first.
    assert two.table().name == two.table("spectral").name == names[1]
    assert two.embed("spectral", **SMALL).total_windows == 4
    assert two.embed("spectral", hop_s=0.25, **SMALL).total_windows == 6
    assert len(two.folder.tables()) == 3


def test_an_encoder_from_python_is_asked_for_again(two, tmp_path):
    from antiphon.encoders.registry import create_encoder

    encoder = create_encoder("spectral", **{**SMALL, "dim": 32})
    two.embed(encoder)
    with pytest.raises(UserError, match="Give the same encoder again"):
        two.embed()
    assert two.embed(encoder).already == 2
    with pytest.raises(UserError, match="Parameters go with an encoder's name"):
        two.embed(encoder, dim=16)


def test_project_and_audio_move_to_other_places(trained, survey, tmp_path):
    shutil.copytree(survey.audio, tmp_path / "disk" / "audio")
    shutil.move(trained.path, tmp_path / "new home")
    settings = tmp_path / "new home" / "antiphon.toml"
    settings.write_text(
        settings.read_text().replace(str(survey.audio), str(tmp_path / "disk" / "audio"))
    )
    project = Project(tmp_path / "new home")
    report = project.embed()
    assert (report.run.done, report.already, report.total_windows) == (0, 16, 160)
    assert report.intake.missing == []
    assert project.detect().windows == 160
    hit = project.search(detected=["Paper Thrush"])[0]
    assert (tmp_path / "disk" / "audio" / hit.path).is_file()


def test_an_audio_folder_that_is_gone_is_named_with_the_settings(two, tmp_path):
    (tmp_path / "audio").rename(tmp_path / "away")
    with pytest.raises(FileError, match=r"audio: this audio folder is not there.*antiphon\.toml"):
        two.embed()
    # What is embedded can still be searched.
    assert two.search(labels=["owl"])


def test_folders_within_each_other_are_refused(two, tmp_path, recordings):
    recordings("inner/d.wav")
    with pytest.raises(StoreError, match="lies within"):
        Project.create(two.path, audio=[tmp_path / "audio" / "inner"])
    assert len(Project(two.path).folder.config.audio) == 1


# Stereo, rates, lengths, names


def tone(seconds, rate, hz=2500.0):
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture
def stereo(tmp_path):
    """Six stereo recordings; in each second window a whistle, in the right channel only."""
    rng = np.random.default_rng(0)
    audio = tmp_path / "audio"
    audio.mkdir()
    lines = ["recording,start_s,end_s,channel,label,presence"]
    for i in range(6):
        data = rng.normal(size=(8000 * 2, 2)) * 0.01
        for begin in (0.5, 1.5):
            at = slice(round(begin * 8000), round((begin + 0.5) * 8000))
            data[at, 1] += tone(0.5, 8000)
        soundfile.write(audio / f"{i}.wav", data, 8000)
        for channel in (0, 1):
            for window in range(4):
                here = "present" if channel == 1 and window % 2 else "absent"
                start = window * 0.5
                lines.append(f"{i}.wav,{start},{start + 0.5},{channel},whistle,{here}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return audio


@pytest.mark.parametrize("channel", ["mix", "each", 1])
def test_a_call_in_the_right_channel_is_found_and_handed_out(stereo, tmp_path, channel):
    project, _ = Project.create(tmp_path / "p", audio=[stereo], channel=channel)
    report = project.embed("spectral", **SMALL)
    assert report.total_windows == 6 * 4 * (2 if channel == "each" else 1)
    table = tmp_path / "labels.csv"
    if channel == "mix":
        # Heard in the mix: present where either channel has it.
        lines = table.read_text().splitlines()
        kept = [line for line in lines if ",0,whistle" not in line]
        table.write_text("\n".join(kept).replace(",1,whistle", ",,whistle") + "\n")
    project.import_labels(table)
    project.train()
    project.detect()
    files, rows = project.export(tmp_path / "out.csv", merge=False)
    assert rows == 6 * 2
    import csv

    with files[0].open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert {(row["path"], float(row["start_s"])) for row in found} == {
        (f"{i}.wav", start) for i in range(6) for start in (0.5, 1.5)
    }
    assert {row["channel"] for row in found} == {"" if channel == "mix" else "1"}
    raven, _ = project.export(tmp_path / "raven", format="raven", merge=False)
    for path in raven:
        header, *lines = (line.split("\t") for line in path.read_text().splitlines())
        assert {line[header.index("Channel")] for line in lines} == {
            "1" if channel == "mix" else "2"
        }
    parquet, _ = project.export(tmp_path / "out.parquet", format="parquet")
    import pyarrow.parquet as pq

    assert set(pq.read_table(parquet[0])["channel"].to_pylist()) == {-1 if channel == "mix" else 1}


def test_a_queue_of_single_channels_comes_back(stereo, tmp_path):
    project, _ = Project.create(tmp_path / "p", audio=[stereo], channel="each")
    project.embed("spectral", **SMALL)
    items = project.next(10)
    assert {item.window.channel for item in items} == {0, 1}
    for format in ("csv", "raven"):
        target = tmp_path / ("q.csv" if format == "csv" else "q")
        for path in project.write_queue(items, target, format=format):
            text = path.read_text()
            comma = "," if format == "csv" else "\t"
            lines = [line.split(comma) for line in text.splitlines()]
            column = [cell.lower() for cell in lines[0]].index("labels")
            for line in lines[1:]:
                line[column] = "whistle"
            path.write_text("".join(comma.join(line) + "\n" for line in lines))
        project.import_labels(target)
        rows = project.folder.catalogue.annotations().to_pylist()
        said = {(r["recording_id"], r["start_s"], r["channel"]) for r in rows}
        asked = {(i.window.recording_id, i.window.start_s, i.window.channel) for i in items}
        assert said == asked
    assert len(project.next(100)) == 48 - 10


def test_mixed_sample_rates_and_lengths(tmp_path):
    audio = tmp_path / "audio"
    audio.mkdir()
    for name, rate, seconds in (
        ("low.wav", 8000, 1.0),
        ("high.flac", 96_000, 1.0),
        ("odd.wav", 11_025, 1.3),
        ("short.wav", 44_100, 0.01),
        ("one sample.wav", 16_000, 1 / 16_000),
    ):
        soundfile.write(audio / name, tone(seconds, rate), rate)
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    report = project.embed("spectral", **SMALL)
    assert report.complete
    table = project.table().windows()
    ids = {r["id"]: r["path"] for r in project.folder.catalogue.recordings().to_pylist()}
    ends = {}
    for i, end in zip(
        table.column("recording_id").to_pylist(), table.column("end_s").to_pylist(), strict=True
    ):
        ends.setdefault(ids[i], []).append(end)
    assert [len(ends[n]) for n in ("low.wav", "high.flac", "odd.wav")] == [2, 2, 3]
    assert ends["odd.wav"][-1] == pytest.approx(1.3, abs=1e-3)
    assert ends["short.wav"] == [pytest.approx(0.01, abs=1e-3)]
    assert len(ends["one sample.wav"]) == 1
    # The same sound at another rate is the nearest thing to it.
    hits = project.search(like=audio / "low.wav", k=4)
    assert {hit.path for hit in hits[:4]} <= {"low.wav", "high.flac", "odd.wav"}
    assert np.isfinite(project.table().all_vectors()).all()


def test_recordings_without_a_start_time_are_left_out_of_hours(tmp_path, recordings):
    audio = recordings("Hill_20260501_043000.wav", "unknown.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", **SMALL)
    everywhere = project.search(like=audio / "unknown.wav")
    assert {hit.path for hit in everywhere} == {"Hill_20260501_043000.wav", "unknown.wav"}
    for condition in ({"hour": "4-7"}, {"hour": "0-24"}, {"date": "2026-05-01"}):
        hits = project.search(like=audio / "unknown.wav", **condition)
        assert {hit.path for hit in hits} == {"Hill_20260501_043000.wav"}
    assert project.search(hour="5-7") == []
    assert project.status().without_time == 1


def test_a_recording_over_midnight_is_in_two_days(tmp_path, recordings):
    audio = recordings("Hill_20260501_235959.wav", seconds=3.0)
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", **SMALL)
    first, second = (project.search(date=f"2026-05-0{d}") for d in (1, 2))
    assert [hit.start_s for hit in first] == [0.0, 0.5]
    assert [hit.start_s for hit in second] == [1.0, 1.5, 2.0, 2.5]
    assert len(project.search(hour="23")) == 2
    assert len(project.search(hour="22-1")) == 6


NAMES = ["Käuzchen (männl.).wav", "mit Leerzeichen/und, Komma; 'q'.wav", "日本/鳥 #1.wav"]
LABELS = ["Rose-breasted; maybe", 'O\'Hara "the" owl', "鳥", "a, b"]


def test_any_name_and_any_label(tmp_path, recordings):
    recordings(*NAMES, folder="Aufnahmen 2026")
    audio = tmp_path / "Aufnahmen 2026"
    project, _ = Project.create(tmp_path / "ein Projekt", audio=[audio])
    project.embed("spectral", **SMALL)
    table = tmp_path / "labels.csv"
    import csv

    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["recording", "start_s", "end_s", "label", "presence"])
        for i, name in enumerate(NAMES):
            for j, text in enumerate(LABELS):
                said = "present" if (i + j) % 2 else "absent"
                cell = join_labels([text])
                writer.writerow([name, 0, 0.5, cell, said])
                writer.writerow([name, 0.5, 1, cell, "absent"])
    report = project.import_labels(table)
    assert (report.unknown, set(report.labels)) == ({}, set(LABELS))
    project.train()
    project.detect(threshold=0.0)
    for format in ("csv", "parquet", "raven", "audacity"):
        target = (
            tmp_path / f"out-{format}" / ("x." + format if format in ("csv", "parquet") else "")
        )
        files, rows = project.export(target, format=format, merge=False)
        assert rows == 3 * 2 * 4
        if format == "parquet":
            continue
        again = tmp_path / f"again {format}"
        second, _ = Project.create(again, audio=[audio])
        place = files[0] if format == "csv" else files[0].parent
        back = second.import_labels(place, format=format)
        assert (back.unknown, back.labels) == ({}, dict.fromkeys(sorted(LABELS), 6))
    assert set(project.search(labels=[LABELS[0]])[0].path) <= set("".join(NAMES))
    assert project.search(labels=["鳥"])
    queue = project.write_queue(project.search(like=audio / NAMES[0], k=3), tmp_path / "q.csv")
    assert project.import_labels(queue[0]).unknown == {}


@pytest.mark.skipif(os.name == "nt", reason="names that are not Unicode are a POSIX matter")
def test_a_name_that_is_not_utf8(tmp_path, recordings):
    audio = recordings("a.wav")
    try:
        (audio / "a.wav").rename(audio / os.fsdecode(b"caf\xe9.wav"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    recordings("b.wav")
    project, report = Project.create(tmp_path / "p", audio=[audio])
    # Read or named as unreadable, it does not stop the others.
    assert project.embed("spectral", **SMALL).run.done == 2 - len(report.unreadable)
    assert all("rename" in why for _, why in report.unreadable)
