"""The whole report: structure, numbers, hostile names, missing parts."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from antiphon.pipeline.report.activity import detection_table
from antiphon.pipeline.report.data import (
    Calibration,
    ClassQuality,
    ClipView,
    Detections,
    Effort,
    Estimate,
    Learning,
    LearningCurve,
    PrecisionRecall,
    Provenance,
    Quality,
    ReportData,
    Summary,
    Uncovered,
)
from antiphon.pipeline.report.render import render_report, write_report
from tests.plots.test_page import read

HOSTILE = "<script>alert('x')</script>\"&"
SECTIONS = [
    "summary",
    "effort",
    "quality",
    "detections",
    "clips",
    "learning",
    "uncovered",
    "provenance",
]


def times(*texts):
    return np.array(texts, dtype="datetime64[us]")


def curve():
    recall = np.linspace(0, 1, 21)
    return PrecisionRecall(recall, 1 - recall / 2, 0.9 - recall / 2, 1 - recall / 3, 0.1)


def clip(kind="best", rate=16000, **changes):
    audio = np.sin(np.arange(rate) * 0.3).astype(np.float32) * 0.2
    return ClipView(
        label="wren",
        kind=kind,
        audio=audio,
        sample_rate=rate,
        path="A/20250503_040000.wav",
        start_s=12.0,
        end_s=13.0,
        probability=0.973,
        site="Ridge",
        time=datetime(2025, 5, 3, 4, 0, 12),
        **changes,
    )


def quality(classes=None):
    wren = ClassQuality(
        label="wren",
        positives=38,
        groups=12,
        negatives=461,
        average_precision=Estimate(0.873, 0.801, 0.929),
        roc_auc=Estimate(0.951, 0.93, 0.97),
        threshold=0.62,
        precision=Estimate(0.91, 0.84, 0.96),
        recall=Estimate(0.55, 0.41, 0.7),
        more_clips=24,
        curve=curve(),
    )
    owl = ClassQuality(label="owl", positives=1, groups=1, note="one positive is too few")
    bins = np.array([0.1, 0.9])
    return Quality(
        title="Cross-validation on the labels",
        classes=classes or (wren, owl),
        macro_average_precision=Estimate(0.744, 0.69, 0.79),
        macro_roc_auc=Estimate(0.93, 0.9, 0.95),
        calibration=Calibration(
            bins, bins, bins - 0.05, bins + 0.05, np.array([77, 23]), Estimate(0.037, 0.02, 0.06)
        ),
        group_by="recording",
        groups=41,
        folds=5,
        windows=499,
        bootstrap=1000,
        seed=7,
    )


@pytest.fixture
def data():
    x = np.array([20.0, 40.0])
    return ReportData(
        summary=Summary("Ridge survey", "spectral", "ab" * 32, "first", 3, 1.5, 3600, 2, 499, 612),
        provenance=Provenance(
            datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
            versions={"antiphon": "0.1.0"},
            seeds={"folds": 7},
            commands=("antiphon report PROJECT",),
        ),
        effort=Effort(
            ("A/1.wav", "B/2.wav", "B/3.wav"),
            times("2025-05-03T04:30", "2025-05-04T05:00", "NaT"),
            np.array([3600.0, 1200.0, 600.0]),
            ("Ridge", "Marsh", "Marsh"),
        ),
        quality=(quality(),),
        detections=Detections(
            ("wren", "owl"),
            np.array([0, 0, 0]),
            times("2025-05-03T04:40", "2025-05-04T05:01", "NaT"),
            ("Ridge", "Marsh", "Marsh"),
        ),
        clips=(clip(), clip("doubtful", said="absent")),
        learning=Learning(
            (
                LearningCurve("active", x, x / 50, x / 60, x / 45, seeds=5),
                LearningCurve("random", x, x / 70, x / 80, x / 65, seeds=5),
            )
        ),
        uncovered=Uncovered(
            problems=(("B/bad.wav", "unreadable", "0 bytes"),),
            without_positives=("kiwi",),
            untrained=(("owl", "1 positive, 3 are needed"),),
            unscored_windows=120,
            unscored_reason="they came later",
            leakage=("Two recordings overlap.",),
        ),
    )


def text_of(html):
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_page_is_well_formed_and_whole(data):
    elements = read(render_report(data))
    assert [a["id"] for tag, a in elements if tag == "section"] == SECTIONS
    assert [a["href"] for tag, a in elements if tag == "a" and a["href"] != "#content"][:8] == [
        f"#{name}" for name in SECTIONS
    ]
    drawings = [a for tag, a in elements if tag == "svg"]
    assert len(drawings) >= 8
    assert all(a["aria-label"] and a["role"] == "img" for a in drawings)
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_headings_go_down_one_at_a_time(data):
    levels = [int(t[1]) for t, _ in read(render_report(data)) if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_nothing_comes_from_outside(data):
    for tag, attributes in read(render_report(data)):
        for name in ("src", "href", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)


@pytest.mark.parametrize(
    "number",
    [
        "0.74 [0.69, 0.79]",
        "0.91 [0.84, 0.96]",
        "0.55 [0.41, 0.70]",
        "38 positives in 12 recordings",
        "24 more labelled clips",
        "0.87 [0.80, 0.93]",
        "5 folds that never split a recording",
        "1,000 bootstrap replicates",
        "seed 7",
        "0.037 [0.020, 0.060]",
        "3,600",
        "abababababab",
        "1 of 3 recordings without a known start time",
        "5 seeds",
        "120 windows not scored: they came later",
        "B/bad.wav",
        "kiwi",
        "1 positive, 3 are needed",
        "Two recordings overlap.",
        "antiphon report PROJECT",
        "2026-11-21 03:00 UTC",
        "0.97",
        "2025-05-03 04:00:12",
        "a listener said: absent",
        "at unknown times",
    ],
)
def test_numbers_appear(data, number):
    assert number in text_of(render_report(data))


def test_effort_is_binned_by_clock_hours(data):
    html = render_report(data)
    tips = re.findall(r"<title>(2025-05-0\d, \d\d:00: [^<]+ h recorded)</title>", html)
    # All sites, then each site again.
    assert sorted(set(tips)) == [
        "2025-05-03, 04:00: 0.5 h recorded",
        "2025-05-03, 05:00: 0.5 h recorded",
        "2025-05-04, 05:00: 0.3333 h recorded",
    ]
    assert len(tips) == 6


def test_rate_of_detections_rests_on_effort(data):
    assert "04:00: 1 detection in 30.0 min recorded" in render_report(data)
    assert "05:00: 1 detection in 50.0 min recorded" in render_report(data)


def test_empty_report_says_what_is_missing():
    html = render_report(ReportData(Summary("New"), Provenance(datetime(2026, 1, 1))))
    elements = read(html)
    assert [a["id"] for tag, a in elements if tag == "section"] == SECTIONS
    missing = [a for tag, a in elements if a.get("class") == "missing"]
    assert len(missing) >= 7


def test_no_detections_and_no_times(data):
    none = Detections(("wren",), np.empty(0, np.int64), times(), ())
    effort = replace(data.effort, start=times("NaT", "NaT", "NaT"))
    said = text_of(render_report(replace(data, detections=none, effort=effort)))
    assert "There are no detections" in said
    assert "No recording has a known start time" in said


def test_sites_without_detections_are_in_the_table(data):
    effort = replace(data.effort, site=("Ridge", "Swamp", ""))
    without = text_of(str(detection_table(data.detections)))
    assert "Ridge" in without
    assert "Swamp" not in without
    assert "Swamp" in text_of(str(detection_table(data.detections, effort.site)))
    page = text_of(render_report(replace(data, effort=effort)))
    assert "Swamp" in page[page.index("Detections by class and site") :]


def test_detections_without_effort(data):
    assert "this is no rate" in text_of(render_report(replace(data, effort=None)))


def test_everything_from_the_user_is_escaped(data):
    hostile = replace(
        data,
        summary=replace(
            data.summary, project=HOSTILE, encoder=HOSTILE, detector=HOSTILE, notes=(HOSTILE,)
        ),
        provenance=replace(
            data.provenance,
            settings={HOSTILE: HOSTILE},
            machine={"m": HOSTILE},
            commands=(HOSTILE,),
        ),
        effort=replace(data.effort, path=(HOSTILE,) * 3, site=(HOSTILE, "b", ""), clock=HOSTILE),
        quality=(
            replace(
                quality((replace(quality().classes[0], label=HOSTILE, note=HOSTILE),)),
                title=HOSTILE,
                how=HOSTILE,
                group_by=HOSTILE,
            ),
        ),
        detections=replace(data.detections, labels=(HOSTILE, "owl"), site=(HOSTILE,) * 3),
        clips=(replace(clip(), label=HOSTILE, path=HOSTILE, site=HOSTILE, said=HOSTILE),),
        learning=replace(
            data.learning,
            curves=(replace(data.learning.curves[0], name=HOSTILE),),
            measure=HOSTILE,
            band=HOSTILE,
        ),
        uncovered=Uncovered(
            ((HOSTILE,) * 3,), (HOSTILE,), ((HOSTILE, HOSTILE),), 1, HOSTILE, (HOSTILE,), (HOSTILE,)
        ),
    )
    html = render_report(hostile)
    elements = read(html)
    # The page's own script is the only one, and no name became an attribute or an element.
    assert [tag for tag, _ in elements].count("script") == 1
    assert HOSTILE not in html
    assert "alert(" in html
    assert not [a for _, a in elements if any(name.startswith("on") for name in a)]


@pytest.mark.parametrize("rate", [2000, 8000, 48000, 250000, 384000])
def test_clips_of_any_rate(data, rate):
    html = render_report(replace(data, clips=(clip(rate=rate, box=(0.2, 0.5, 100.0, 900.0)),)))
    players = [a for tag, a in read(html) if tag == "audio"]
    assert len(players) == 1
    assert players[0]["src"].startswith("data:audio/")
    assert "controls" in players[0]
    assert ("times slower than recorded" in html) == (rate > 48000)


def test_clip_without_audio(data):
    empty = replace(clip(), audio=np.empty(0, np.float32))
    assert "no audio" in text_of(render_report(replace(data, clips=(empty,))))


def test_two_hundred_classes(data):
    one = quality().classes[0]
    many = tuple(replace(one, label=f"species {k}") for k in range(200))
    html = render_report(replace(data, quality=(quality(many),)))
    assert "180 more classes" in text_of(html)
    assert all(f"<b>species {k}</b>" in html for k in (0, 120, 199))


def test_forty_clips_stay_small(data):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 3 * 48000).astype(np.float32)
    clips = tuple(replace(clip(rate=48000), audio=np.roll(noise, k)) for k in range(40))
    assert len(render_report(replace(data, clips=clips))) < 5_000_000


def test_same_facts_give_the_same_page(data):
    assert render_report(data) == render_report(data)


def test_written_whole_or_not_at_all(data, tmp_path, monkeypatch):
    path = tmp_path / "reports" / "report.html"
    assert write_report(data, path) == path
    before = path.read_text(encoding="utf-8")
    assert before == render_report(data)

    def broken(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", broken)
    with pytest.raises(OSError, match="No space"):
        write_report(replace(data, quality=()), path)
    assert path.read_text(encoding="utf-8") == before
    assert list(path.parent.iterdir()) == [path]
