"""search, next, import."""

from __future__ import annotations

import csv
import json
import shlex

import pytest

from antiphon.api import Project
from antiphon.labels.formats.registry import read_annotations
from tests.noise import SMALL


@pytest.fixture
def bare(recordings, tmp_path):
    """Three recordings of noise with embeddings and no labels."""
    project, _ = Project.create(tmp_path / "p", audio=[recordings("a.wav", "b.wav", "c.wav")])
    project.embed("spectral", **SMALL)
    return project


def fill(path, answers):
    """Write answers into the column labels of a CSV queue, in order."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row, answer in zip(rows, answers, strict=False):
        row["labels"] = answer
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def said(project):
    """Return what the project's annotations say, without when they were made."""
    table = Project(project.path).folder.catalogue.annotations()
    columns = [table.column(c).to_pylist() for c in ("start_s", "label", "presence", "scope")]
    return [
        (start, label, presence, None if scope is None else sorted(scope))
        for start, label, presence, scope in zip(*columns, strict=True)
    ]


# search


def test_a_clip_finds_itself(antiphon, read_only, survey):
    clip = sorted(survey.audio.rglob("*.wav"))[5]
    ran = antiphon("search", read_only.path, "--like", clip, "--at", "4-6", "-k", "3")
    assert ran.code == 0
    first, *others = ran.rows("score")
    assert first[1] == clip.relative_to(survey.audio).as_posix()
    assert first[2:4] == ["4.000", "6.000"]
    assert float(first[0]) > 0.9
    assert len(others) == 2


def test_conditions_narrow_a_search(antiphon, read_only, survey):
    clip = sorted(survey.audio.rglob("*.wav"))[0]

    def hits(*arguments):
        ran = antiphon("search", read_only.path, "-k", "500", "--json", *arguments)
        assert ran.code == 0
        return json.loads(ran.out)

    assert len(hits("--like", clip)) == 160
    assert {h["site"] for h in hits("--like", clip, "--site", "FOREST01")} == {"FOREST01"}
    two = hits("--like", clip, "--site", "FOREST01", "--site", "FOREST04")
    assert {h["site"] for h in two} == {"FOREST01", "FOREST04"}
    assert {h["time"][11:13] for h in hits("--hour", "4-7")} == {"05"}
    assert {h["time"][11:13] for h in hits("--hour", "22-6")} == {"05", "23"}
    assert len(hits("--date", "2026-05-04")) == 160
    assert hits("--date", "2026-05-05") == []
    labelled = hits("--label", "Paper Thrush")
    assert 0 < len(labelled) < 160
    both = hits("--label", "Paper Thrush", "--label", "Zipper Frog")
    assert len(both) > len(labelled)
    found = hits("--detected", "Paper Thrush")
    assert found
    assert [h["score"] for h in found] == sorted((h["score"] for h in found), reverse=True)
    some = hits("--detected", "Paper Thrush", "--min-score", "0.2", "--max-score", "0.8")
    assert all(0.2 <= h["score"] <= 0.8 for h in some)
    assert some
    once = hits("--like", clip, "--per-recording", "1")
    assert len({h["path"] for h in once}) == len(once) == 16
    assert hits("--unlabelled", "--site", "FOREST01") == []


def test_nothing_found_is_said_and_is_no_error(antiphon, read_only):
    ran = antiphon("search", read_only.path, "--date", "1999-01-01")
    assert ran.code == 0
    assert "No window matches" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing to search for"),
        (["--like", "nowhere.wav"], "nowhere.wav: there is no such file"),
        (["--site", "Mars"], "no embedded recording has the site 'mars'. there are: forest01"),
        (["--label", "Yeti"], "the project has no label 'yeti'. there are: "),
        (["--detected", "Yeti"], "does not know the label 'yeti'. it knows: "),
        (["--encoder", "other"], "there are no embeddings 'other'"),
        (["--hour", "25"], "--hour '25'"),
        (["--date", "May"], "--date 'may'"),
        (["--site", "FOREST01", "-k", "0"], "-k is 0"),
        (["--site", "FOREST01", "-k", "-5"], "-k is -5"),
        (["--site", "FOREST01", "--format", "raven"], "add --out"),
        (["--site", "FOREST01", "--at", "1-2"], "it goes with --like"),
        (["--site", "FOREST01", "--format", "word", "--out", "x"], "--format 'word' is not known"),
    ],
)
def test_searches_that_cannot_be_are_refused(antiphon, read_only, arguments, words):
    ran = antiphon("search", read_only.path, *arguments)
    assert ran.code == 2
    assert words.lower() in ran.err.lower()


