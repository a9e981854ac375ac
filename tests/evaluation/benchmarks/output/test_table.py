"""The table: means, intervals, ranks, and its exports; the page."""

from __future__ import annotations

import csv
import io
import math

import pytest

from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.folder import Failure, ResultFolder, slug
from antiphon.evaluation.benchmarks.judging.differences import differences
from antiphon.evaluation.benchmarks.judging.results import EncoderFacts, Result, Value
from antiphon.evaluation.benchmarks.output.exports import (
    latex,
    markdown,
    measures_csv,
    picture,
    table_csv,
    write_exports,
)
from antiphon.evaluation.benchmarks.output.published import MARK, published
from antiphon.evaluation.benchmarks.output.report import report_page
from antiphon.evaluation.benchmarks.output.table import make_table, rank


def result(name, family, encoder, *values, **more):
    facts = EncoderFacts(encoder, "f" * 64, 16, 8000, 0.5)
    made = tuple(Value(p, m, v, lo, hi, 10) for p, m, v, lo, hi in values)
    given = {"counts": {"all": 10}, "classes": 2, "rows": 10, "leakage": ("Leakage: none.",)}
    return Result(name, name.title(), "beans", family, facts, "key", made, **{**given, **more})


def accuracy(value, half=0.1):
    return ("probe", "accuracy", value, value - half, value + half)


def test_ranks_share_ties():
    assert rank([0.5, 0.9, 0.5]).tolist() == [2.5, 1.0, 2.5]
    assert rank([1.0, 1.0]).tolist() == [1.5, 1.5]


def test_means_intervals_and_ranks_of_a_hand_worked_case():
    table = make_table(
        [
            result("dogs", "classification", "A", accuracy(0.6, 0.1)),
            result("bats", "classification", "A", accuracy(0.8, 0.1)),
            result("dogs", "classification", "B", accuracy(0.9, 0.3)),
            result("bats", "classification", "B", accuracy(0.7, 0.4)),
        ]
    )
    (row,) = table.rows
    means = dict(zip(table.encoders, row.means, strict=True))
    assert means["A"].value == pytest.approx(0.7)
    # Half-widths 0.1 and 0.1 of independent errors: sqrt(0.01 + 0.01) / 2.
    assert means["A"].high - means["A"].value == pytest.approx(math.sqrt(0.02) / 2)
    assert means["B"].value - means["B"].low == pytest.approx(0.25)
    assert (means["A"].rank, means["B"].rank) == (1.5, 1.5)
    assert table.ranks == {"A": 1.5, "B": 1.5}


def test_a_set_that_one_encoder_lacks_is_left_out_and_said():
    table = make_table(
        [
            result("dogs", "classification", "A", accuracy(0.6)),
            result("bats", "classification", "A", accuracy(0.2)),
            result("dogs", "classification", "B", accuracy(0.5)),
        ]
    )
    assert table.rows[0].sets == ("dogs",)
    assert table.rows[0].means[0].value == pytest.approx(0.6)
    assert table.notes == ("Classification: bats lack an encoder and are left out of the means",)
    assert table.encoders == ("A", "B")


def test_one_encoder_has_no_rank():
    table = make_table([result("dogs", "classification", "A", accuracy(0.6))])
    assert math.isnan(table.ranks["A"])


RESULTS = [
    result("dogs", "classification", "good_one", accuracy(0.9), failed=(("x.wav", "broken"),)),
    result("dogs", "classification", "B & C", accuracy(0.8)),
    result("owl", "individual", "good_one", accuracy(0.7), leaks=(1, 0)),
    result("owl", "individual", "B & C", ("probe", "accuracy", 0.4, math.nan, math.nan)),
]


def test_exports_say_what_is_published_and_what_measured(tmp_path):
    table = make_table(RESULTS)
    rows = list(csv.DictReader(io.StringIO(table_csv(table, published()))))
    measured = [r for r in rows if r["origin"] == "measured"]
    beside = [r for r in rows if r["origin"] == MARK]
    assert len(measured) == 4
    assert {r["encoder"] for r in beside} == {
        "BEATs",
        "Perch",
        "BirdNET",
        "NatureBEATs",
        "EffNetB0-all",
        "sl-BEATS-all",
        "sl-BEATS-bio",
    }
    assert all(r["low"] == r["high"] == "" for r in beside)
    lines = list(csv.DictReader(io.StringIO(measures_csv(RESULTS))))
    assert [r["leakage_errors"] for r in lines] == ["0", "0", "1", "0"]
    assert lines[3]["low"] == ""
    text = markdown(table, published())
    assert "**0.900 [0.800, 1.000]**" in text
    assert f"BEATs ({MARK})" in text
    assert "mean rank | | 1.00 | 2.00 |" in text
    tex = latex(table, published())
    assert r"B \& C" in tex
    assert r"good\_one" in tex
    assert tex.count(r"\\") == 2 + 2 + 1 + 7
    assert "published, not measured" in tex
    assert picture(table).startswith("<svg")
    paths = write_exports(tmp_path, table, RESULTS)
    assert [p.name for p in paths] == [
        "table.csv",
        "measures.csv",
        "table.tex",
        "table.md",
        "table.svg",
    ]
    assert all(p.stat().st_size for p in paths)
    assert MARK not in (tmp_path / "table.csv").read_text()


