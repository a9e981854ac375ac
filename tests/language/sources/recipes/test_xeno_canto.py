"""Xeno-canto's answers and its archive at GBIF, in the publisher's own layout."""

from __future__ import annotations

import json
import zipfile

import pytest

from antiphon.errors import FormatError
from antiphon.language.schema import CommonName

RECORDING = {
    "id": "900001",
    "gen": "Passerina",
    "sp": "amoena",
    "ssp": "",
    "grp": "birds",
    "en": "Lazuli Bunting",
    "rec": "A. Recordist",
    "cnt": "United States",
    "loc": "Prairie Trail",
    "lat": "43.6571",
    "lon": "-103.4143",
    "alt": "1300",
    "type": "song, alarm call",
    "sex": "male",
    "stage": "adult",
    "method": "field recording",
    "url": "//xeno-canto.org/900001",
    "file": "https://xeno-canto.org/900001/download",
    "file-name": "XC900001-bunting.mp3",
    "lic": "//creativecommons.org/licenses/by-nc-sa/4.0/",
    "q": "A",
    "length": "4:13",
    "time": "07:17",
    "date": "2015-06-23",
    "uploaded": "2015-06-29",
    "also": ["Pipilo maculatus", ""],
    "rmk": "From a pine.",
    "animal-seen": "yes",
    "playback-used": "no",
    "temp": None,
    "regnr": "",
    "auto": "no",
    "dvc": "",
    "mic": "",
    "smp": "48000",
    "annotation-set": [],
}


def answer(path, *recordings):
    page = {"numRecordings": str(len(recordings)), "page": 1, "recordings": list(recordings)}
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


def test_an_answer(tmp_path, read, sound):
    answer(tmp_path / "page1.json", RECORDING)
    file = sound(tmp_path / "audio" / "XC900001.wav")
    [row], rejected, remarks = read("xeno_canto", tmp_path)
    assert rejected == []
    assert remarks == [("xeno_canto:900001", "non_commercial")]
    assert row.audio_path == file.as_posix()
    assert (row.sample_rate, row.duration_s) == (48_000, 253.0)
    assert row.scientific_name == row.taxon_given == row.species == "Passerina amoena"
    assert (row.class_, row.genus, row.rank) == ("Aves", "Passerina", "species")
    assert row.common_names == (CommonName("Lazuli Bunting", "en"),)
    assert row.call_types == ("song", "alarm call")
    assert (row.sex, row.life_stage) == ("male", "adult")
    assert row.background_species == ("Pipilo maculatus",)
    assert (row.latitude, row.longitude) == (43.6571, -103.4143)
    assert (row.date, row.time) == ("2015-06-23", "07:17")
    assert row.licence == "CC-BY-NC-SA-4.0"
    assert row.licence_url == "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert row.url == "https://xeno-canto.org/900001"
    assert row.extra["animal_seen"] == "yes"
    assert "temperature" not in row.extra


def test_what_is_wrong_is_said_and_the_rest_is_kept(tmp_path, read):
    path = answer(
        tmp_path / "page.json",
        {**RECORDING, "id": "1", "date": "2015-02-30", "lat": "95", "time": "?"},
        {**RECORDING, "id": "2", "gen": "Mystery", "sp": "mystery", "en": "Identity unknown"},
        {**RECORDING, "id": "1"},
        {**RECORDING, "id": None},
        {**RECORDING, "id": "3", "lic": "", "ssp": "amoena"},
        {**RECORDING, "id": "4", "file": "", "lic": "ask me"},
    )
    rows, rejected, remarks = read("xeno_canto", path)
    assert [row.source_id for row in rows] == ["1", "2", "3", "4"]
    assert [reason for reason, _ in rejected] == ["repeated_id", "no_id"]
    assert rows[0].date is None
    assert rows[0].latitude is None
    assert rows[0].time is None
    assert rows[0].longitude == -103.4143
    assert rows[1].scientific_name is None
    assert rows[1].common_names == ()
    assert rows[2].subspecies == "Passerina amoena amoena"
    assert rows[2].rank == "subspecies"
    assert rows[3].extra["licence_given"] == "ask me"
    noted = {reason for name, reason in remarks if name == "xeno_canto:1"}
    assert noted == {"impossible_date", "impossible_coordinates", "non_commercial"}
    assert ("xeno_canto:3", "missing_licence") in remarks
    assert {r for n, r in remarks if n == "xeno_canto:4"} == {"unknown_licence", "audio_not_found"}


def test_a_reason_can_be_made_to_reject(tmp_path, read):
    path = answer(tmp_path / "page.json", RECORDING, {**RECORDING, "id": "5", "lic": "cc0"})
    rows, rejected, _ = read("xeno_canto", path, reject=("non_commercial",))
    assert [row.source_id for row in rows] == ["5"]
    assert rejected == [("non_commercial", "CC-BY-NC-SA-4.0")]