@pytest.mark.parametrize("at", ["3", "x-y", "3-2", "30-40"])
def test_a_span_outside_the_clip_is_refused(antiphon, read_only, survey, at):
    clip = next(survey.audio.rglob("*.wav"))
    ran = antiphon("search", read_only.path, "--like", clip, "--at", at)
    assert ran.code == 2
    assert "--at" in ran.err


def test_search_without_embeddings_and_without_a_detector(antiphon, recordings, tmp_path):
    Project.create(tmp_path / "p", audio=[recordings("a.wav")])
    ran = antiphon("search", tmp_path / "p", "--like", tmp_path / "audio" / "a.wav")
    assert ran.code == 2
    assert "antiphon embed" in ran.err
    Project(tmp_path / "p").embed("spectral", **SMALL)
    ran = antiphon("search", tmp_path / "p", "--detected", "Owl")
    assert ran.code == 2
    assert "antiphon train" in ran.err


@pytest.mark.parametrize("format", ["csv", "raven", "audacity"])
def test_search_hands_out_a_queue(antiphon, bare, tmp_path, format):
    target = tmp_path / ("hits.csv" if format == "csv" else "hits")
    clip = tmp_path / "audio" / "b.wav"
    ran = antiphon(
        *("search", bare.path, "--like", clip, "-k", "4", "--out", target, "--format", format)
    )
    assert ran.code == 0
    assert "4 windows written" in ran.out
    back = antiphon("import", bare.path, target)
    assert back.code == 0
    assert "0 annotations added" in back.out
    assert "4 rows left blank" in back.out


# next and import


@pytest.mark.parametrize(
    "strategy", ["coreset", "entropy", "likely", "margin", "random", "weighted-coreset"]
)
def test_every_strategy_before_and_after_the_first_detector(antiphon, bare, tmp_path, strategy):
    def choose():
        ran = antiphon("next", bare.path, "-n", "4", "--strategy", strategy, "--json")
        assert ran.code == 0
        windows = [item["window"] for item in json.loads(ran.out)]
        return [(w["path"], w["start_s"]) for w in windows]

    before = choose()
    assert len(set(before)) == 4
    queue = tmp_path / "queue.csv"
    antiphon("next", bare.path, "-n", "4", "--strategy", strategy, "--out", queue)
    fill(queue, ["owl", "nothing", "owl", "nothing"])
    assert antiphon("import", bare.path, queue, "--complete").code == 0
    assert antiphon("train", bare.path).code == 0
    after = choose()
    assert len(after) == 2
    assert not set(after) & set(before)


def test_the_queue_says_how_to_go_on(antiphon, bare, tmp_path):
    target = tmp_path / "to label.csv"
    ran = antiphon("next", bare.path, "-n", "2", "--out", target)
    command, hint = ran.out.split("then: ")[1].strip().split("\n", 1)
    assert "--complete" in hint
    assert shlex.split(command) == ["antiphon", "import", str(bare.path), str(target)]


def test_a_filled_in_csv_queue(antiphon, bare, tmp_path):
    queue = tmp_path / "queue.csv"
    antiphon("next", bare.path, "-n", "6", "--out", queue)
    rows = fill(queue, ["Owl; Frog", "-Owl", "Owl?; Rain", "nothing", "", "'no' \"one\""])
    ran = antiphon("import", bare.path, queue, "--annotator", "Ada")
    assert ran.code == 0
    assert "7 annotations added, 0 were there; " in ran.out
    assert "1 rows left blank" in ran.out
    start = [float(row["start_s"]) for row in rows]
    assert sorted(said(bare), key=str) == sorted(
        [
            (start[0], "Owl", "present", None),
            (start[0], "Frog", "present", None),
            (start[1], "Owl", "absent", None),
            (start[2], "Owl", "unsure", None),
            (start[2], "Rain", "present", None),
            (start[3], None, "absent", None),
            (start[5], "'no' \"one\"", "present", None),
        ],
        key=str,
    )
    again = antiphon("import", bare.path, queue, "--annotator", "Ada")
    assert "0 annotations added, 7 were there" in again.out
    assert len(said(bare)) == 7


