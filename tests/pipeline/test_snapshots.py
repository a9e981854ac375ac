"""What is read for one answer comes from one snapshot; what is written is not written twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from antiphon.api import Project
from antiphon.errors import FileError, UserError
from antiphon.pipeline.detect import detect
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.embed import embed
from antiphon.pipeline.intake import scan
from antiphon.pipeline.sampling import how_chosen
from antiphon.pipeline.train import train, training_set
from antiphon.pipeline.windows import load_windows
from tests.noise import SMALL


def test_scores_belong_to_the_windows_that_were_read(trained, recordings):
    table = trained.table()
    detector = current_detector(trained.folder, table)
    windows = load_windows(trained.folder, table)
    rows = np.arange(len(windows))
    before = score_windows(windows, detector, rows)
    # A file whose windows sort before all others; another reader then moves the table's view.
    gone = int(windows.recording_id.min())
    entry = windows.recordings.column("id").to_pylist().index(gone)
    place = trained.folder.recording_path(
        windows.recordings.column("root")[entry].as_py(),
        windows.recordings.column("path")[entry].as_py(),
    )
    away = place.with_suffix(".away")
    place.rename(away)
    try:
        scan(trained.folder)
        fewer = load_windows(trained.folder, table)
        assert len(fewer) < len(windows)
        np.testing.assert_array_equal(score_windows(windows, detector, rows), before)
        # The windows that are left are the same sounds in both.
        kept = windows.recording_id != gone
        after = score_windows(fewer, detector, np.arange(len(fewer)))
        np.testing.assert_allclose(after, before[kept], atol=1e-6)
    finally:
        away.rename(place)
        scan(trained.folder)


def test_trainings_at_once_never_share_a_name(labelled):
    folder, table = labelled.folder, labelled.table()
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda seed: train(folder, table, folds=2, seed=seed), range(3)))
    names = [report.detector.facts["name"] for report in made]
    assert len(set(names)) == 3
    for report in made:
        kept = current_detector(folder, table, report.detector.facts["name"])
        assert kept.facts["seed"] == report.detector.facts["seed"]


def test_a_failed_training_leaves_no_name_behind(labelled, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    files = set(labelled.folder.models_dir.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("antiphon.heads.detector.Detector.save", full)
        with pytest.raises(OSError, match="No space"):
            labelled.train(name="later", folds=2)
    assert set(labelled.folder.models_dir.iterdir()) == files
    assert labelled.train(name="later", folds=2).detector.facts["name"] == "later"
    with pytest.raises(UserError, match="choose another --name"):
        labelled.train(name="later", folds=2)


def test_detecting_in_new_audio_adds_to_the_detectors_own_table(trained, recordings):
    table = trained.table()
    new = recordings("new.wav", seed=77)
    config = trained.folder.config
    other = {"float16": "float32", "float32": "float16"}[config.vectors.dtype]
    toml = trained.folder.root / "antiphon.toml"
    text = toml.read_text()
    toml.write_text(
        text + f'\n[vectors]\ndtype = "{other}"\n'
        if "[vectors]" not in text
        else text.replace(config.vectors.dtype, other)
    )
    again = Project(trained.path)
    assert again.folder.config.vectors.dtype == other
    before = [t.name for t in again.folder.tables()]
    report = again.detect(audio=new)
    assert report.embedded is not None
    assert report.embedded.table == table.name
    assert [t.name for t in again.folder.tables()] == before
    assert again.table().name == table.name


def test_new_audio_is_detected_while_the_old_disk_is_away(trained, recordings, survey):
    new = recordings("new.wav", seed=78)
    old = survey.audio
    away = old.with_name("unplugged")
    old.rename(away)
    try:
        report = trained.detect(audio=new)
        assert report.embedded is not None
        assert report.embedded.run.done == 1
        assert report.embedded.complete
        # All that is known of the old recordings stays.
        states = trained.status().recordings
        assert states.get("missing", 0) == 0
        whole = embed(trained.folder)
        assert [str(old)] == whole.intake.absent
        assert not whole.complete
        assert whole.intake.missing == []
    finally:
        away.rename(old)
    assert embed(trained.folder).complete


def test_no_audio_folder_at_all_is_an_error(labelled, survey):
    away = survey.audio.with_name("unplugged")
    survey.audio.rename(away)
    try:
        with pytest.raises(FileError, match="not there"):
            scan(labelled.folder)
    finally:
        away.rename(survey.audio)


def test_another_encoders_windows_are_not_added_to_a_table(labelled):
    from antiphon.encoders.registry import create_encoder

    other = create_encoder("spectral", **SMALL)
    with pytest.raises(UserError, match="another encoder"):
        embed(labelled.folder, other, table=labelled.table())


def test_how_the_labelled_windows_were_chosen_is_said(labelled, tmp_path):
    folder, table = labelled.folder, labelled.table()
    data = training_set(folder, table)
    assert "came from elsewhere" in how_chosen(folder, data.windows)
    said = folder.catalogue.annotations()
    recording = said.column("recording_id").to_numpy()
    some = np.isin(recording, np.unique(recording)[:4])
    folder.catalogue.remove_annotations(ids=said.column("id").to_numpy()[some].tolist())
    for strategy in ("margin", "random"):
        labelled.next(3, strategy=strategy, seed=4)
    windows = load_windows(folder, table)
    chosen = folder.catalogue.events("queue")
    spans = {tuple(w): e.data["strategy"] for e in chosen[-2:] for w in e.data["windows"]}

    def rows_of(strategy: str) -> list[int]:
        keys = zip(windows.recording_id, windows.channel, windows.start_s, strict=True)
        return [
            i for i, (r, c, s) in enumerate(keys)
            if spans.get((int(r), int(c), round(float(s), 6))) == strategy
        ]  # fmt: skip

    by_margin, by_chance = rows_of("margin"), rows_of("random")
    assert how_chosen(folder, windows.take(np.array(by_chance))) == ""
    both = how_chosen(folder, windows.take(np.array(by_margin + by_chance)))
    assert "sought out by a strategy (margin)" in both
    assert f"{len(by_chance)} were drawn at random" in both
    (quality, *_) = labelled.evaluate(folds=2)
    assert "no random sample" in quality.how


def test_detect_checks_new_audio_before_it_changes_the_project(trained, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    before = (trained.folder.root / "antiphon.toml").read_bytes()
    with pytest.raises(FileError, match="no recording"):
        detect(
            trained.folder,
            trained.table(),
            audio=empty,
            encoder=trained.encoder(trained.table()),
        )
    assert (trained.folder.root / "antiphon.toml").read_bytes() == before
