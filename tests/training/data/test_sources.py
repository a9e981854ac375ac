from __future__ import annotations

import numpy as np
import pyarrow as pa
import pydantic
import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.labels.annotation import make_annotations
from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import RecordingEntry
from antiphon.training.data.matching import match_recordings
from antiphon.training.data.sources import read_sources
from antiphon.training.data.targets import crop_targets
from tests.training.data.making import (
    RATE,
    config,
    folder_of_tones,
    table_of,
    tone,
    write,
    write_csv,
)


def classes_by_name(table):
    return {
        table.name(int(table.recording[i])).rsplit("/", 1)[-1]: [
            table.classes.names[c] for c in table.classes_of(i)
        ]
        for i in range(len(table))
    }


def test_folder_names_as_labels(tmp_path):
    folder_of_tones(tmp_path, ["wren/a", "wren/b", "deep/owl/c", "d"])
    table = table_of(config({"kind": "folder", "path": tmp_path, "label_folders": True}))
    assert table.classes.names == ("owl", "wren")
    assert classes_by_name(table) == {
        "a.wav": ["wren"],
        "b.wav": ["wren"],
        "c.wav": ["owl"],
        "d.wav": [],
    }
    assert table.class_counts().tolist() == [1, 2]


def test_label_table_by_path_name_and_stem(tmp_path):
    folder_of_tones(tmp_path, ["one/a", "one/b", "two/a", "c"])
    write_csv(
        tmp_path / "labels.csv",
        ["filename", "label"],
        [
            ["one/a.wav", "Wren; Owl"],
            ["b", "Owl"],
            ["two\\a.wav", "Fox"],
            ["elsewhere/c.wav", "Fox"],
        ],
    )
    table = table_of(config({"kind": "folder", "path": tmp_path, "labels": "labels.csv"}))
    assert table.classes.names == ("Fox", "Owl", "Wren")
    found = [[table.classes.names[c] for c in table.classes_of(i)] for i in range(4)]
    # In the order of the paths: c, one/a, one/b, two/a.
    assert found == [["Fox"], ["Owl", "Wren"], ["Owl"], ["Fox"]]


def test_a_name_that_fits_two_recordings_is_an_error(tmp_path):
    folder_of_tones(tmp_path, ["one/a", "two/a"])
    write_csv(tmp_path / "labels.csv", ["filename", "label"], [["a.wav", "Wren"]])
    with pytest.raises(FormatError, match=r"'a\.wav' fits several recordings"):
        table_of(config({"kind": "folder", "path": tmp_path, "labels": "labels.csv"}))


def test_labels_of_recordings_that_are_not_there(tmp_path):
    folder_of_tones(tmp_path, ["a"])
    write_csv(tmp_path / "l.csv", ["filename", "label"], [["a.wav", "Wren"], ["b.wav", "Owl"]])
    source = {"kind": "folder", "path": tmp_path, "labels": "l.csv"}
    with pytest.raises(FormatError, match=r"names 1 recordings that are not in .*'b\.wav'"):
        table_of(config(source))
    table, notes = read_sources(config({**source, "missing": "report"}))
    assert len(notes) == 1
    assert "'b.wav'" in notes[0]
    assert table.classes.names == ("Wren",)


def test_annotated_spans_cut_a_recording_into_windows(tmp_path):
    folder_of_tones(tmp_path, ["long", "plain"], seconds=4.5)
    write_csv(
        tmp_path / "l.csv",
        ["filename", "start_s", "end_s", "label"],
        [
            ["long.wav", 0.8, 2.6, "Wren"],
            ["long.wav", 3.2, 3.3, "Owl"],
            ["plain.wav", "", "", "Fox"],
        ],
    )
    source = {"kind": "folder", "path": tmp_path, "labels": "l.csv"}
    table = table_of(config(source))
    assert table.start_s.tolist() == [0, 1, 2, 3, 4, 0]
    assert table.end_s.tolist() == [1, 2, 3, 4, 4.5, np.inf]
    assert table.fixed.tolist() == [True] * 5 + [False]
    found = [[table.classes.names[c] for c in table.classes_of(i)] for i in range(6)]
    # Wren shares 0.2, 1.0 and 0.6 s with the first three windows.
    assert found == [[], ["Wren"], ["Wren"], ["Owl"], [], ["Fox"]]
    labels, known = crop_targets(table, 0, 0.0, 1.0, 0.5)
    wren = table.classes.names.index("Wren")
    assert (labels[wren], known[wren]) == (0, 0)


def test_only_clips_of_which_something_is_known(tmp_path):
    folder_of_tones(tmp_path, ["a", "b", "c"])
    rows = [["a.wav", "Wren", "present"], ["b.wav", "", "absent"]]
    write_csv(tmp_path / "l.csv", ["filename", "label", "presence"], rows)
    source = {"kind": "folder", "path": tmp_path, "labels": "l.csv"}
    assert len(table_of(config(source))) == 3
    assert len(table_of(config(source, labelled_only=True))) == 2