@pytest.mark.parametrize("format", ["raven", "audacity"])
def test_a_queue_filled_in_elsewhere(antiphon, bare, tmp_path, format):
    antiphon("next", bare.path, "-n", "6", "--out", tmp_path / "q", "--format", format)
    answers = iter(["Owl; Frog", "-Owl", "Owl?", "nothing", "", "Owl"])
    for path in sorted((tmp_path / "q").iterdir()):
        lines = path.read_text(encoding="utf-8").splitlines()
        if format == "raven":
            column = lines[0].split("\t").index("Labels")
            begin = 1
        else:
            column, begin = 2, 0
        for i in range(begin, len(lines)):
            cells = lines[i].split("\t")
            if len(cells) <= column:
                continue
            cells[column] = next(answers) or cells[column]
            lines[i] = "\t".join(cells)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert next(answers, None) is None
    ran = antiphon("import", bare.path, tmp_path / "q")
    assert ran.code == 0
    assert "1 rows left blank" in ran.out
    found = sorted((label or "", presence) for _, label, presence, _ in said(bare))
    assert found == [
        ("", "absent"),
        *(("Frog", "present"), ("Owl", "absent"), ("Owl", "present"), ("Owl", "present")),
        ("Owl", "unsure"),
    ]


def test_complete_means_absent_within_the_windows_of_a_queue(antiphon, bare, tmp_path):
    queue = tmp_path / "queue.csv"
    antiphon("next", bare.path, "-n", "2", "--out", queue)
    fill(queue, ["Owl", "Frog"])
    assert antiphon("import", bare.path, queue, "--complete").code == 0
    scopes = [scope for *_, scope in said(bare) if scope is not None]
    assert scopes == [["Frog", "Owl"]] * 2
    # Later windows in which there is nothing are absent for the labels the project has.
    antiphon("next", bare.path, "-n", "2", "--out", queue, "--overwrite")
    fill(queue, ["nothing", "nothing"])
    assert antiphon("import", bare.path, queue, "--complete").code == 0
    targets = bare.search(unlabelled=True, k=100)
    assert len(targets) == 6 - 4


def test_nothing_in_a_project_without_labels_needs_their_names(antiphon, bare, tmp_path):
    queue = tmp_path / "queue.csv"
    antiphon("next", bare.path, "-n", "2", "--out", queue)
    fill(queue, ["nothing", "nothing"])
    refused = antiphon("import", bare.path, queue, "--complete")
    assert refused.code == 2
    assert "--labels 'A; B'" in refused.err
    assert antiphon("import", bare.path, queue, "--complete", "--labels", "Owl; Frog").code == 0
    assert [s for *_, s in said(bare) if s is not None] == [["Frog", "Owl"]] * 2


def test_a_queue_that_cannot_be_meant(antiphon, bare, tmp_path):
    queue = tmp_path / "queue.csv"
    antiphon("next", bare.path, "-n", "2", "--out", queue)
    fill(queue, ["Owl; nothing", ""])
    ran = antiphon("import", bare.path, queue)
    assert ran.code == 2
    assert "queue.csv: row 2, column labels" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "0"], "-n is 0"),
        (["-n", "-3"], "-n is -3"),
        (["--strategy", "magic"], "Strategy 'magic' is not known."),
        (["--format", "word", "--out", "x"], "--format 'word'"),
        (["--format", "raven"], "add --out"),
        (["--site", "Mars"], "'Mars'"),
    ],
)
def test_queues_that_cannot_be_are_refused(antiphon, bare, arguments, words):
    ran = antiphon("next", bare.path, *arguments)
    assert ran.code == 2
    assert words in ran.err


