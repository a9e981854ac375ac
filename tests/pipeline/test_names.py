from __future__ import annotations

import pyarrow as pa
import pytest

from antiphon.api import Project
from antiphon.errors import UserError
from antiphon.pipeline.export import annotation_table
from antiphon.pipeline.names import RecordingNames, recording_names
from tests.noise import SMALL


def test_a_folder_leads_the_path_only_where_it_must():
    rows = pa.table({"root": ["A", "B", "A", "A"], "path": ["x.wav", "x.wav", "y.wav", "y.wav"]})
    assert recording_names(rows) == ["A/x.wav", "B/x.wav", "y.wav", "y.wav"]


@pytest.fixture
def cards(tmp_path, recordings):
    """Two memory cards on which the recorder gave its files the same names."""
    recordings("x.wav", "y.wav", folder="deployment 1/DCIM", seed=1)
    recordings("x.wav", folder="deployment 2/DCIM", seed=2)
    roots = [tmp_path / f"deployment {i}" / "DCIM" for i in (1, 2)]
    project, _ = Project.create(tmp_path / "p", audio=roots)
    project.embed("spectral", **SMALL)
    return project


def test_names_find_the_right_card(cards, tmp_path):
    names = RecordingNames(cards.folder)
    rows = {
        (r["root"], r["path"]): r["id"] for r in cards.folder.catalogue.recordings().to_pylist()
    }
    assert names.find("DCIM/x.wav") == rows["DCIM", "x.wav"]
    assert names.find("DCIM-2/x.wav") == rows["DCIM-2", "x.wav"]
    assert names.find(str(tmp_path / "deployment 2" / "DCIM" / "x.wav")) == rows["DCIM-2", "x.wav"]
    assert names.find(r"E:\deployment 1\DCIM\X.WAV") == rows["DCIM", "x.wav"]
    assert names.find("../anything/y") == rows["DCIM", "y.wav"]
    assert names.find("z.wav") is None
    with pytest.raises(UserError, match=r"DCIM/x\.wav, DCIM-2/x\.wav"):
        names.find("x.wav")


def track(place, label):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"0.1\t0.5\t{label}\n", encoding="utf-8")


def said(project):
    table = annotation_table(project.folder)
    return sorted(
        zip(table.column("recording").to_pylist(), table.column("label").to_pylist(), strict=True)
    )


def test_a_table_is_about_the_recording_of_its_own_folder(tmp_path, recordings):
    for site in "AB":
        recordings("x.wav", folder=f"audio/site{site}", seed=ord(site))
    recordings("y.wav", folder="audio/siteA", seed=3)
    project, _ = Project.create(tmp_path / "p", audio=[tmp_path / "audio"])
    tables = tmp_path / "tables"
    track(tables / "siteA" / "x.txt", "in A")
    track(tables / "siteB" / "x.txt", "in B")
    # No recording of the project is of this site, though one has this name.
    track(tables / "siteC" / "y.txt", "in C")
    report = project.import_labels(tables)
    assert said(project) == [("siteA/x.wav", "in A"), ("siteB/x.wav", "in B")]
    assert report.unknown == {"siteC/y": 1}


def test_which_folder_of_a_table_says_nothing(tmp_path, recordings):
    recordings("x.wav", folder="audio/siteA", seed=1)
    project, _ = Project.create(tmp_path / "p", audio=[tmp_path / "audio"])
    names = RecordingNames(project.folder)
    (here,) = names.name
    # A folder for each annotator, none of which is a recording's.
    found = names.find_all(["ann/x", "bob/x"], placed={"ann/x", "bob/x"})
    assert found == {"ann/x": here, "bob/x": here}
    # Folders of tables that are those of recordings: another one's x is not there.
    found = names.find_all(["siteA/x", "siteB/x"], placed={"siteA/x", "siteB/x"})
    assert found == {"siteA/x": here, "siteB/x": None}
    # What the table itself says is taken as before.
    assert names.find_all(["siteA/x", "siteB/x"], placed={"siteA/x"})["siteB/x"] == here


