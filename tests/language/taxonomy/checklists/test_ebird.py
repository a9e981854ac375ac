from __future__ import annotations

import pyarrow as pa
import pytest

from antiphon.errors import FormatError
from antiphon.language.taxonomy.checklists.ebird import EbirdReader, is_ebird
from antiphon.language.taxonomy.rejections import Rejections
from tests.language.taxonomy import replicas

API = (
    "SCIENTIFIC_NAME,COMMON_NAME,SPECIES_CODE,CATEGORY,TAXON_ORDER,COM_NAME_CODES,SCI_NAME_CODES,"
    "BANDING_CODES,ORDER,FAMILY_COM_NAME,FAMILY_SCI_NAME,REPORT_AS,EXTINCT,EXTINCT_YEAR,"
    "FAMILY_CODE\n"
    "Parus major,Kohlmeise,gretit1,species,1.0,GRTI,PAMA,,Passeriformes,Meisen,Paridae,,,,p1\n"
    "Parus major newtoni,Kohlmeise (newtoni),gretit9,issf,2.0,,,,Passeriformes,Meisen,Paridae,"
    "gretit1,,,p1\n"
)

# A range with a line break in it, and a subspecies without a code.
CLEMENTS = (
    "sort v2023,species_code,taxon_concept_id,Clements v2023 change,text for website v2023,"
    "category,English name,scientific name,authority,name and authority,range,order,family,extinct,"
    "extinct year,sort v2022,page 6.0\n"
    '1,gretit1,avibase-1,,,species,Great Tit,Parus major,"Linnaeus, 1758",,"Europe\nto Japan",'
    'Passeriformes,"Paridae (Tits, Chickadees, and Titmice)",,,1,1\n'
    '2,,avibase-2,,,subspecies,,Parus major newtoni,"Pražák, 1894",,Britain,Passeriformes,Paridae,'
    ",,2,1\n"
    "3,gretit4,avibase-3,,,group (polytypic),Great Tit (Great),Parus major [major Group],,,,"
    "Passeriformes,Paridae,,,3,1\n"
)


def read(reader):
    rejections = Rejections(reader.name)
    return pa.Table.from_batches(reader.batches(rejections)).to_pylist(), rejections


def test_the_ebird_taxonomy(tmp_path):
    reader = EbirdReader(replicas.ebird(tmp_path / "eBird_taxonomy_v2024.csv"))
    rows, rejections = read(reader)
    assert reader.version == "2024"
    by_id = {row["id"]: row for row in rows}
    assert by_id["gretit1"]["path"] == "Animalia\tChordata\tAves\tPasseriformes\tParidae\tParus"
    assert (by_id["gretit4"]["parent"], by_id["gretit4"]["rank"]) == ("gretit1", "issf")
    assert (by_id["xxx1"]["parent"], by_id["xxx1"]["rank"]) == ("gretit1", "subspecies")
    assert by_id["x00001"]["parent"] is None
    assert rejections.counts == {
        "a spuh is no single taxon": 1, "a slash is no single taxon": 1
    }  # fmt: skip


def test_the_answer_of_the_web_service(tmp_path):
    path = tmp_path / "taxonomy.csv"
    path.write_text(API, encoding="utf-8")
    reader = EbirdReader(path, language="de")
    rows, _ = read(reader)
    assert [row["name"] for row in rows] == ["Parus major", "Parus major newtoni"]
    assert rows[1]["parent"] == "gretit1"
    assert rows[0]["path"].split("\t")[4] == "Paridae"
    common = pa.Table.from_batches(reader.common(Rejections("ebird"))).to_pylist()
    assert common[0] == {"id": "gretit1", "name": "Kohlmeise", "language": "de"}


def test_the_clements_checklist(tmp_path):
    path = tmp_path / "clements.csv"
    path.write_text(CLEMENTS, encoding="cp1252", errors="replace")
    reader = EbirdReader(path)
    rows, _ = read(reader)
    assert reader.version == "2023"
    assert [row["id"] for row in rows] == ["gretit1", "avibase-2", "gretit4"]
    assert [row["parent"] for row in rows] == [None, "gretit1", "gretit1"]
    assert rows[0]["authorship"] == "Linnaeus, 1758"
    assert [row["rank"] for row in rows] == ["species", "subspecies", "group (polytypic)"]
    assert len(pa.Table.from_batches(reader.common(Rejections("ebird")))) == 2


def test_names_in_several_languages(tmp_path):
    main = replicas.ebird(tmp_path / "e.csv")
    (tmp_path / "de.csv").write_text(API, encoding="utf-8")
    reader = EbirdReader(main, translations={"de": tmp_path / "de.csv"})
    common = pa.Table.from_batches(reader.common(Rejections("ebird"))).to_pylist()
    names = [row["name"] for row in common if row["id"] == "gretit1"]
    assert names == ["Great Tit", "Kohlmeise"]


def test_other_tables(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("name,count\nParus major,3\n")
    assert not is_ebird(path)
    assert not is_ebird(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="has no column sci_name or scientific_name; it has name"):
        EbirdReader(path)
