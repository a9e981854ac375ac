"""init, embed, index, status, encoders."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from antiphon.api import Project
from antiphon.store.session import EmbeddingSession
from tests.conftest import ENCODER
from tests.noise import SMALL


def settings(parameters):
    return [part for k, v in parameters.items() for part in ("--set", f"{k}={v}")]


def test_init_embed_status(antiphon, tmp_path, survey):
    place = tmp_path / "my project"
    made = antiphon("init", place, "--audio", survey.audio, "--metadata", survey.metadata)
    assert made.code == 0
    assert "16 new" in made.out
    first = antiphon("embed", place, "--encoder", "spectral", *settings(ENCODER))
    assert first.code == 0
    assert "16 recordings embedded now, 0 before; 160 windows now, 160 in all" in first.out
    # Without a word, the encoder, its parameters and the hop are those of the newest table.
    again = antiphon("embed", place)
    assert again.code == 0
    assert "0 recordings embedded now, 16 before; 0 windows now, 160 in all" in again.out
    shown = antiphon("status", place)
    assert "Recordings: 16 ok" in shown.out
    assert "FOREST01 (4)" in shown.out
    assert "16 of 16" in shown.out
    now = json.loads(antiphon("status", place, "--json").out)
    assert now["recordings"] == {"ok": 16}
    assert now["sites"] == {"FOREST01": 4, "FOREST04": 4, "MEADOW03": 4, "WETLAND02": 4}
    assert now["hours"] == pytest.approx(16 * 20 / 3600)
    (table,) = now["tables"]
    assert (table["windows"], table["recordings"], table["of"]) == (160, 16, 16)


def test_status_shows_labels_and_detectors(antiphon, read_only):
    now = json.loads(antiphon("status", read_only.path, "--json").out)
    assert now["detectors"] == ["first"]
    assert now["labels"]["Lantern Whistler"] > 0
    assert "Detectors: first" in antiphon("status", read_only.path).out


def test_init_again_adds_a_folder(antiphon, tmp_path, recordings):
    one, two = recordings("a.wav", folder="one"), recordings("b.wav", folder="two")
    assert antiphon("init", tmp_path / "p", "--audio", one).code == 0
    again = antiphon("init", tmp_path / "p", "--audio", two)
    assert "1 new, 0 changed, 1 as before" in again.out


def test_init_refuses_what_cannot_be_used_and_makes_nothing(antiphon, tmp_path, recordings):
    place, audio = tmp_path / "p", recordings("a.wav")
    (tmp_path / "empty").mkdir()
    table = tmp_path / "sites.csv"
    table.write_text("name,site\na.wav,Hill\n")
    for arguments, said in (
        (["--audio", tmp_path / "nowhere"], "nowhere: there is no such folder"),
        (["--audio", tmp_path / "empty"], "empty: there is no recording in this folder"),
        (["--audio", audio, "--channel", "left"], "--channel is 'left'"),
        (["--audio", audio, "--metadata", tmp_path / "no.csv"], "no.csv: this metadata table is"),
        (["--audio", audio, "--metadata", table], "sites.csv: no column names the recording"),
    ):
        ran = antiphon("init", place, *arguments)
        assert ran.code == 2
        assert said in ran.err
        assert not place.exists()


def test_a_project_keeps_its_channel(antiphon, tmp_path, recordings):
    audio = recordings("a.wav", channels=2)
    assert antiphon("init", tmp_path / "p", "--audio", audio, "--channel", "each").code == 0
    assert antiphon("init", tmp_path / "p", "--audio", audio).code == 0
    assert Project(tmp_path / "p").folder.config.channel == "each"
    refused = antiphon("init", tmp_path / "p", "--audio", audio, "--channel", "0")
    assert refused.code == 2
    assert "--channel is 0" in refused.err
    assert "antiphon.toml" in refused.err


def test_metadata_tables_of_one_name_are_not_laid_over_each_other(antiphon, tmp_path, recordings):
    audio = recordings("a.wav", "b.wav")
    for folder, name in (("1", "a.wav"), ("2", "b.wav")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.csv").write_text(f"file,site\n{name},Hill {folder}\n")
    tables = ["--metadata", tmp_path / "1" / "m.csv", "--metadata", tmp_path / "2" / "m.csv"]
    ran = antiphon("init", tmp_path / "p", "--audio", audio, *tables)
    assert ran.code == 2
    assert "one file name" in ran.err


def test_what_metadata_does_not_cover_is_said(antiphon, tmp_path, recordings):
    audio = recordings("a.wav", "b.wav")
    table = tmp_path / "m.csv"
    table.write_text("file,site\na.wav,Hill\nlost.wav,Hill\n")
    ran = antiphon("init", tmp_path / "p", "--audio", audio, "--metadata", table)
    assert ran.code == 0
    assert "1 recordings have no row in the metadata table" in ran.err
    assert "1 metadata rows name no recording (lost.wav)" in ran.err


def test_bad_recordings_are_named_and_the_rest_is_kept(antiphon, tmp_path, recordings):
    audio = recordings("good.wav", "cut.wav")
    (audio / "text.wav").write_text("this is no audio")
    whole = (audio / "cut.wav").read_bytes()
    (audio / "cut.wav").write_bytes(whole[: len(whole) // 2])
    for verb in (("init", tmp_path / "p", "--audio", audio), ("embed", tmp_path / "p")):
        ran = antiphon(*verb, *(settings(SMALL) if verb[0] == "embed" else ()))
        assert ran.code == 1
        assert "text.wav: cannot be read: " in ran.err
        assert "cut.wav: only in part: " in ran.err
        assert "everything else is kept" in ran.err
    assert Project(tmp_path / "p").table().count() == 2 + 1
    shown = antiphon("status", tmp_path / "p")
    assert shown.code == 0
    assert {row[0] for row in shown.rows("recording")} == {"text.wav", "cut.wav"}


def test_nothing_readable_at_all(antiphon, tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "x.wav").write_text("no audio")
    assert antiphon("init", tmp_path / "p", "--audio", tmp_path / "audio").code == 1
    ran = antiphon("embed", tmp_path / "p")
    assert ran.code == 2
    assert "There is no readable recording" in ran.err


def test_a_channel_that_some_recordings_lack(antiphon, tmp_path, recordings):
    audio = recordings("mono.wav")
    recordings("stereo.wav", channels=2)
    antiphon("init", tmp_path / "p", "--audio", audio)
    ran = antiphon("embed", tmp_path / "p", "--channel", "1", *settings(SMALL))
    assert ran.code == 1
    assert "mono.wav: not embedded: " in ran.err
    assert "1 recordings embedded now" in ran.out
    # It is not tried again at every run, but it is not forgotten either.
    again = antiphon("embed", tmp_path / "p", "--channel", "1", *settings(SMALL))
    assert again.code == 1
    assert "mono.wav: failed in an earlier run" in again.err
    assert "--retry-failed" in again.err
    assert "mono.wav" in antiphon("status", tmp_path / "p").out
    tried = antiphon("embed", tmp_path / "p", "--channel", "1", "--retry-failed", *settings(SMALL))
    assert tried.code == 1
    assert "mono.wav: not embedded: " in tried.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--encoder", "nope"], "There is no encoder 'nope'. There are: spectral"),
        (["--encoder", "nope.yaml"], "nope.yaml: there is no such manifest"),
        (["--encoder", "perch_v2"], "perch_v2"),
        (["--set", "window"], "KEY=VALUE"),
        (["--set", "windw_s=3"], "unknown key 'windw_s'"),
        (["--set", "window_s=long"], "window_s"),
        (["--hop", "5"], "--hop is 5 s"),
        (["--hop", "0"], "--hop is 0 s"),
        (["--hop", "-1"], "--hop is -1 s"),
        (["--hop", "nan"], "--hop is nan s"),
        (["--channel", "left"], "--channel is 'left'"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_embed_refuses_what_cannot_be(antiphon, read_only, monkeypatch, arguments, said):
    monkeypatch.delenv("ANTIPHON_MODELS", raising=False)
    ran = antiphon("embed", read_only.path, *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert len(read_only.folder.tables()) == 1


def test_a_manifest_with_a_typing_error(antiphon, tmp_path, read_only):
    manifest = tmp_path / "net.yaml"
    manifest.write_text("name: net\nmodel: net.onnx\nruntime: onnx\nsample_rat: 8000\n")
    ran = antiphon("embed", read_only.path, "--encoder", manifest)
    assert ran.code == 2
    assert "net.yaml" in ran.err
    assert "sample_rat" in ran.err


def test_a_network_given_by_a_manifest(antiphon, tmp_path, recordings, monkeypatch):
    from tests.encoders.make import manifest_file, onnx_file

    (tmp_path / "net").mkdir()
    onnx_file(tmp_path / "net" / "tiny.onnx")
    manifest_file(tmp_path / "net", window_s=0.008)
    audio = recordings("a.wav", "b.wav", seconds=0.1)
    antiphon("init", tmp_path / "p", "--audio", audio)
    monkeypatch.chdir(tmp_path / "net")
    assert antiphon("embed", tmp_path / "p", "--encoder", "tiny.yaml").code == 0
    # The project finds it again from anywhere, and notices when it changes.
    monkeypatch.chdir(tmp_path)
    hits = antiphon("search", tmp_path / "p", "--like", audio / "a.wav", "-k", "1", "--json")
    assert json.loads(hits.out)[0]["path"] == "a.wav"
    manifest_file(tmp_path / "net", output={"embedding": "z"})
    changed = antiphon("search", tmp_path / "p", "--like", audio / "a.wav")
    assert changed.code == 2
    assert "has changed" in changed.err
    (tmp_path / "net" / "tiny.onnx").write_bytes(b"\x00" * 100)
    broken = antiphon("embed", tmp_path / "p")
    assert broken.code == 2
    assert "tiny.onnx" in broken.err


@pytest.mark.parametrize("verb", ["status", "embed", "search", "next", "train", "detect", "export"])
def test_a_folder_that_is_no_project(antiphon, tmp_path, verb):
    nowhere = antiphon(verb, tmp_path / "nowhere")
    assert nowhere.code == 2
    assert "nowhere: this folder is not there" in nowhere.err
    (tmp_path / "other").mkdir()
    other = antiphon(verb, tmp_path / "other")
    assert other.code == 2
    assert "other: this is not a project" in other.err
    assert "antiphon init" in other.err


def test_settings_with_a_typing_error(antiphon, labelled):
    path = labelled.path / "antiphon.toml"
    text = path.read_text()
    path.write_text(text.replace("channel =", "chanel ="))
    ran = antiphon("status", labelled.path)
    assert ran.code == 2
    assert "antiphon.toml" in ran.err
    assert "chanel" in ran.err
    path.write_text(text + "\n[train\n")
    assert "antiphon.toml" in antiphon("status", labelled.path).err


def test_a_catalogue_of_a_newer_version(antiphon, labelled):
    import sqlite3

    with sqlite3.connect(labelled.path / "catalogue.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    database.close()
    ran = antiphon("status", labelled.path)
    assert ran.code == 2
    assert "newer" in ran.err
    assert "catalogue.db" in ran.err


def test_an_audio_folder_that_went_away(antiphon, tmp_path, recordings):
    audio = recordings("a.wav")
    antiphon("init", tmp_path / "p", "--audio", audio)
    audio.rename(tmp_path / "elsewhere")
    ran = antiphon("embed", tmp_path / "p", *settings(SMALL))
    assert ran.code == 2
    assert f"{audio}: " in ran.err
    assert "antiphon.toml" in ran.err


def test_a_full_disk_stops_the_run_and_keeps_what_is_finished(
    antiphon, tmp_path, recordings, monkeypatch
):
    audio = recordings(*(f"{i}.wav" for i in range(6)))
    antiphon("init", tmp_path / "p", "--audio", audio)
    real, calls = EmbeddingSession.finish, []

    def fail(self: EmbeddingSession, recording_id: int) -> int:
        calls.append(recording_id)
        if len(calls) > 3:
            from antiphon.store.faults import writing

            with writing(tmp_path / "p"):
                raise OSError(28, os.strerror(28))
        return real(self, recording_id)

    monkeypatch.setattr(EmbeddingSession, "finish", fail)
    full = antiphon("embed", tmp_path / "p", *settings(SMALL))
    assert full.code == 1
    assert "the disk is full" in full.err
    assert "run the same command again" in full.err
    monkeypatch.undo()
    again = antiphon("embed", tmp_path / "p")
    assert again.code == 0
    assert "3 recordings embedded now, 3 before; 6 windows now, 12 in all" in again.out


def test_embed_stopped_with_ctrl_c(antiphon, tmp_path, recordings, monkeypatch):
    audio = recordings(*(f"{i}.wav" for i in range(4)))
    antiphon("init", tmp_path / "p", "--audio", audio)
    real, calls = EmbeddingSession.finish, []

    def stop(self: EmbeddingSession, recording_id: int) -> int:
        calls.append(recording_id)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(self, recording_id)

    monkeypatch.setattr(EmbeddingSession, "finish", stop)
    ran = antiphon("embed", tmp_path / "p", *settings(SMALL))
    assert ran.code == 130
    assert "2 recordings embedded now" in ran.out
    assert "run the same command again" in ran.err
    monkeypatch.undo()
    assert "2 recordings embedded now, 2 before" in antiphon("embed", tmp_path / "p").out


def test_index(antiphon, trained, survey):
    clip = next(survey.audio.rglob("*.wav"))
    exact = antiphon("search", trained.path, "--like", clip, "-k", "5", "--exact").rows("score")
    ran = antiphon("index", trained.path)
    assert ran.code == 0
    assert "160 windows" in ran.out
    found = antiphon("search", trained.path, "--like", clip, "-k", "5").rows("score")
    assert [row[1:] for row in found] == [row[1:] for row in exact]


def test_encoders(antiphon, monkeypatch):
    monkeypatch.delenv("ANTIPHON_MODELS", raising=False)
    ran = antiphon("encoders")
    assert ran.code == 0
    ready = {row[0]: row[2] for row in ran.rows("name")}
    assert ready["spectral"] == "yes"
    cards = json.loads(antiphon("encoders", "--json").out)
    for card in cards:
        assert ready[card["name"]] == ("yes" if card["available"] else "no")
        assert card["available"] or card["why_not"] in ran.out


def test_a_copied_project_works(antiphon, trained, tmp_path):
    shutil.move(trained.path, tmp_path / "moved to")
    ran = antiphon("search", tmp_path / "moved to", "--detected", "Paper Thrush")
    assert ran.code == 0
    assert Path(ran.rows("score")[0][1]).suffix == ".wav"


def test_a_project_that_may_only_be_read(antiphon, trained, survey, tmp_path, monkeypatch):
    trained.folder.close()
    before = _changed_at(trained.path)
    monkeypatch.setattr("os.access", lambda path, mode, **_: mode != os.W_OK)
    told = antiphon("status", trained.path)
    assert (told.code, told.err) == (0, "")
    assert "Detectors: first" in told.out
    clip = sorted(survey.audio.rglob("*.wav"))[0]
    assert antiphon("search", trained.path, "--like", clip, "-k", "3").code == 0
    assert antiphon("export", trained.path, "--out", tmp_path / "found.csv").code == 0
    table = tmp_path / "new.csv"
    table.write_text(f"recording,start_s,end_s,label\n{clip.name},0,1,Owl\n")
    ran = antiphon("import", trained.path, table)
    assert ran.code == 2
    assert "cannot be opened for writing" in ran.err
    assert _changed_at(trained.path) == before


def _changed_at(project):
    """When each file changed; SQLite's shared memory is touched by whoever still has it open."""
    files = [p for p in project.iterdir() if p.is_file() and not p.name.endswith("-shm")]
    return {p.name: p.stat().st_mtime_ns for p in files}