def test_tables_of_one_recording_in_two_folders_complete_each_other(tmp_path, recordings):
    recordings("x.wav", folder="audio/siteA", seed=1)
    project, _ = Project.create(tmp_path / "p", audio=[tmp_path / "audio"])
    track(tmp_path / "tables" / "ann" / "x.txt", "wren")
    track(tmp_path / "tables" / "bob" / "x.txt", "owl")
    report = project.import_labels(tmp_path / "tables", complete=True)
    assert (report.recordings, report.labels) == (1, {"owl": 1, "wren": 1})
    # Of the whole recording neither is absent: each is marked in one of the two.
    assert report.absences == 1
    rows = annotation_table(project.folder).to_pylist()
    (absent,) = [row for row in rows if row["presence"] == "absent"]
    assert sorted(absent["scope"]) == ["owl", "wren"]


def test_a_table_that_fits_two_recordings_is_refused_by_name(tmp_path, recordings):
    for site in "AB":
        recordings("x.wav", folder=f"audio/site{site}", seed=ord(site))
    project, _ = Project.create(tmp_path / "p", audio=[tmp_path / "audio"])
    track(tmp_path / "tables" / "checked" / "x.txt", "a")
    with pytest.raises(UserError, match=r"'checked/x'.*siteA/x\.wav, siteB/x\.wav"):
        project.import_labels(tmp_path / "tables")


@pytest.mark.parametrize("format", ["csv", "raven", "audacity"])
def test_a_queue_over_two_cards_comes_back_to_the_right_one(cards, tmp_path, format):
    items = cards.next(6)
    target = tmp_path / ("q.csv" if format == "csv" else "q")
    for path in cards.write_queue(items, target, format=format):
        text = path.read_text(encoding="utf-8")
        if format == "audacity":
            lines = [line.split("\t")[:2] for line in text.splitlines()]
            text = "".join("\t".join([*line, f"in {path.stem}"]) + "\n" for line in lines)
        else:
            comma = "," if format == "csv" else "\t"
            lines = [line.split(comma) for line in text.splitlines()]
            column = [cell.lower() for cell in lines[0]].index("labels")
            name = next(i for i, c in enumerate(lines[0]) if c in ("recording", "Begin Path"))
            for line in lines[1:]:
                line[column] = f"in {line[name]}"
            text = "".join(comma.join(line) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8")
    report = cards.import_labels(target)
    assert (report.added, report.unknown) == (6, {})
    table = annotation_table(cards.folder)
    pairs = set(
        zip(table.column("recording").to_pylist(), table.column("label").to_pylist(), strict=True)
    )
    assert len(pairs) == 3
    for name, label in pairs:
        said = label.removeprefix("in ").removesuffix(".antiphon").removesuffix(".wav")
        assert said.replace("_", "/") == name.removesuffix(".wav")


def test_detections_of_two_cards_stay_apart(cards, tmp_path):
    said = ((0.0, "present"), (0.5, "absent"))
    first = [f"{d}/x.wav,{s},{s + 0.5},owl,{p}" for d in ("DCIM", "DCIM-2") for s, p in said]
    table = tmp_path / "labels.csv"
    table.write_text("recording,start_s,end_s,label,presence\n" + "\n".join(first) + "\n")
    cards.import_labels(table)
    cards.train()
    cards.detect(threshold=0.0)
    files, rows = cards.export(tmp_path / "raven", format="raven", merge=False)
    assert rows == 6
    assert len(files) == 3
    assert all(len(path.read_text().splitlines()) == 1 + 2 for path in files)


def test_metadata_may_name_the_card(tmp_path, recordings):
    recordings("x.wav", folder="A")
    recordings("x.wav", folder="B")
    table = tmp_path / "m.csv"
    table.write_text("file,site\nA/x.wav,Hill\nB/x.wav,Marsh\n")
    project, report = Project.create(
        tmp_path / "p", audio=[tmp_path / "A", tmp_path / "B"], metadata=[table]
    )
    rows = project.folder.catalogue.recordings().to_pylist()
    assert {(r["root"], r["site"]) for r in rows} == {("A", "Hill"), ("B", "Marsh")}
    assert (report.without_metadata, report.unused_metadata) == (0, [])
