from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from antiphon.errors import FileError, FormatError, UserError
from antiphon.evaluation.blending.files.rows import file_stem, parse_seconds, row_id, split_row_id
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.evaluation.blending.files.submission import (
    align,
    read_scores,
    read_truth,
    write_scores,
)

STEM = "BC2026_Test_0001_S05_20250227_010002"
OTHER = "BC2026_Test_0002_S11_20250301_173000"

SCORES = f"""row_id,amaaza,22930,grekis
{STEM}_5,0.25,0.5,1e-3
{STEM}_10,0.125,0,0.75
{OTHER}_5,1,0.0625,2
"""

TRUTH = f"""filename,start,end,primary_label
{STEM}.ogg,00:00:00,00:00:05,amaaza;grekis
{STEM}.ogg,5,10,
{OTHER}.ogg,0,5,grekis
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def truth_path(tmp_path: Path) -> Path:
    return write(tmp_path / "truth.csv", TRUTH)


def test_csv_gzip_and_parquet_read_the_same(tmp_path: Path) -> None:
    plain = read_scores(write(tmp_path / "model_a.csv", SCORES))
    with gzip.open(tmp_path / "model_a.csv.gz", "wt") as stream:
        stream.write(SCORES)
    packed = read_scores(tmp_path / "model_a.csv.gz")
    write_scores(tmp_path / "b.parquet", plain.rows, plain.classes, plain.score)
    table = read_scores(tmp_path / "b.parquet", name="other")
    assert (plain.name, packed.name, table.name) == ("model_a", "model_a", "other")
    for one in (plain, packed, table):
        assert one.rows == (f"{STEM}_5", f"{STEM}_10", f"{OTHER}_5")
        assert one.classes == ("amaaza", "22930", "grekis")
        assert one.score.tolist() == [[0.25, 0.5, 1e-3], [0.125, 0, 0.75], [1, 0.0625, 2]]


def test_float16_of_a_parquet_file_is_a_number(tmp_path: Path) -> None:
    column = pa.array(np.array([0.5, 0.25], dtype=np.float16))
    parquet.write_table(pa.table({"row_id": ["a_5", "a_10"], "x": column}), tmp_path / "h.parquet")
    assert read_scores(tmp_path / "h.parquet").score.tolist() == [[0.5], [0.25]]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_written_scores_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("scores")
    rows = [f"file_{5 * i}" for i in range(1, len(values) + 1)]
    for name in ("s.csv", "s.csv.gz", "s.parquet"):
        write_scores(folder / name, rows, ["one"], np.array(values)[:, None])
        got = read_scores(folder / name)
        assert got.rows == tuple(rows)
        np.testing.assert_array_equal(got.score[:, 0], values)
    assert sorted(p.name for p in folder.iterdir()) == ["s.csv", "s.csv.gz", "s.parquet"]


@pytest.mark.parametrize(
    ("cell", "shown"), [("", "nothing"), ("abc", "'abc'"), ("nan", "nan|nothing"), ("inf", "inf")]
)
def test_a_score_that_is_no_number_names_row_and_class(
    tmp_path: Path, cell: str, shown: str
) -> None:
    path = write(tmp_path / "s.csv", f"row_id,x,y\na_5,1,2\na_10,3,{cell}\n")
    with pytest.raises(FormatError, match=rf"1 score .*row a_10, class y: ({shown})"):
        read_scores(path)


def test_only_the_first_bad_scores_are_named_and_all_are_counted(tmp_path: Path) -> None:
    lines = "".join(f"a_{i},x\n" for i in range(1, 8))
    with pytest.raises(FormatError, match=r"7 scores .* row a_1, .* and 4 more"):
        read_scores(write(tmp_path / "s.csv", "row_id,c\n" + lines))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,x\na_5,1\n", "no column row_id"),
        ("row_id\na_5\n", "no class column"),
        ("row_id,x\n", "no row"),
        ("row_id,x,x\na_5,1,2\n", "1 column doubled: x"),
        ("row_id;x;y\na_5;1;2\n", "separated by semicolons"),
        ("row_id,x\na_5,1\na_5.0,2\n", "1 row doubled: a_5"),
        ("row_id,x\na,1\n", "'a' \\(row 1\\)"),
        ("row_id,x\na_5,1,7\n", "cannot be read"),
    ],
)
def test_a_file_of_another_form_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read_scores(write(tmp_path / "s.csv", text))


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file"):
        read_scores(tmp_path / "none.csv")
    with pytest.raises(FormatError, match=r"none of \.csv"):
        read_scores(write(tmp_path / "s.xlsx", "x"))


def test_truth_is_merged_by_union_and_ordered(tmp_path: Path) -> None:
    text = TRUTH + f"audio\\{STEM}.ogg,0:00,0:05,22930; amaaza\n{STEM}.ogg,5,10,nocall\n"
    truth = read_truth(write(tmp_path / "t.csv", text))
    assert truth.rows == (f"{STEM}_5", f"{STEM}_10", f"{OTHER}_5")
    assert truth.labels == (
        frozenset({"amaaza", "grekis", "22930"}),
        frozenset(),
        frozenset({"grekis"}),
    )
    assert (truth.merged, truth.start_s, truth.end_s) == (2, (0, 5, 0), (5, 10, 5))
    assert truth.classes == ("22930", "amaaza", "grekis")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("f.ogg,5,5,x", "without a start and a later end: row 1"),
        ("f.ogg,0:70,5,x", "without a start"),
        (",0,5,x", "without a file name: row 1"),
        ("f.ogg,0,5,x\nf.ogg,1,5,x", "start elsewhere: f_5 \\(row 2\\)"),
    ],
)
def test_truth_that_makes_no_sense_is_named(tmp_path: Path, row: str, problem: str) -> None:
    path = write(tmp_path / "t.csv", f"filename,start,end,primary_label\n{row}\n")
    with pytest.raises(FormatError, match=problem):
        read_truth(path)
    with pytest.raises(FormatError, match="columns missing or doubled: end"):
        read_truth(write(tmp_path / "u.csv", "filename,start,primary_label\nf,0,x\n"))


def test_row_and_class_order_do_not_matter(tmp_path: Path, truth_path: Path) -> None:
    one = read_scores(write(tmp_path / "one.csv", SCORES))
    order, columns = [2, 0, 1], [1, 2, 0]
    rows, classes = [one.rows[i] for i in order], [one.classes[i] for i in columns]
    write_scores(tmp_path / "two.csv", rows, classes, one.score[np.ix_(order, columns)])
    problem = align([one, read_scores(tmp_path / "two.csv")], read_truth(truth_path))
    assert problem.models == ("one", "two")
    np.testing.assert_array_equal(problem.scores[0], one.score)
    np.testing.assert_array_equal(problem.scores[1], one.score)
    assert problem.truth.tolist() == [
        [True, False, True],
        [False, False, False],
        [False, False, True],
    ]
    assert problem.rows == one.rows
    assert (problem.file.tolist(), problem.files) == ([0, 0, 1], (STEM, OTHER))
    assert (problem.site, problem.hour) == (("S05", "S11"), (1, 17))
    # The class without a positive is kept but not scored.
    assert problem.without_positives == ("22930",)
    assert problem.scored.tolist() == [True, False, True]


def test_rows_are_in_order_of_time(tmp_path: Path) -> None:
    ends = [55, 5, 100, 10]
    rows = [f"b_{end}" for end in ends] + ["a_5"]
    write_scores(tmp_path / "s.csv", rows, ["x"], np.arange(5.0)[:, None])
    lines = "".join(f"b,{e - 5},{e},x\n" for e in ends) + "a,0,5,\n"
    truth = read_truth(write(tmp_path / "t.csv", "filename,start,end,primary_label\n" + lines))
    problem = align([read_scores(tmp_path / "s.csv")], truth)
    assert problem.rows == ("a_5", "b_5", "b_10", "b_55", "b_100")
    assert problem.scores[0, :, 0].tolist() == [4.0, 1.0, 3.0, 0.0, 2.0]
    assert problem.site is None
    assert problem.hour is None


def without(text: str, *starts: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(starts))


def test_what_is_missing_or_unknown_is_named(tmp_path: Path, truth_path: Path) -> None:
    truth = read_truth(truth_path)
    one = read_scores(write(tmp_path / "one.csv", SCORES))
    fewer = read_scores(write(tmp_path / "fewer.csv", without(SCORES, f"{STEM}_10")))
    renamed = read_scores(write(tmp_path / "renamed.csv", SCORES.replace("amaaza", "amazon")))
    with pytest.raises(
        FileError, match=rf"fewer.csv: compared with one.csv, 1 row missing.*{STEM}_10"
    ):
        align([one, fewer], truth)
    with pytest.raises(
        FileError, match=rf"one.csv: compared with fewer.csv, 1 row unknown.*{STEM}_10"
    ):
        align([fewer, one], truth)
    with pytest.raises(
        FileError, match=r"renamed.csv: .* 1 class missing: amaaza; 1 class unknown: "
    ):
        align([one, renamed], truth)
    with pytest.raises(FileError, match=r"1 class of the truth truth.csv without scores: amaaza"):
        align([renamed], truth)
    with pytest.raises(FileError, match=rf"1 window of the truth .* without scores: {STEM}_10"):
        align([fewer], truth)
    with pytest.raises(UserError, match="have the name one"):
        align([one, one], truth)
    with pytest.raises(UserError, match="no score file"):
        align([], truth)


def test_windows_that_the_truth_does_not_list_need_a_choice(tmp_path: Path) -> None:
    one = read_scores(write(tmp_path / "one.csv", SCORES))
    truth = read_truth(write(tmp_path / "t.csv", without(TRUTH, f"{STEM}.ogg,5")))
    with pytest.raises(FileError, match=rf"1 row without a window in the truth.*{STEM}_10"):
        align([one], truth)
    negative = align([one], truth, unlisted="negative")
    assert (len(negative.rows), negative.unlisted, negative.left_out) == (3, 1, 0)
    assert not negative.truth[negative.rows.index(f"{STEM}_10")].any()
    fewer = align([one], truth, unlisted="leave-out")
    assert (fewer.rows, fewer.left_out) == ((f"{STEM}_5", f"{OTHER}_5"), 1)
    assert any("left out" in note for note in fewer.notes())
    # A file that the truth never mentions was perhaps never listened to.
    unheard = read_truth(write(tmp_path / "u.csv", without(TRUTH, OTHER)))
    with pytest.raises(FileError, match=rf"1 row without a window.*{OTHER}_5"):
        align([one], unheard, unlisted="negative")
    assert align([one], unheard, unlisted="leave-out").files == (STEM,)


@pytest.mark.parametrize(
    ("stem", "site", "hour"),
    [
        (STEM, "S05", 1),
        ("H02_20230420_074000", "H02", 7),
        ("UHH_001_S01_20161121_150000", "S01", 15),
        ("SSW_001_20170225_010000Z", "SSW", 1),
        ("7019_COR_20190904", "COR", None),
        ("20190614_031500", None, 3),
        ("S4A03895_20190522_004500", "S4A03895", 0),
        ("soundscape_8358733", None, None),
        ("X_S05_20250227_250002", "S05", None),
    ],
)
def test_site_and_hour_of_file_names(stem: str, site: str | None, hour: int | None) -> None:
    assert site_and_hour(stem) == (site, hour)


def test_a_pattern_of_ones_own() -> None:
    pattern = r"(?P<site>[a-z]+)-(?P<time>\d{4})"
    assert site_and_hour("creek-0630", pattern) == ("creek", 6)
    assert site_and_hour(STEM, pattern) == (None, None)
    with pytest.raises(UserError, match="no group named site"):
        site_and_hour("x", ".*")
    with pytest.raises(UserError, match="not valid"):
        site_and_hour("x", "(")


def test_names_and_times() -> None:
    assert row_id("a_b", 5.0) == "a_b_5"
    assert row_id("a", 2.5) == "a_2.5"
    assert split_row_id("a_b_2.50") == ("a_b", 2.5)
    assert split_row_id("_5") is None
    assert [parse_seconds(t) for t in ("7.5", "1:05", "01:01:05.5", "1:60", "-1", "x", "")] == [
        7.5,
        65.0,
        3665.5,
        None,
        None,
        None,
        None,
    ]
    assert [file_stem(t) for t in ("d/a.ogg", "d\\a.FLAC", "site.1", "a.b.wav")] == [
        "a",
        "a",
        "site.1",
        "a.b",
    ]