def test_published_numbers_are_those_of_the_paper():
    found = {(p.encoder, p.family, p.measure): p.value for p in published()}
    assert len(found) == 41
    assert found[("sl-BEATS-all", "classification", "accuracy")] == 0.832
    assert found[("EffNetB0-all", "repertoire", "r_auc")] == 0.830
    assert ("BirdNET", "birdset", "map_all") not in found


def test_the_page_holds_tables_failures_leakage_and_published_rows():
    page = report_page(
        RESULTS, failures=[Failure("bats", "not there")], published=published(), notes=["A note."]
    )
    for words in (
        "Encoders compared",
        "0.900 [0.800, 1.000]",
        "published, not measured",
        "x.wav",
        "not there",
        "Leakage: none.",
        "1 error, 0 warnings",
        "A note.",
        "B &amp; C",
    ):
        assert words in page, words
    assert MARK not in report_page(RESULTS)
    assert "There is no result yet." in report_page([])


def items(rights, group):
    return {f"i{n}": (float(r), group(n)) for n, r in enumerate(rights)}


def test_differences_are_over_the_same_items_and_groups():
    a = result("dogs", "classification", "A", accuracy(0.9))
    b = result("dogs", "classification", "B", accuracy(0.5))
    by = {"group": lambda n: f"g{n % 20}"}
    found = differences(
        [
            Result(**{**_fields(a), "per_item": items([1] * 90 + [0] * 10, **by)}),
            Result(**{**_fields(b), "per_item": items([1, 0] * 50, **by) | {"other": (1.0, "g")}}),
        ]
    )
    (one,) = found
    assert (one.best, one.other, one.items, one.groups) == ("A", "B", 100, 20)
    assert one.value == pytest.approx(0.4)
    assert one.low > 0
    assert one.verdict == "better"
    assert differences([a, b]) == []


def test_few_groups_and_no_difference_are_said():
    by = {"group": lambda n: f"g{n % 3}"}
    a = result("dogs", "classification", "A", accuracy(0.5), per_item=items([1, 0] * 30, **by))
    b = result("dogs", "classification", "B", accuracy(0.5), per_item=items([0, 1] * 30, **by))
    (one,) = differences([a, b])
    assert one.verdict.startswith("not told apart (only 3 groups")


def _fields(one):
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_results_come_back_from_disk_and_a_broken_one_is_named(tmp_path):
    folder = ResultFolder(tmp_path)
    with pytest.raises(FileError, match="holds no run of encoders"):
        folder.results()
    for one in RESULTS:
        folder.write(one)
    found, broken = folder.results()
    assert broken == []
    assert sorted(map(repr, found)) == sorted(map(repr, RESULTS))
    path = next((tmp_path / "results").rglob("*.json"))
    path.write_text("{")
    found, broken = folder.results()
    assert len(found) == 3
    assert "broken" in broken[0]


def test_names_of_files_stay_apart():
    assert slug("dogs") == "dogs"
    assert slug("a,b=1") != slug("a,b-1") != slug("a/b 1")
    assert len(slug("x" * 300)) < 70


def test_names_of_folders_are_text_in_every_export():
    odd = '=HYPERLINK("x")|<b>'
    made = [result(odd, "classification", "=A|1", accuracy(0.5))]
    table = make_table(made)
    for text in (measures_csv(made), table_csv(table)):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith("=")]
        assert f"'{odd}" in cells
    head = markdown(table).splitlines()[0]
    assert "=A\\|1" in head
    tex = latex(make_table([result("s", "classification", "a$b^{c}~", accuracy(0.5))]))
    assert r"a\$b\textasciicircum{}\{c\}\textasciitilde{}" in tex
    assert "<b>" not in report_page(made)
