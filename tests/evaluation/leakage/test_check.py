"""Splits with known leaks: each is found, counted and named, and nothing else is."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from antiphon.errors import UserError
from antiphon.evaluation.leakage.check import check_folds, check_split
from antiphon.evaluation.leakage.fingerprints import fingerprint
from antiphon.evaluation.leakage.sides import SplitSide
from tests.evaluation.leakage.test_fingerprints import RATE, clip


def kinds(report):
    return {(f.kind, f.severity, f.sides): f.count for f in report.findings}


TRAIN, TEST = ("train", "test"), ("train", "test")


def test_a_clean_split():
    report = check_split(
        SplitSide(ids=["a", "b"], recordings=["r1", "r1"], sites=["S1", "S1"]),
        SplitSide(ids=["c"], recordings=["r2"], sites=["S2"]),
    )
    assert report.findings == ()
    assert report.ok
    assert report.checked == ("item (train, test)", "recording (train, test)", "site (train, test)")
    assert "source (train and test: not given)" in report.not_checked
    lines = report.lines()
    assert lines[0] == "Leakage (items: 2 train, 1 test): nothing found in what was checked."
    assert "source, day, content, audio, embedding (train and test: not given)" in lines[-1]


def test_names_by_hand():
    report = check_split(
        SplitSide(
            ids=["a", "b", "c"],
            recordings=["r1", "r1", "r2"],
            sources=["u1", "u1", "u2"],
            sites=["S1", "S1", "S2"],
            days=["2024-05-01", "2024-05-01", "2024-05-02"],
        ),
        SplitSide(
            ids=["c", "d", "e", "f"],
            recordings=["r2", "r2", "r3", "r4"],
            sources=["u2", "u2", "u1", None],
            sites=["S2", "S2", "S1", "S9"],
            days=["2024-05-02", "2024-05-02", "2024-05-02", None],
        ),
    )
    assert kinds(report) == {
        ("item", "error", TRAIN): 1,
        ("recording", "error", TRAIN): 2,
        ("source", "error", TRAIN): 3,
        ("site", "warning", TRAIN): 3,
        ("day", "warning", TRAIN): 3,
        # e was recorded at S1 on a day from which the training side has S2 only.
        ("site and day", "warning", TRAIN): 2,
    }
    assert "source of 1 of 4 test items" in report.not_checked
    assert report.findings[1].examples == ("r2: 2",)
    assert not report.ok
    assert [f.severity for f in report.findings] == ["error"] * 3 + ["warning"] * 3
    assert (
        "ERROR: 2 of 4 test items are from recordings on the train side (r2: 2)."
        in (report.lines()[2])
    )


def test_what_is_promised_apart_is_an_error():
    sides = SplitSide(sites=["S1"], recordings=["a"]), SplitSide(sites=["S1"], recordings=["a"])
    assert kinds(check_split(*sides, apart=["site"])) == {
        ("site", "error", TRAIN): 1,
        ("recording", "warning", TRAIN): 1,
    }


def test_validation_is_compared_with_both():
    report = check_split(
        SplitSide(ids=["a", "b"]), SplitSide(ids=["c", "d"]), SplitSide(ids=["b", "c"])
    )
    assert kinds(report) == {
        ("item", "error", ("train", "validation")): 1,
        ("item", "error", ("validation", "test")): 1,
    }


def test_validation_that_is_the_test_side():
    report = check_split(
        SplitSide(ids=["a", "b"]), SplitSide(ids=["c", "d"]), SplitSide(ids=["d", "c"])
    )
    assert kinds(report) == {("same set", "error", ("validation", "test")): 2}
    assert "the test side is contained in the validation side" in report.lines()[1]


def test_content_under_other_names(tmp_path):
    for name, text in (("a.wav", "one"), ("b.wav", "two"), ("c.wav", "one"), ("d.wav", "three")):
        (tmp_path / name).write_text(text)
    report = check_split(
        SplitSide(files=[tmp_path / "a.wav", tmp_path / "b.wav"]),
        SplitSide(files=[tmp_path / "c.wav", tmp_path / "d.wav", tmp_path / "gone.wav", None]),
    )
    assert kinds(report) == {("content", "error", TRAIN): 1}
    (example,) = report.findings[0].examples
    assert example == f"{tmp_path / 'c.wav'} = {tmp_path / 'a.wav'}"
    assert any("gone.wav" in said for said in report.not_checked)
    assert "content of 2 of 4 test items" in report.not_checked


def test_a_name_on_both_sides_is_not_reported_again_by_content(tmp_path):
    (tmp_path / "a.wav").write_text("one")
    side = SplitSide(ids=["a", "x"], files=[tmp_path / "a.wav", None])
    other = SplitSide(ids=["a", "y"], files=[tmp_path / "a.wav", None])
    assert kinds(check_split(side, other)) == {("item", "error", TRAIN): 1}


def test_copied_audio(tmp_path):
    sounds = [clip(seed) for seed in range(4)]
    soundfile.write(tmp_path / "x.ogg", sounds[1][RATE // 3 :] * 0.2, RATE)
    copy = fingerprint(*soundfile.read(tmp_path / "x.ogg"))
    train = SplitSide(ids=["a", "b"], fingerprints=[fingerprint(x, RATE) for x in sounds[:2]])
    print_2 = fingerprint(sounds[2], RATE)
    test = SplitSide(ids=["c", "d", "e", "f"], fingerprints=[print_2, copy, copy, None])
    report = check_split(train, test)
    assert kinds(report) == {("copied audio", "error", TRAIN): 2}
    assert report.findings[0].examples[0].startswith("d ~ b, ")
    assert "audio of 1 of 4 test items" in report.not_checked


def test_embeddings():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(50, 16))
    test = rng.normal(size=(5, 16))
    test[1] = 3.0 * train[7]
    test[3] = train[9] + 0.02 * rng.normal(size=16)
    report = check_split(SplitSide(embeddings=train), SplitSide(embeddings=test))
    assert kinds(report) == {
        ("equal embedding", "error", TRAIN): 1,
        ("near embedding", "warning", TRAIN): 1,
    }
    assert report.findings[0].examples == ("item 1 ~ item 7, cosine 1.0000",)
    assert report.findings[1].examples[0].startswith("item 3 ~ item 9, cosine 0.99")
    strict = check_split(SplitSide(embeddings=train), SplitSide(embeddings=test), near=0.99999)
    assert kinds(strict) == {("equal embedding", "error", TRAIN): 1}


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (["x"], ["a/x.wav", "b/x.WAV"]),
        (["b\\x.flac"], ["b/x.WAV"]),
        (["c/x.wav"], []),
        (["deep/a/x.ogg"], ["a/x.wav"]),
        (["y.v2.wav"], ["y.v2"]),
        (["", "other.wav"], []),
    ],
)
def test_what_a_component_was_trained_on(declared, found):
    test = SplitSide(recordings=["a/x.wav", "b/x.WAV", "y.v2"])
    report = check_split(
        SplitSide(recordings=["t"]), test, trained_on={"model": declared}, examples=9
    )
    assert [e for f in report.findings for e in f.examples] == found
    assert "what model was trained on (test)" in report.checked
    if found:
        assert report.findings[0].sides == ("model", "test")
        assert "that model was trained on" in report.lines()[1]


def test_a_side_without_names_cannot_be_looked_up():
    side = SplitSide(embeddings=np.eye(2))
    report = check_split(side, SplitSide(embeddings=np.eye(2)[::-1]), trained_on={"m": ["x"]})
    assert "what m was trained on (test)" in report.not_checked


def test_folds():
    items = SplitSide(
        recordings=["a", "a", "b", "c", "c", "d"], sites=["S", "S", "S", "T", "T", None]
    )
    report = check_folds(items, [0, 1, 0, 1, 1, 2], trained_on={"m": ["d"]}, examples=9)
    assert kinds(report) == {
        ("recording", "error", ("other", "held-out")): 2,
        ("trained on", "error", ("m", "held-out")): 1,
        ("site", "warning", ("other", "held-out")): 3,
    }
    assert "site of 1 of 6 items" in report.not_checked
    assert "held out in 3 folds" in report.lines()[0]
    good = check_folds(items, [0, 0, 1, 2, 2, 3], apart=["recording"])
    assert good.ok


def test_examples_are_a_few_of_many():
    report = check_split(SplitSide(ids=list("abcdef")), SplitSide(ids=list("abcdex")), examples=2)
    assert report.findings[0].examples == ("a", "b")
    assert "(a; b; ...)" in report.lines()[1]


def test_json_can_be_written():
    report = check_split(SplitSide(ids=["a", "b"]), SplitSide(ids=["a", "z"]))
    data = json.loads(json.dumps(report.to_json()))
    assert (data["errors"], data["findings"][0]["kind"]) == (1, "item")
    assert data["sizes"] == {"train": 2, "test": 2}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: SplitSide(), "at least the names"),
        (lambda: SplitSide(ids=["a"], sites=["S", "T"]), "1 ids, 2 sites"),
        (lambda: SplitSide(embeddings=np.zeros(4)), r"\(n, d\)"),
        (lambda: check_split(*_two(), apart=["month"]), "'month'"),
        (lambda: check_split(*_two(), near=1.5), "similarity"),
        (lambda: check_folds(_two()[0], [0]), "2 items"),
        (lambda: check_folds(_two()[0], [0, 0]), "at least 2 folds"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(UserError, match=said):
        call()


def _two():
    return SplitSide(ids=["a", "b"]), SplitSide(ids=["c"])


@pytest.mark.parametrize(
    ("train", "test", "alike"),
    [
        ("a/x.wav", "x", True),
        ("x.wav", "a/X.flac", True),
        ("./a/x.wav", "a\\x.wav", True),
        ("a/x.wav", "b/x.wav", False),
    ],
)
def test_sides_that_were_listed_apart(train, test, alike):
    sides = SplitSide(recordings=[train, "other"]), SplitSide(recordings=[test])
    found = kinds(check_split(*sides, listed_apart=True))
    assert found == ({("recording", "error", TRAIN): 1} if alike else {})
    # Within one list these are two names of two recordings.
    assert check_split(*sides).ok


def test_files_of_one_name_and_two_contents_are_two_recordings(tmp_path):
    sides = []
    for number, folder in enumerate(("a", "b")):
        path = tmp_path / folder / "x.wav"
        path.parent.mkdir()
        soundfile.write(path, clip(number), RATE)
        sides.append(SplitSide(recordings=["x.wav" if number else "a/x.wav"], files=[path]))
    assert check_split(*sides, listed_apart=True).ok
