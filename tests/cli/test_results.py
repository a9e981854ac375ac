"""report, export."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from antiphon.api import Project
from antiphon.labels.formats.registry import read_annotations

SPAN = ("path", "start_s", "end_s", "label")


def spans(path, **options):
    """Return what a table says: recording, span, label and confidence."""
    table = read_annotations(path, **options).table
    columns = ("recording", "start_s", "end_s", "label", "confidence")
    rows = zip(*(table.column(c).to_pylist() for c in columns), strict=True)
    return sorted(
        (name, round(a, 3), round(b, 3), label, None if c is None else round(c, 3))
        for name, a, b, label, c in rows
    )


def test_report_is_one_file_that_needs_no_other(antiphon, trained, survey, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    (new / "broken one.wav").write_text("no audio")
    assert antiphon("init", trained.path, "--audio", new).code == 1
    ran = antiphon("report", trained.path)
    assert ran.code == 0
    path = trained.path / "reports" / "report.html"
    assert f"Report: {path}" in ran.out
    text = path.read_text(encoding="utf-8")
    assert text[:15].lower() == "<!doctype html>"
    assert "broken one.wav" in text
    assert "Paper Thrush" in text
    assert not re.search(r"<(script|img|audio|source|iframe)[^>]+src=[\"'](?!data:)", text)
    assert not re.search(r"<link[^>]+href=[\"'](?!data:|#)", text)
    assert "url(http" not in text


def test_report_before_there_are_labels(antiphon, tmp_path, recordings):
    from tests.noise import SMALL

    project, _ = Project.create(tmp_path / "p", audio=[recordings("a.wav")])
    ran = antiphon("report", project.path)
    assert ran.code == 2
    assert "antiphon embed" in ran.err
    project.embed("spectral", **SMALL)
    target = tmp_path / "new folder" / "my report.html"
    assert antiphon("report", project.path, "--out", target).code == 0
    assert "There are no labels" in target.read_text(encoding="utf-8")


def test_a_report_cannot_replace_a_folder(antiphon, read_only, tmp_path):
    ran = antiphon("report", read_only.path, "--out", tmp_path)
    assert ran.code == 2
    assert f"{tmp_path}: is a folder" in ran.err


@pytest.mark.parametrize("merge", [True, False])
def test_all_formats_say_the_same(antiphon, read_only, tmp_path, merge):
    found = {}
    for format in ("raven", "audacity", "csv", "parquet"):
        single = format in ("csv", "parquet")
        target = tmp_path / (f"out.{format}" if single else format)
        ran = antiphon(
            *("export", read_only.path, "--format", format, "--out", target),
            "--merge" if merge else "--windows",
        )
        assert ran.code == 0
        rows = int(re.match(r"([\d,]+) detections written", ran.out)[1].replace(",", ""))
        if format == "parquet":
            table = pq.read_table(target)
            assert table.num_rows == rows
            continue
        found[format] = spans(target, format=format)
        assert len(found[format]) == rows
    windows = pq.read_table(read_only.path / "detections" / "first.parquet")
    exact = {
        (path.rsplit("/")[-1].rsplit(".")[0], start, end, label)
        for path, start, end, label in zip(
            *(pq.read_table(tmp_path / "out.parquet").column(c).to_pylist() for c in SPAN),
            strict=True,
        )
    }
    for rows in found.values():
        stems = {(r[0].rsplit("/")[-1].rsplit(".")[0], *r[1:4]) for r in rows}
        assert stems == exact
    if merge:
        assert len(exact) < windows.num_rows
        total = sum(end - start for _, start, end, _ in exact)
        assert total == pytest.approx(windows.num_rows * 2.0)
    else:
        assert len(exact) == windows.num_rows


def test_narrowing_an_export(antiphon, read_only, tmp_path):
    target = tmp_path / "x.csv"

    def rows(*arguments):
        assert antiphon("export", read_only.path, "--out", target, *arguments).code == 0
        return spans(target, format="csv")

    assert {r[3] for r in rows("--label", "Paper Thrush")} == {"Paper Thrush"}
    assert all(r[4] >= 0.7 for r in rows("--min-score", "0.7"))
    assert len(rows("--gap", "1000")) < len(rows())


def test_annotations_come_out_as_they_went_in(antiphon, read_only, survey, tmp_path):
    ran = antiphon(
        *("export", read_only.path, "--what", "annotations", "--format", "raven"),
        *("--out", tmp_path / "raven", "--label", "Paper Thrush"),
    )
    assert ran.code == 0
    back = [r[1:4] for r in spans(tmp_path / "raven", format="raven")]
    truth = spans(survey.truth, format="raven", label_column="Species")
    assert sorted(back) == sorted(r[1:4] for r in truth if r[3] == "Paper Thrush")
    for format in ("csv", "parquet"):
        target = tmp_path / f"all.{format}"
        ran = antiphon(
            "export", read_only.path, "--what", "annotations", "--format", format, "--out", target
        )
        assert ran.code == 0
        table = read_annotations(target).table
        assert table.num_rows == read_only.folder.catalogue.annotations().num_rows


def test_the_place_is_chosen_when_none_is_given(antiphon, read_only, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert antiphon("export", read_only.path).code == 0
    assert antiphon("export", read_only.path, "--format", "audacity").code == 0
    assert (tmp_path / "detections.csv").is_file()
    assert (tmp_path / "detections").is_dir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "word"], "--format 'word' is not known. There are: raven"),
        (["--what", "annotations", "--min-score", "0.5"], "for detections, not annotations"),
        (["--what", "dreams"], "There are: detections, annotations"),
        (["--run", "other"], "no detections called 'other'"),
        (["--label", "Yeti"], "There is no label 'Yeti'. There are: "),
        (["--gap", "-1"], "--gap"),
        (["--min-score", "3"], "--min-score"),
        (["--out", "."], "is a folder"),
    ],
)
def test_exports_that_cannot_be_are_refused(
    antiphon, read_only, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    ran = antiphon("export", read_only.path, *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_export_before_there_are_detections(antiphon, labelled, tmp_path):
    ran = antiphon("export", labelled.path, "--out", tmp_path / "x.csv")
    assert ran.code == 2
    assert "antiphon detect" in ran.err


def test_damaged_detections(antiphon, trained):
    path = trained.path / "detections" / "first.parquet"
    path.write_bytes(path.read_bytes()[:100])
    ran = antiphon("export", trained.path)
    assert ran.code == 2
    assert "first.parquet: these detections cannot be read" in ran.err
    assert "antiphon detect" in ran.err


def test_annotations_of_a_project_without_any(antiphon, tmp_path, recordings):
    antiphon("init", tmp_path / "p", "--audio", recordings("a.wav"))
    out = tmp_path / "none.csv"
    ran = antiphon("export", tmp_path / "p", "--what", "annotations", "--out", out)
    assert (ran.code, ran.err) == (0, "")
    assert "0 annotations written" in ran.out


def test_a_report_without_space_names_the_file_it_was_writing(
    antiphon, read_only, tmp_path, monkeypatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    ran = antiphon("report", read_only.path, "--out", tmp_path / "report.html")
    assert ran.code == 1
    named = r"/(report\.html|evaluation\.json): No space left on device\. What was finished is kept"
    assert re.search(named, ran.err)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_were_found_are_not_called_missing(antiphon, labelled, tmp_path):
    table = tmp_path / "more.csv"
    name = labelled.folder.catalogue.recordings().column("path")[0].as_py()
    table.write_text(
        f"recording,start_s,end_s,label,presence\n{name},0,2,Owl,absent\n{name},0,2,Bat,present\n"
    )

    def report():
        assert antiphon("report", labelled.path).code == 0
        return (labelled.path / "reports" / "report.html").read_text(encoding="utf-8")

    antiphon("import", labelled.path, table)
    page = report()
    assert "1 label that nobody found present yet" in page
    assert "antiphon detect project\n" not in page
    antiphon("train", labelled.path)
    table.write_text(f"recording,start_s,end_s,label\n{name},4,6,Late Thrush\n")
    antiphon("import", labelled.path, table)
    page = report()
    assert "1 label that nobody found present yet" in page
    assert "antiphon detect project\n" in page
    assert "no embedded window carried it when it was trained" in page