def test_an_error_of_the_interface_is_quoted(tmp_path, read):
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"error": "client_error", "message": "Missing 'key'"}))
    with pytest.raises(FormatError, match="Missing 'key'"):
        read("xeno_canto", path)


TERMS = "http://rs.tdwg.org/dwc/terms/"
META = f"""<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
  <core encoding="utf-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
        ignoreHeaderLines="1" rowType="{TERMS}Occurrence">
    <files><location>occurrence.txt</location></files>
    <id index="0" />
    <field index="0" term="http://rs.gbif.org/terms/1.0/gbifID"/>
    <field index="1" term="{TERMS}catalogNumber"/>
    <field index="2" term="{TERMS}scientificName"/>
    <field index="3" term="{TERMS}class"/>
    <field index="4" term="{TERMS}behavior"/>
    <field index="5" term="{TERMS}associatedTaxa"/>
    <field index="6" term="{TERMS}eventDate"/>
    <field index="7" term="{TERMS}eventTime"/>
    <field index="8" term="{TERMS}decimalLatitude"/>
    <field index="9" term="{TERMS}sex"/>
    <field index="10" term="http://purl.org/dc/terms/license"/>
    <field term="{TERMS}kingdom" default="Animalia"/>
  </core>
  <extension encoding="utf-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
             ignoreHeaderLines="1" rowType="http://rs.gbif.org/terms/1.0/Multimedia">
    <files><location>multimedia.txt</location></files>
    <coreid index="0" />
    <field index="1" term="http://purl.org/dc/terms/type"/>
    <field index="2" term="http://purl.org/dc/terms/identifier"/>
    <field index="3" term="http://purl.org/dc/terms/license"/>
    <field index="4" term="http://purl.org/dc/terms/creator"/>
  </extension>
</archive>
"""
OCCURRENCES = [
    "\t".join(f"c{n}" for n in range(11)),
    "\t".join(
        (
            *("7", "XC900001", "Passerina amoena (Say, 1822)", "Aves", "song, call"),
            *("has background sounds: Pipilo maculatus|Turdus merula", "2015-06-23", "07:17:00"),
            *("43.6571", "Male", "CC_BY_NC_4_0"),
        )
    ),
    "\t".join(("8", "XC900002", 'Turdus "x', "Aves", "", "", "2015", "", "", "", "CC0_1_0")),
    "9\ttoo short",
]
MEDIA = [
    "\t".join(("gbifID", "type", "identifier", "license", "creator")),
    "\t".join(("7", "StillImage", "https://xc.example/sono.png", "", "")),
    "\t".join(
        (
            *("7", "Sound", "https://xc.example/XC900001-bunting.mp3"),
            *("http://creativecommons.org/licenses/by-nc-sa/4.0/", "A. Recordist"),
        )
    ),
    "\t".join(("77", "Sound", "https://xc.example/lost.mp3", "", "")),
]


@pytest.fixture(params=["folder", "zip"])
def archive(request, tmp_path):
    """The archive as a folder and as a zip file, media before their occurrence."""
    files = {
        "meta.xml": META,
        "occurrence.txt": "\n".join(OCCURRENCES) + "\n",
        "multimedia.txt": "\n".join(MEDIA) + "\n",
    }
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if request.param == "folder":
        return folder
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return path


def test_the_archive_at_gbif(archive, read):
    [row], rejected, _ = read("xeno_canto_gbif", archive)
    # The same sound has the same identifier as in an answer of the interface.
    assert row.id == "xeno_canto:900001"
    assert row.audio_url == "https://xc.example/XC900001-bunting.mp3"
    assert row.scientific_name == "Passerina amoena"
    assert row.taxon_given == "Passerina amoena (Say, 1822)"
    assert (row.kingdom, row.class_) == ("Animalia", "Aves")
    assert row.call_types == ("song", "call")
    assert row.background_species == ("Pipilo maculatus", "Turdus merula")
    assert (row.date, row.time, row.sex) == ("2015-06-23", "07:17", "male")
    assert row.licence == "CC-BY-NC-SA-4.0"
    assert row.recordist == "A. Recordist"
    assert sorted(reason for reason, _ in rejected) == [
        *("malformed_record", "malformed_record", "no_sound")
    ]
    details = " ".join(detail for _, detail in rejected)
    assert "'77'" in details
    assert "2 cells, the header has 11" in details


def test_an_archive_without_its_tables(tmp_path, read):
    (tmp_path / "meta.xml").write_text(META)
    with pytest.raises(FormatError, match=r"holds no multimedia\.txt"):
        read("xeno_canto_gbif", tmp_path)
    (tmp_path / "meta.xml").write_text("<archive/>")
    with pytest.raises(FormatError, match="no core table"):
        read("xeno_canto_gbif", tmp_path)
    (tmp_path / "meta.xml").write_text("<archive>")
    with pytest.raises(FormatError, match="damaged"):
        read("darwin_core", tmp_path)
