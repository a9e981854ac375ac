"""A folder with a table of one's own, and an Antiphon project."""

from __future__ import annotations

import pyarrow as pa
import pytest

from antiphon.errors import FormatError
from antiphon.labels.annotation import make_annotations


def test_columns_are_known_by_the_names_people_use(tmp_path, read, sound):
    (tmp_path / "meta.csv").write_text(
        "File;Species (Latin);Scientific Name;lat;Long;Call Type;Begin Time (s);license;Habitat\n"
        "a.wav;;Turdus merula L.;52,1;13.4;song, call;;CC BY 4.0;wood\n"
        "b.wav;;Parus major;91;13.4;;;cc0;\n"
        "sub/c.wav;;;;;;;;meadow\n"
    )
    first_file = sound(tmp_path / "a.wav")
    nested = sound(tmp_path / "sub" / "c.wav")
    (first, second, third), rejected, remarks = read("folder", tmp_path)
    assert rejected == []
    assert first.source == tmp_path.name
    assert (first.source_id, first.audio_path) == ("a.wav", first_file.as_posix())
    assert (first.scientific_name, first.taxon_given) == ("Turdus merula", "Turdus merula L.")
    assert first.call_types == ("song, call",)
    assert first.licence == "CC-BY-4.0"
    # A column that nobody knows is kept as it is.
    assert first.extra["Habitat"] == "wood"
    assert third.audio_path == nested.as_posix()
    reasons = {(name.partition(":")[2], reason) for name, reason in remarks}
    # A comma is no decimal point here; the value is left out and listed.
    assert ("a.wav", "impossible_coordinates") in reasons
    assert ("b.wav", "impossible_coordinates") in reasons
    assert ("b.wav", "audio_not_found") in reasons
    assert ("sub/c.wav", "no_taxon") in reasons
    assert (second.latitude, second.longitude) == (None, 13.4)


def test_settings_name_columns_and_constants(tmp_path, read, sound):
    (tmp_path / "corpus.yaml").write_text(
        "source: myset\nseparator: ','\nfields: {names: Datei, scientific_name: Art}\n"
        "constants: {licence: CC BY-SA 4.0, recordist: Me, sample_rate: 48000}\n"
    )
    (tmp_path / "t.tsv").write_text("Datei\tArt\ttags\tsex\nx\tParus major\ta, b\tm\n")
    file = sound(tmp_path / "x.flac")
    [row], rejected, remarks = read("folder", tmp_path)
    assert (rejected, remarks) == ([], [])
    assert row.id == "myset:x"
    assert row.audio_path == file.as_posix()
    assert (row.licence, row.recordist, row.sample_rate) == ("CC-BY-SA-4.0", "Me", 48_000)
    assert (row.tags, row.sex) == (("a", "b"), "male")


def test_segments_of_a_file_are_rows_of_their_own(tmp_path, read, sound):
    (tmp_path / "segments.csv").write_text(
        "file,start_s,end_s,species,licence\n"
        "a.wav,0,1.5,Parus major,cc0\n"
        "a.wav,1.5,3,Parus ater,cc0\n"
        "a.wav,5,4,Parus ater,cc0\n"
        "a.wav,1.5,3,Parus ater,cc0\n"
    )
    sound(tmp_path / "a.wav", 3.0)
    rows, rejected, _ = read("folder", tmp_path)
    assert [(row.source_id, row.duration_s) for row in rows] == [
        ("a.wav@0", 1.5),
        ("a.wav@1.5", 1.5),
    ]
    assert [reason for reason, _ in rejected] == ["impossible_span", "repeated_id"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("fields: {scientific_nam: a}", "did you mean 'scientific_name'"),
        ("fields: {names: wav}", "no column 'wav'"),
        ("constants: {licens: cc0}", "no column of a corpus"),
        ("constants: {latitude: 99}", "beyond 90 degrees"),
        ("sauce: x", "unknown key 'sauce'"),
    ],
)
def test_wrong_settings_are_named(tmp_path, read, settings, words):
    (tmp_path / "corpus.yaml").write_text(settings)
    (tmp_path / "t.csv").write_text("file,a\nx.wav,y\n")
    with pytest.raises(FormatError, match=r"corpus\.yaml") as caught:
        read("folder", tmp_path)
    assert words.lower() in str(caught.value).lower()


def test_tables_that_do_not_do(tmp_path, read):
    (tmp_path / "a.csv").write_text("species\nParus\n")
    with pytest.raises(FormatError, match="no column names the recordings"):
        read("folder", tmp_path)
    (tmp_path / "b.csv").write_text("file\n")
    with pytest.raises(FormatError, match="holds 2 tables"):
        read("folder", tmp_path)


def test_a_project(tmp_path, read, sound):
    from antiphon.pipeline.create import create

    for name in ("a.wav", "b.wav"):
        sound(tmp_path / "audio" / name, 4.0)
    project, _ = create(tmp_path / "project", audio=[tmp_path / "audio"])
    catalogue = project.catalogue
    ids = {row["path"]: row["id"] for row in catalogue.recordings().to_pylist()}
    table = make_annotations(
        {
            "recording": ["a.wav", "a.wav", "b.wav"],
            "start_s": [1.0, None, 0.5],
            "end_s": [2.0, None, 1.0],
            "label": ["Wren", None, "Wren"],
            "presence": ["present", "absent", "unsure"],
        }
    )
    numbers = pa.array([ids[name] for name in table["recording"].to_pylist()])
    table = table.append_column("recording_id", numbers).drop_columns(["recording"])
    catalogue.add_annotations(table, source="test")
    catalogue.set_label("Wren", kind="species", scientific_name="Troglodytes troglodytes")
    project.close()
    (first, second), rejected, _ = read("project", tmp_path / "project")
    assert rejected == []
    assert first.source_id == "project/a.wav"
    assert (first.sample_rate, first.duration_s) == (16_000, 4.0)
    assert [(e.start_s, e.label, e.scientific_name) for e in first.events] == [
        (1.0, "Wren", "Troglodytes troglodytes")
    ]
    assert first.background_species == ("Troglodytes troglodytes",)
    # "Nothing else is there" is known of one, and nothing of the other.
    assert (first.exhaustive, second.exhaustive) == (True, None)
    assert second.events == ()