def test_sources_keep_apart_and_share_classes(tmp_path):
    folder_of_tones(tmp_path / "one", ["wren/a", "owl/b"])
    folder_of_tones(tmp_path / "two", ["Wren/c", "fox/d"])
    table = table_of(
        config(
            {"kind": "folder", "path": tmp_path / "one", "label_folders": True},
            {
                "kind": "folder",
                "path": tmp_path / "two",
                "label_folders": True,
                "domain": "general",
            },
        )
    )
    assert table.classes.names == ("owl", "wren", "fox")
    assert [s.own.tolist() for s in table.sources] == [[True, True, False], [False, True, True]]
    assert table.source_of_clips.tolist() == [0, 0, 1, 1]
    assert [table.name(r).split("/")[-3:] for r in range(4)] == [
        ["one", "owl", "b.wav"],
        ["one", "wren", "a.wav"],
        ["two", "Wren", "c.wav"],
        ["two", "fox", "d.wav"],
    ]


def test_settings_that_do_not_fit(tmp_path):
    folder_of_tones(tmp_path / "one", ["wren/a"])
    source = {"kind": "folder", "path": tmp_path / "one", "label_folders": True}
    with pytest.raises(UserError, match="Two sources are called 'one'"):
        table_of(config(source, source))
    with pytest.raises(UserError, match="rename lists 'wrem'"):
        table_of(config({**source, "rename": {"wrem": "Wren"}}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="holds no recording"):
        table_of(config({"kind": "folder", "path": tmp_path / "empty"}))
    with pytest.raises(pydantic.ValidationError, match="exclude each other"):
        config({**source, "labels": "x.csv"})
    with pytest.raises(pydantic.ValidationError, match="needs metadata"):
        config({**source, "group_column": "site"})
    with pytest.raises(pydantic.ValidationError, match="either all sources"):
        config({**source, "weight": 1}, {**source, "name": "two"})
    with pytest.raises(pydantic.ValidationError, match="pathh"):
        config({**source, "pathh": "x"})


def test_unreadable_recordings_with_spans_are_told(tmp_path):
    folder_of_tones(tmp_path, ["a", "b"])
    (tmp_path / "b.wav").write_bytes(b"RIFF nonsense")
    rows = [["a.wav", 0, 1, "Wren"], ["b.wav", 0, 1, "Wren"]]
    write_csv(tmp_path / "l.csv", ["filename", "start_s", "end_s", "label"], rows)
    source = {"kind": "folder", "path": tmp_path, "labels": "l.csv"}
    table, notes = read_sources(config(source, max_fault_share=0.5))
    assert len(notes) == 1
    assert "b.wav" in notes[0]
    assert set(table.recording.tolist()) == {0}
    with pytest.raises(UserError, match=r"1 of 2 recordings cannot be read.*0\.01"):
        read_sources(config(source))


def test_a_project_as_a_source(tmp_path):
    for name, seconds in (("a", 2.0), ("b", 3.0), ("c", 1.0)):
        write(tmp_path / "audio" / f"{name}.wav", tone(100, seconds))
    folder = ProjectFolder.create(tmp_path / "project", [tmp_path / "audio"])
    entries = [
        RecordingEntry(
            "audio",
            f"{name}.wav",
            f"key{name}",
            1,
            1,
            "WAV",
            RATE,
            1,
            round(seconds * RATE),
            site=site,
        )
        for name, seconds, site in (("a", 2, "S1"), ("b", 3, "S1"), ("c", 1, "S2"))
    ]
    folder.catalogue.sync_recordings(entries)
    ids = folder.catalogue.recordings().column("id").to_pylist()
    folder.catalogue.set_label("Wren", kind="species", scientific_name="Troglodytes troglodytes")
    table = make_annotations(
        {
            "recording": ["b", "c", "c"],
            "start_s": [1.2, None, None],
            "end_s": [1.9, None, None],
            "label": ["Wren", "Owl", "Wren"],
            "presence": ["present", "present", "absent"],
        }
    )
    table = table.append_column("recording_id", pa.array([ids[1], ids[2], ids[2]]))
    folder.catalogue.add_annotations(table)
    folder.close()
    other = folder_of_tones(tmp_path / "more", ["Troglodytes troglodytes/x"])
    data = config(
        {"kind": "project", "path": tmp_path / "project", "group": "site"},
        {"kind": "folder", "path": other, "label_folders": True},
    )
    clips = table_of(data)
    assert sorted(clips.classes.names) == ["Owl", "Wren"]
    wren, owl = clips.classes.names.index("Wren"), clips.classes.names.index("Owl")
    assert clips.recording.tolist() == [0, 1, 1, 1, 2, 3]
    assert [clips.classes_of(i).tolist() for i in range(6)] == [[], [], [wren], [], [owl], [wren]]
    labels, known = crop_targets(clips, 2, 0.0, 1.0, 0.5)
    assert (labels[owl], labels[wren], known[owl], known[wren]) == (1, 0, 1, 1)
    assert clips.groups.take(clips.recordings.group).to_pylist()[:3] == ["S1", "S1", "S2"]
    np.testing.assert_array_equal(clips.recordings.duration_s[:3], [2, 3, 1])


def test_a_recording_that_is_not_there_is_not_another_of_its_name(tmp_path):
    folder = folder_of_tones(tmp_path / "a", ["siteB/001", "siteB/002"])
    rows = [["siteA/001.wav", "wolf"], ["siteB/001.wav", "frog"], ["/old/disk/siteB/002", "owl"]]
    write_csv(folder / "labels.csv", ["file", "label"], rows)
    source = {"kind": "folder", "path": folder, "labels": "labels.csv"}
    with pytest.raises(FormatError, match=r"1 recordings .*siteA/001.wav"):
        table_of(config(source))
    table, notes = read_sources(config({**source, "missing": "report"}))
    assert classes_by_name(table) == {"001.wav": ["frog"], "002.wav": ["owl"]}
    assert len(notes) == 1


def test_annotations_that_no_crop_can_show_are_told(tmp_path):
    folder = folder_of_tones(tmp_path / "a", ["one"])
    rows = [["one.wav", 1000, 1500, 10, 20, "a"], ["one.wav", 1, 2, RATE, 2 * RATE, "a"]]
    write_csv(folder / "labels.csv", ["file", "start", "end", "low_hz", "high_hz", "label"], rows)
    notes = read_sources(config({"kind": "folder", "path": folder, "labels": "labels.csv"}))[1]
    assert len(notes) == 2
    assert any("1 of 2 annotations begin after the end" in note for note in notes)
    assert any("1 annotations lie above 1000 Hz" in note for note in notes)


def test_no_clip_left_says_why(tmp_path):
    folder = folder_of_tones(tmp_path / "a", ["one", "two"])
    write_csv(folder / "m.csv", ["file", "split"], [["one.wav", "Train"], ["two.wav", "Test"]])
    source = {"kind": "folder", "path": folder}
    with pytest.raises(UserError, match=r"labelled_only keeps clips with labels"):
        table_of(config(source, labelled_only=True))
    with pytest.raises(UserError, match=r"no value of the split columns"):
        table_of(config({**source, "metadata": "m.csv", "split_column": "split"}))


def test_a_domain_without_weight_is_told(tmp_path):
    sources = [
        {"kind": "folder", "path": folder_of_tones(tmp_path / name, [name]), "domain": name}
        for name in ("bio", "general")
    ]
    assert read_sources(config(*sources, mix={"bio": 1}))[1] == [
        "Sources of the domain general are never drawn: data.mix gives it no weight."
    ]
    assert read_sources(config(*sources, mix={"bio": 1, "general": 1}))[1] == []


@pytest.mark.parametrize(
    ("names", "paths", "expected"),
    [
        # Folders of one name fit, so the other's should as well.
        (["siteA/001.wav", "siteB/002.wav"], ["siteB/001.wav", "siteB/002.wav"], [-1, 1]),
        (["/old/siteA/001", "/old/siteB/002"], ["siteB/001.wav", "siteB/002.wav"], [-1, 1]),
        # Folders of a machine that is gone.
        (["/old/001.wav", "C:\\old\\002.wav"], ["siteB/001.wav", "siteB/002.wav"], [0, 1]),
        (["/old/001.wav", "siteB/002.wav"], ["001.wav", "siteB/002.wav"], [0, 1]),
        (["001", "siteB/001.wav"], ["siteB/001.wav"], [0, 0]),
    ],
)
def test_which_recording_a_name_means(tmp_path, names, paths, expected):
    found = match_recordings(pa.array(names), pa.array(paths, pa.large_string()), tmp_path)
    assert found.tolist() == expected


def test_tables_of_one_name_in_two_folders_are_about_the_recordings_of_these(tmp_path):
    folder = folder_of_tones(tmp_path / "f", ["siteA/001", "siteB/001"])
    for site, label in (("siteA", "wolf"), ("siteB", "owl")):
        place = tmp_path / "tables" / site / "001.txt"
        place.parent.mkdir(parents=True)
        place.write_text(f"0.1\t0.9\t{label}\n", encoding="utf-8")
    source = {"kind": "folder", "path": folder, "labels": tmp_path / "tables"}
    table = table_of(config(source, clip_s=3.0))
    found = {
        table.name(int(table.recording[clip])): [
            table.classes.names[c] for c in table.classes_of(clip)
        ]
        for clip in range(len(table))
    }
    assert found == {f"{folder}/siteA/001.wav": ["wolf"], f"{folder}/siteB/001.wav": ["owl"]}
    (folder / "siteA" / "001.wav").unlink()
    with pytest.raises(FormatError, match=r"names 1 recordings that are not .*siteA/001"):
        table_of(config(source))
