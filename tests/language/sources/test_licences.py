"""Licences under one name, what they allow, and the ledger."""

from __future__ import annotations

import json

import pytest

from antiphon.language.schema import CorpusRow
from antiphon.language.sources.ledger import Ledger, merge
from antiphon.language.sources.licences import RESERVED, canonical, facts


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("//creativecommons.org/licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0"),
        ("http://creativecommons.org/licenses/by-nc/4.0/legalcode", "CC-BY-NC-4.0"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0-DE"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "CC-SAMPLING-PLUS-1.0"),
        ("CC_BY_NC_4_0", "CC-BY-NC-4.0"),
        ("CC0_1_0", "CC0-1.0"),
        ("CC BY-NC-ND 2.5", "CC-BY-NC-ND-2.5"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("Attribution Noncommercial", "CC-BY-NC"),
        ("cc-by-nc", "CC-BY-NC"),
        ("cc0", "CC0-1.0"),
        ("Public Domain", "CC-PDM-1.0"),
        ("© A. Recordist", RESERVED),
        ("all rights reserved", RESERVED),
        ("LicenseRef-Watkins", "LicenseRef-Watkins"),
        ("ask me", None),
        ("", None),
        (None, None),
    ],
)
def test_one_name_for_each(said, expected):
    assert canonical(said) == expected


def test_a_canonical_name_stays_itself():
    for name in ("CC-BY-NC-SA-4.0", "CC-BY-3.0-DE", "CC0-1.0", RESERVED, "CC-BY"):
        assert canonical(name) == name


def test_what_they_allow():
    nc_nd = facts("CC-BY-NC-ND-4.0")
    assert nc_nd is not None
    assert not nc_nd.commercial
    assert not nc_nd.derivatives
    assert nc_nd.redistribution
    assert nc_nd.url == "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    sa = facts("CC-BY-SA-3.0")
    assert sa is not None
    assert sa.share_alike
    assert sa.commercial
    zero = facts("CC0-1.0")
    assert zero is not None
    assert not zero.attribution
    family = facts("CC-BY-NC")
    assert family is not None
    assert family.url is None
    assert facts("something") is None


def row(licence: str | None, seconds: float | None = 3600.0, source: str = "a") -> CorpusRow:
    return CorpusRow(id="x", source=source, licence=licence, duration_s=seconds)


def test_the_whole_allows_what_every_part_allows(tmp_path):
    ledger = Ledger()
    ledger.add_all([row("CC-BY-4.0"), row("CC-BY-4.0", None), row("CC-BY-NC-4.0", source="b")])
    whole = ledger.whole()
    assert whole["redistribution"]
    assert whole["derivatives"]
    assert not whole["commercial"]
    data, page = ledger.write(tmp_path / "build.licences")
    written = json.loads(data.read_text())
    assert written["rows"] == 3
    assert written["seconds"] == 7200.0
    assert [e["rows"] for e in written["entries"]] == [2, 1]
    assert written["entries"][0]["rows_without_length"] == 1
    assert "| b | [CC-BY-NC-4.0]" in page.read_text()


def test_unknown_licences_allow_nothing():
    ledger = Ledger()
    ledger.add_all([row("CC0-1.0"), row(None)])
    whole = ledger.whole()
    assert not whole["redistribution"]
    assert not whole["commercial"]
    assert whole["unclear_rows"] == 1
    assert Ledger().whole()["commercial"] is False


def test_share_alike_licences_that_exclude_each_other():
    ledger = Ledger()
    ledger.add_all([row("CC-BY-SA-4.0"), row("CC-BY-SA-3.0")])
    assert not ledger.whole()["share_alike_conflict"]
    ledger.add(row("CC-BY-NC-SA-4.0"))
    assert ledger.whole()["share_alike_conflict"]


def test_ledgers_add_up():
    one, two = Ledger(), Ledger(notes=["credit us"])
    one.add(row("CC0-1.0"))
    two.add(row("CC0-1.0"))
    two.add(row("CC0-1.0", source="b"))
    total = merge([one, two])
    assert total.as_dict()["rows"] == 3
    assert total.entries["a", "CC0-1.0"].rows == 2
    assert total.notes == ["credit us"]
    # The parts are as before.
    assert one.as_dict()["rows"] == 1
