"""A user's own labelled folders, in all the forms that are understood."""

from __future__ import annotations

import pyarrow as pa
import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.evaluation.benchmarks.sets.judged_sets import local_sources
from antiphon.evaluation.benchmarks.sets.local import read_local
from tests.evaluation.benchmarks.replicas import table
from tests.evaluation.benchmarks.sounds import write, write_calls


def clips(folder, header="filename,label,fold,source", rows=None):
    rows = rows or [(f"{n}.wav", "ab"[n % 2], n // 4, f"s{n // 2}") for n in range(8)]
    for row in rows:
        write(folder / "audio" / row[0], 400.0)
    table(folder / "labels.csv", header, rows)


def one(folder, **options):
    found, left_out = read_local(folder, **options)
    return {s.family: s for s in found}, left_out


def test_a_folder_for_each_class(tmp_path):
    for name in ("owl", "wren"):
        for n in range(3):
            write(tmp_path / name / f"{n}.wav")
    found, left_out = one(tmp_path)
    assert set(found) == {"classification"}
    data = found["classification"].labelled
    assert data.classes == ("owl", "wren")
    # Files of one name in two folders are two recordings.
    assert len({item.group for item in data.items}) == 6
    assert any("as individual: no column" in why for why in left_out)
    assert any("as detection: its table has no start and end" in why for why in left_out)


def test_a_table_of_clips_with_folds_and_sources(tmp_path):
    clips(tmp_path)
    data = one(tmp_path)[0]["classification"].labelled
    assert [item.fold for item in data.items] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert data.items[2].group == "s1"
    assert not one(tmp_path)[0]["classification"].multilabel


def test_several_labels_are_joined_from_rows_and_semicolons(tmp_path):
    rows = [("0.wav", "a"), ("0.wav", "b"), ("1.wav", "a;c"), ("2.wav", "b")]
    clips(tmp_path, "filename,label", rows)
    found = one(tmp_path)[0]["classification"]
    assert found.multilabel
    assert [item.labels for item in found.labelled.items] == [("a", "b"), ("a", "c"), ("b",)]


def test_sides_by_a_split_column(tmp_path):
    rows = [(f"{n}.wav", "ab"[n % 2], ("train", "Valid", "testing")[n % 3]) for n in range(6)]
    clips(tmp_path, "file,species,subset", rows)
    data = one(tmp_path)[0]["classification"].labelled
    assert data.counts() == {"all": 6, "train": 2, "validation": 2, "test": 2}
    rows[0] = ("0.wav", "a", "tryout")
    table(tmp_path / "labels.csv", "file,species,subset", rows)
    with pytest.raises(FormatError, match="line 2: the split is 'tryout'"):
        read_local(tmp_path)


def segments(folder):
    rows = []
    for song in range(4):
        bird = ("red", "blue")[song % 2]
        spans = [(0.1 + t, 0.4 + t, 400.0) for t in range(3)]
        write_calls(folder / f"song{song}.wav", spans, 4.0)
        rows += [(f"song{song}", bird, s, e, "xyz"[k]) for k, (s, e, _) in enumerate(spans)]
    table(folder / "syllables.csv", "recording,individual,start_s,end_s,label", rows)


def test_segments_serve_all_four_families(tmp_path):
    segments(tmp_path)
    found, left_out = one(tmp_path, window_s=1.0, shift_s=0.5)
    assert list(found) == ["classification", "detection", "individual", "repertoire"]
    assert left_out == []
    assert found["individual"].labelled.classes == ("blue", "red")
    recordings = found["detection"].labelled.items
    assert len(recordings) == 4
    assert [(e.start_s, e.label) for e in recordings[0].events] == [
        (0.1, "x"),
        (1.1, "y"),
        (2.1, "z"),
    ]
    assert (found["detection"].window_s, found["detection"].shift_s) == (1.0, 0.5)
    assert len(found["repertoire"].labelled.items) == 12


def test_each_individual_can_have_a_repertoire_of_its_own(tmp_path):
    segments(tmp_path)
    sources, _ = local_sources([tmp_path], families=["repertoire"], each_individual=True)
    assert [s.name for s in sources] == [f"{tmp_path.name}-blue", f"{tmp_path.name}-red"]
    assert len(sources[0].load().labelled.items) == 6


def test_a_project_is_read_by_its_annotations(tmp_path):
    from antiphon.labels.annotation import make_annotations
    from antiphon.pipeline.intake import scan
    from antiphon.pipeline.names import RecordingNames
    from antiphon.store.project import ProjectFolder

    for n in range(3):
        write(tmp_path / "audio" / f"{n}.wav", seconds=2.0)
    folder = ProjectFolder.create(tmp_path / "project", [tmp_path / "audio"])
    scan(folder)
    said = make_annotations(
        {
            "recording": ["0.wav", "1.wav", "2.wav"],
            "start_s": [0.0, 0.5, 1.0],
            "end_s": [0.5, 1.0, 1.5],
            "label": ["owl", "wren", "owl"],
        }
    )
    ids = [RecordingNames(folder).find(f"{n}.wav") for n in range(3)]
    with_ids = said.append_column("recording_id", pa.array(ids, pa.int64()))
    folder.catalogue.add_annotations(with_ids, source="test")
    folder.close()
    found, _ = one(tmp_path / "project")
    items = found["repertoire"].labelled.items
    assert [(i.path.name, i.start_s, i.labels) for i in items] == [
        ("0.wav", 0.0, ("owl",)),
        ("1.wav", 0.5, ("wren",)),
        ("2.wav", 1.0, ("owl",)),
    ]


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(FileError, match="no such folder"):
        read_local(tmp_path / "none")
    with pytest.raises(FileError, match="neither a table of labels"):
        read_local(tmp_path)
    clips(tmp_path)
    with pytest.raises(
        UserError, match=r"no family 'clasification'.*Did you mean 'classification'"
    ):
        read_local(tmp_path, families=["clasification"])
    with pytest.raises(UserError, match=r"cannot be judged: .*no column names"):
        read_local(tmp_path, families=["individual"])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert read_local(tmp_path)[0]
    (tmp_path / "labels.csv").rename(tmp_path / "table.csv")
    with pytest.raises(FileError, match=r"holds 2 tables .*--labels FILE"):
        read_local(tmp_path)
    with pytest.raises(FormatError, match=r"no column of files .*its columns are a, b"):
        read_local(tmp_path, labels=tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("filename,label,start", "a.wav,x,1", "a column of starts but none of ends"),
        ("filename,label,start,end", "a.wav,x,2,1", "line 2 is of 2 s to 1 s"),
        ("filename,label,start,end", "a.wav,x,nan,1", "'start' is 'nan' and no number"),
        ("filename,label", "a.wav,", "line 2 has no label"),
        ("filename,label", ",x", "line 2 names no file"),
        ("filename,label,fold", "a.wav,x,one", "'fold' is 'one' and no number"),
        ("filename,label", "a.wav,x,y", "line 2 has 3 cells, the heading has 2"),
    ],
)
def test_cells_that_make_no_sense_are_named(tmp_path, header, row, said):
    write(tmp_path / "a.wav")
    (tmp_path / "labels.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(FormatError, match=said):
        read_local(tmp_path)


def test_missing_audio_is_named_and_the_rest_goes_on(tmp_path):
    clips(tmp_path)
    (tmp_path / "audio" / "3.wav").unlink()
    data = one(tmp_path)[0]["classification"].labelled
    assert len(data.items) == 7
    assert any("1 audio files" in note and "3.wav" in note for note in data.notes)


def test_one_class_or_one_recording_is_not_judged(tmp_path):
    rows = [("a.wav", "x", s, s + 0.2) for s in (0.0, 0.3)]
    write(tmp_path / "a.wav", seconds=1.0)
    table(tmp_path / "labels.csv", "filename,label,start,end", rows)
    found, left_out = one(tmp_path)
    assert set(found) == {"detection"}
    assert any("classification: it has 1 class" in why for why in left_out)
    table(tmp_path / "labels.csv", "filename,label,start,end", [*rows, ("a.wav", "y", 0.6, 0.8)])
    assert any("one recording" in why for why in one(tmp_path)[1])


def test_one_of_several_files_of_a_name_is_not_guessed(tmp_path):
    for folder in ("x", "y"):
        write(tmp_path / folder / "1.wav", 400.0)
    write(tmp_path / "x" / "2.wav", 400.0)
    write(tmp_path / "3.wav", 400.0)
    rows = [("gone/1.wav", "a"), ("gone/2.wav", "a"), ("3.wav", "b"), ("n" * 300 + ".wav", "b")]
    table(tmp_path / "labels.csv", "filename,label", rows)
    data = one(tmp_path)[0]["classification"].labelled
    assert [item.path.name for item in data.items] == ["2.wav", "3.wav"]
    assert any("2 audio files that labels.csv names are not there" in note for note in data.notes)
