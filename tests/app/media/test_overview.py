"""Overviews of whole recordings and the pictures made of them."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from antiphon.app.media import overviews as module
from antiphon.app.media.day import NOTHING, LongLook, Part, draw_long
from antiphon.app.media.overview import (
    ROWS,
    Overview,
    keep_overview,
    make_overview,
    read_overview,
    to_db,
)
from antiphon.app.media.overviews import Overviews
from antiphon.app.media.sources import MediaError, Source
from tests.app.media.sounds import source_of, tone

RATE = 8_000


def made_of(source: Source) -> Overview:
    return make_overview(source, lambda share: None)


def test_levels_of_each_ten_seconds(tmp_path: Path) -> None:
    samples = np.concatenate(
        [tone(RATE, 1_000, 20.0, 0.5), np.zeros(RATE * 10), tone(RATE, 3_000, 4.0)]
    )
    samples[RATE * 25] = 1.0
    shares: list[float] = []
    made = make_overview(source_of(tmp_path, samples, RATE), shares.append)
    assert made.mean.shape == made.loudest.shape == (4, ROWS)
    assert (made.duration_s, shares[-1]) == (34.0, 1.0)
    # A sine of half scale has -6 dB; between two bins, half of the power in each.
    row = int(1_000 / (RATE / 2) * ROWS)
    assert to_db(made.mean)[:2, row].max() == pytest.approx(-6.0, abs=3.5)
    assert to_db(made.mean)[3].argmax() == pytest.approx(3_000 / (RATE / 2) * ROWS, abs=1)
    # A click does not show in the mean of ten seconds, but as the loudest moment it does.
    assert to_db(made.loudest)[2].mean() > to_db(made.mean)[2].mean() + 15


def test_it_is_kept_by_content_and_made_again_when_damaged(tmp_path: Path) -> None:
    source = source_of(tmp_path, tone(RATE, 500, 12.0), RATE)
    folder = tmp_path / "kept"
    assert read_overview(folder, source) is None
    made = made_of(source)
    keep_overview(folder, source, made)
    kept = read_overview(folder, source)
    assert kept is not None
    assert (kept.mean == made.mean).all()
    other = source_of(tmp_path, tone(RATE, 700, 12.0), RATE, name="b.wav")
    assert read_overview(folder, other) is None
    (file,) = folder.iterdir()
    for content in (b"", b"PK\x03\x04 no", file.read_bytes()[:-200]):
        file.write_bytes(content)
        assert read_overview(folder, source) is None


def test_many_are_made_in_the_background_and_one_that_fails_stops_none(tmp_path: Path) -> None:
    good = [source_of(tmp_path, tone(RATE, 500, 12.0), RATE, name=f"{i}.wav") for i in range(2)]
    good[1] = source_of(tmp_path, tone(RATE, 900, 12.0), RATE, name="1.wav")
    bad = source_of(tmp_path, tone(RATE, 800, 12.0), RATE, name="bad.wav")
    bad.info.path.write_bytes(b"RIFF")
    overviews = Overviews(tmp_path / "kept")
    wanted = [good[0], bad, good[1]]
    assert {p.state for p in overviews.want(wanted)} <= {"waiting", "running"}
    worker = overviews._worker
    if worker is not None:
        worker.join(30)
    states = overviews.want(wanted)
    assert [p.state for p in states] == ["ready", "failed", "ready"]
    assert states[1].problem is not None
    assert str(tmp_path) not in states[1].problem
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_what_is_asked_for_last_is_made_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [
        source_of(tmp_path, tone(RATE, 100 * (i + 1), 1.0), RATE, name=f"{i}.wav") for i in range(4)
    ]
    go, started, order = threading.Event(), threading.Event(), []
    true = module.make_overview

    def slow(source: Source, progress: object) -> Overview:
        order.append(source.name)
        started.set()
        go.wait(20)
        return true(source, lambda share: None)

    monkeypatch.setattr(module, "make_overview", slow)
    overviews = Overviews(tmp_path / "kept")
    overviews.want(sources[:3])
    started.wait(20)
    assert [p.state for p in overviews.want([sources[3], sources[0]])] == ["waiting", "running"]
    worker = overviews._worker
    assert worker is not None
    go.set()
    worker.join(30)
    assert order == ["0.wav", "3.wav", "1.wav", "2.wav"]


def overview(rate: int, columns: int, value: int) -> Overview:
    values = np.full((columns, ROWS), value, np.uint8)
    return Overview(rate, columns * 10.0, values, values)


def test_a_day_has_each_recording_at_its_time_and_band() -> None:
    parts = [
        (Part(1, 0.0, 3_600.0), overview(8_000, 360, 100)),
        (Part(2, 43_200.0, 43_210.0), overview(16_000, 1, 200)),
    ]
    made = draw_long(parts, LongLook(0.0, 86_400.0, 240, 64), (0, 100))
    assert (made.high_hz, made.values.shape) == (8_000, (64, 240))
    there = made.values != NOTHING
    # One hour is ten columns, in the lower half of the band; ten seconds still take one.
    assert there[:, :10].sum() == 10 * 32
    assert there[32:, :10].all()
    assert np.flatnonzero(there.any(axis=0)).tolist() == [*range(10), 120]
    assert there[:, 120].all()
    assert (made.values[-1, 0], made.values[-1, 120]) == (0, 254)
    assert (made.low_db, made.high_db) == (-80.0, -30.0)


@pytest.mark.parametrize("statistic", ["mean", "loudest"])
@pytest.mark.parametrize("scale", ["linear", "mel"])
def test_points_of_a_long_picture(scale: str, statistic: str) -> None:
    values = np.zeros((360, ROWS), np.uint8)
    values[100, 64:72] = 250
    made = Overview(32_000, 3_600.0, values, values)
    look = LongLook(0.0, 3_600.0, 36, 128, scale, statistic=statistic)  # type: ignore[arg-type]
    picture = draw_long([(Part(1, 0.0, 3_600.0), made)], look, (0, 100))
    loud = np.argwhere(picture.values == 254)
    assert set(loud[:, 1].tolist()) == {10}
    expected = -130 + 125 * (0.1 if statistic == "mean" else 1.0)
    assert picture.high_db == pytest.approx(expected, abs=0.1)
    if scale == "linear":
        assert (127 - loud[:, 0]).tolist() == [35, 34, 33, 32]


def test_nothing_yet_is_a_blank_picture() -> None:
    made = draw_long([], LongLook(0.0, 86_400.0, 24, 16), (5, 99))
    assert (made.values == NOTHING).all()
    with pytest.raises(MediaError, match="lies above"):
        draw_long([], LongLook(0.0, 60.0, low_hz=500, high_hz=400), (5, 99))