def test_a_raven_queue_cannot_be_one_file(antiphon, bare, tmp_path):
    ran = antiphon("next", bare.path, "--out", tmp_path / "q.txt", "--format", "raven")
    assert ran.code == 2
    assert "folder" in ran.err


def test_when_all_is_labelled_nothing_is_left(antiphon, read_only):
    ran = antiphon("next", read_only.path)
    assert ran.code == 2
    assert "No window is left to label" in ran.err


def test_next_spreads_over_recordings(antiphon, bare):
    ran = antiphon("next", bare.path, "-n", "3", "--per-recording", "1", "--json")
    assert {item["window"]["path"] for item in json.loads(ran.out)} == {"a.wav", "b.wav", "c.wav"}
    fewer = antiphon("next", bare.path, "-n", "6", "--per-recording", "1", "--json")
    assert len(json.loads(fewer.out)) == 3


def test_a_folder_of_raven_tables(antiphon, tmp_path, survey):
    project, _ = Project.create(tmp_path / "p", audio=[survey.audio])
    arguments = ("import", project.path, survey.truth, "--label-column", "Species")
    first = antiphon(*arguments, "--complete", "--format", "raven")
    assert first.code == 0
    truth = read_annotations(survey.truth, "raven", label_column="Species")
    counts = {row[0]: int(row[1]) for row in first.rows("label")}
    assert sum(counts.values()) == truth.table.num_rows
    again = antiphon(*arguments, "--complete")
    assert again.code == 0
    assert "0 annotations added" in again.out
    # All recordings were reviewed in full, those without a call as well.
    absent = project.folder.catalogue.annotations().filter(
        [p == "absent" for p in project.folder.catalogue.annotations()["presence"].to_pylist()]
    )
    assert absent.num_rows == 16
    assert {tuple(sorted(s)) for s in absent.column("scope").to_pylist()} == {tuple(sorted(counts))}


def test_a_csv_with_recordings_the_project_lacks(antiphon, bare, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "recording,start_s,end_s,label\n"
        "a.wav,0,0.5,Owl\n"
        "elsewhere/z.wav,0,0.5,Owl\n"
        "elsewhere/z.wav,1,1.5,Owl\n"
        "b.wav,40,41,Owl\n"
    )
    ran = antiphon("import", bare.path, table)
    assert ran.code == 1
    assert "1 annotations added" in ran.out
    assert "elsewhere/z.wav: is not a recording of this project (2 rows left out)" in ran.err
    assert "b.wav at 40 s: begins after the recording's end" in ran.err
    assert "the rest is kept" in ran.err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.csv", "recording,start_s,end_s,label\nz.wav,0,1,Owl\n", "the project has none of them"),
        ("x.csv", "recording,start_s,end_s,label\na.wav,zero,1,Owl\n", "row 2"),
        ("x.csv", "a,b,c\n1,2,3\n", "x.csv"),
        ("x.csv", "", "x.csv"),
        ("x.jpg", "", "x.jpg"),
        ("a.wav", "RIFF", "this is a recording and no label table"),
        ("x.bin", "table\0\0", "it is not text"),
        ("z.csv", "start_s,end_s,label\n0,1,Owl\n", "1 recording and the project has none"),
        ("z.csv", "start_s,end_s,label\n0,1,Owl\n", "--recording NAME"),
        ("x.txt", "just words\n", "x.txt"),
    ],
)
def test_tables_that_cannot_be_used(antiphon, bare, tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    ran = antiphon("import", bare.path, tmp_path / name)
    assert ran.code == 2
    assert words in ran.err
    assert said(bare) == []


def test_a_bad_table_among_good_ones(antiphon, bare, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "a.txt").write_text("0.1\t0.4\tOwl\n")
    (folder / "b.txt").write_text("0.1\tend\tOwl\n")
    ran = antiphon("import", bare.path, folder)
    assert ran.code == 1
    assert "1 annotations added" in ran.out
    assert "b.txt: " in ran.err


def test_a_folder_in_which_no_table_can_be_read(antiphon, read_only, survey):
    ran = antiphon("import", read_only.path, survey.truth, "--label-column", "Bird")
    assert ran.code == 2
    assert "none of its 16 label tables can be read" in ran.err
    assert "'Bird'" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.txt"], "nowhere.txt: there is no such file"),
        (["TABLE", "--labels", "Frog"], "it goes with --complete"),
        (["TABLE", "--format", "word"], "Format 'word' is not known. There are: audacity"),
        (["TABLE", "--frequency-unit", "furlong"], "frequency_unit"),
    ],
)
def test_imports_that_cannot_be_are_refused(antiphon, bare, tmp_path, arguments, words):
    table = tmp_path / "a.Table.1.selections.txt"
    table.write_text("Selection\tBegin Time (s)\tEnd Time (s)\tSpecies\n1\t0.1\t0.2\tOwl\n")
    given = [table if a == "TABLE" else a for a in arguments]
    ran = antiphon("import", bare.path, *given)
    assert ran.code == 2
    assert words in ran.err


