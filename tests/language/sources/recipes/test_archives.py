"""Darwin Core archives as iNaturalist packs its own, and as GBIF hands out a museum's."""

from __future__ import annotations

import csv

TERMS = "http://rs.tdwg.org/dwc/terms/"
DC = "http://purl.org/dc/terms/"


def write_archive(folder, core, media, *, delimiter, quoted, names=("occurrence", "multimedia")):
    """Write tables (header of full terms first) and the meta.xml that describes them."""
    tab = "\\t" if delimiter == "\t" else delimiter
    quote = "&quot;" if quoted else ""
    parts = []
    for kind, key, rows, name, row_type in (
        ("core", "id", core, names[0], f"{TERMS}Occurrence"),
        ("extension", "coreid", media, names[1], "http://rs.gbif.org/terms/1.0/Multimedia"),
    ):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            style = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            csv.writer(file, delimiter=delimiter, quoting=style, escapechar="\\").writerows(rows)
        fields = "".join(
            f'<field index="{n}" term="{term}"/>' for n, term in enumerate(rows[0]) if n
        )
        parts.append(
            f'<{kind} encoding="UTF-8" fieldsTerminatedBy="{tab}" linesTerminatedBy="\\n" '
            f'fieldsEnclosedBy="{quote}" ignoreHeaderLines="1" rowType="{row_type}">'
            f"<files><location>{name}.csv</location></files>"
            f'<{key} index="0"/>{fields}</{kind}>'
        )
    text = f'<archive xmlns="http://rs.tdwg.org/dwc/text/">{"".join(parts)}</archive>'
    (folder / "meta.xml").write_text(text, encoding="utf-8")
    return folder


def test_inaturalist_s_own_archive(tmp_path, read, sound):
    names = ("catalogNumber", "references", "occurrenceRemarks", "recordedBy", "eventDate")
    more = ("scientificName", "taxonRank", "order", "lifeStage", "countryCode")
    core = [
        (
            "id",
            f"{TERMS}catalogNumber",
            f"{DC}references",
            *(TERMS + n for n in (*names[2:], *more)),
        ),
        (
            *("84681407", "84681407", "https://www.inaturalist.org/observations/84681407"),
            *('A bat, "fast"\nover water', "Tom August", "2021-06-25T22:18:43+01:00"),
            *("Pipistrellus pipistrellus", "species", "Chiroptera", "Adult", "GB"),
        ),
        ("9", "9", "https://www.inaturalist.org/observations/9", *[""] * 8),
    ]
    media = [
        ("coreid", *(DC + n for n in ("type", "format", "identifier", "creator", "license"))),
        (
            *("84681407", "Sound", "audio/x-wav"),
            *("https://static.inaturalist.org/sounds/263113.wav?1624793769", "Tom August"),
            "http://creativecommons.org/publicdomain/zero/1.0/",
        ),
        (
            *("84681407", "Sound", "audio/mp4"),
            *("https://static.inaturalist.org/sounds/263114.m4a", "Tom August", ""),
        ),
        ("9", "StillImage", "image/jpeg", "https://static.inaturalist.org/photos/1.jpg", "", ""),
    ]
    folder = write_archive(
        tmp_path, core, media, delimiter=",", quoted=True, names=("observations", "media")
    )
    file = sound(tmp_path / "263113.wav")
    (first, second), rejected, remarks = read("inaturalist_gbif", folder)
    assert (first.id, second.id) == ("inaturalist:263113", "inaturalist:263114")
    assert first.audio_path == file.as_posix()
    assert first.text == 'A bat, "fast"\nover water'
    assert (first.scientific_name, first.order) == ("Pipistrellus pipistrellus", "Chiroptera")
    assert (first.date, first.time, first.life_stage) == ("2021-06-25", "22:18", "adult")
    assert (first.country, first.licence) == ("GB", "CC0-1.0")
    assert rejected == [("no_sound", "9")]
    assert remarks == [("inaturalist:263114", "missing_licence")]


def test_the_animal_sound_archive(tmp_path, read):
    names = (
        *("occurrenceID", "catalogNumber", "scientificName", "genus", "specificEpithet"),
        *("infraspecificEpithet", "species", "taxonRank", "sex", "lifeStage", "recordedBy"),
        *("eventDate", "decimalLatitude", "decimalLongitude", "country", "occurrenceRemarks"),
    )
    core = [
        ("gbifID", *(TERMS + name for name in names)),
        (
            *("100", "https://id.example/TSA/Luscinia_1", "TSA:Luscinia_1"),
            *("Luscinia megarhynchos hafizi Severtzov, 1873", "Luscinia", "megarhynchos"),
            *("hafizi", "Luscinia megarhynchos", "SUBSPECIES", "male", "adult", "Tembrock, G."),
            *("1957-05-00", "52.5", "13.4", "Germany", "Gesang"),
        ),
    ]
    media = [
        ("gbifID", *(DC + n for n in ("type", "format", "identifier", "license"))),
        (
            *("100", "", "audio/mpeg", "https://tsa.example/recordings/Luscinia_1.mp3"),
            "https://creativecommons.org/licenses/by-nc-sa/4.0/",
        ),
    ]
    folder = write_archive(tmp_path, core, media, delimiter="\t", quoted=False)
    [row], rejected, remarks = read("animal_sound_archive", folder)
    assert rejected == []
    assert remarks == [(row.id, "non_commercial")]
    assert row.id == "animal_sound_archive:TSA:Luscinia_1"
    assert row.audio_url == "https://tsa.example/recordings/Luscinia_1.mp3"
    assert row.taxon_given == "Luscinia megarhynchos hafizi Severtzov, 1873"
    assert row.scientific_name == row.subspecies == "Luscinia megarhynchos hafizi"
    assert (row.species, row.rank) == ("Luscinia megarhynchos", "subspecies")
    assert (row.date, row.sex, row.recordist) == ("1957-05", "male", "Tembrock, G.")
    assert (row.text, row.country) == ("Gesang", "Germany")