def test_a_name_that_two_recordings_have(antiphon, tmp_path, recordings):
    audio = recordings("Hill/a.wav", "Marsh/a.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    table = tmp_path / "labels.csv"
    table.write_text("recording,start_s,end_s,label\na.wav,0,0.5,Owl\n")
    ran = antiphon("import", project.path, table)
    assert ran.code == 2
    assert "Hill/a.wav, Marsh/a.wav" in ran.err
    assert "longer path" in ran.err
    table.write_text("recording,start_s,end_s,label\nD:\\cards\\marsh\\A.WAV,0,0.5,Owl\n")
    assert antiphon("import", project.path, table).code == 0
    (row,) = project.folder.catalogue.annotations().to_pylist()
    paths = {r["id"]: r["path"] for r in project.folder.catalogue.recordings().to_pylist()}
    assert paths[row["recording_id"]] == "Marsh/a.wav"


def test_a_corrected_answer_replaces_the_earlier_one(antiphon, labelled, tmp_path) -> None:
    queue = tmp_path / "queue.csv"
    header = "recording,start_s,end_s,channel,labels,suggested,score,window_id\n"
    name = labelled.folder.catalogue.recordings().column("path")[0].as_py()
    place = str(labelled.path)
    for answer in ("Sneeze; Cough", "Sneeze", "nothing"):
        queue.write_text(f"{header}{name},0.0,2.0,,{answer},,,1\n")
        assert antiphon("import", place, str(queue), "--complete").code == 0
    rows = labelled.folder.catalogue.annotations().to_pylist()
    # The synthesised truth has bands, answers have none.
    said = [r for r in rows if (r["start_s"], r["end_s"], r["low_hz"]) == (0.0, 2.0, None)]
    assert not [r for r in said if r["presence"] == "present"]
    everything = [r for r in said if r["label"] is None and r["scope"] is None]
    assert [r["presence"] for r in everything] == ["absent"]


def test_a_filled_in_queue_is_not_overwritten(antiphon, labelled, tmp_path) -> None:
    queue = tmp_path / "queue.csv"
    queue.write_text("an evening's work")
    hits = labelled.search(sites=[next(iter(labelled.status().sites))], k=3)
    from antiphon.errors import FileError

    with pytest.raises(FileError, match="may hold answers"):
        labelled.write_queue(hits, queue)
    assert queue.read_text() == "an evening's work"
    labelled.write_queue(hits, queue, overwrite=True)
    assert queue.read_text().startswith("recording,")


def test_recordings_without_a_start_time_are_counted(antiphon, tmp_path, recordings):
    audio = recordings("North/20260501_050000.wav", "North/a.wav", "South/b.wav")
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", **SMALL)
    ran = antiphon("search", project.path, "--hour", "4-7")
    assert {row[1] for row in ran.rows("score")} == {"North/20260501_050000.wav"}
    assert "2 of 3 recordings have no known start time" in ran.err
    ran = antiphon("next", project.path, "-n", "1", "--date", "2026-05-01", "--site", "North")
    assert "1 of 2 recordings have no known start time" in ran.err
    assert "start time" not in antiphon("search", project.path, "--site", "North").err


def test_windows_that_are_not_ranked_have_no_score(antiphon, bare):
    ran = antiphon("search", bare.path, "--unlabelled", "-k", "2")
    assert [row[0] for row in ran.rows("score")] == ["-", "-"]
