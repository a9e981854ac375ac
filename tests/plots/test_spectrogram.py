import numpy as np
import pytest

from antiphon.plots.spectrogram import spectrogram
from tests.plots.drawn import embedded, find, parse, words


def draw(level, rate=32000, duration=3.0, **options):
    return spectrogram(
        np.asarray(level, np.float32), duration, rate / 2, label="Spectrogram of a wren", **options
    )


def tone(hz, rate=32000, frames=100, bins=513):
    """Return levels of a steady tone, 60 dB over the floor."""
    level = np.full((frames, bins), -80.0)
    level[:, round(hz / (rate / 2) * (bins - 1))] = -20.0
    return level


def brightest(svg):
    """Return the height of the brightest row as a share of the picture, 0 at the bottom."""
    picture = embedded(svg)
    return 1 - (picture.mean(axis=1).argmax() + 0.5) / len(picture)


@pytest.mark.parametrize("hz", [1000, 4000, 12000])
def test_tone_lies_at_its_frequency(hz):
    assert brightest(draw(tone(hz))) == pytest.approx(hz / 16000, abs=0.01)


def test_tone_lies_at_its_mel():
    mel = np.log10(1 + 4000 / 700) / np.log10(1 + 16000 / 700)
    assert brightest(draw(tone(4000), scale="mel")) == pytest.approx(mel, abs=0.01)


def test_tone_lies_at_its_octave():
    # The axis begins two bins above zero.
    low = 2 * 16000 / 512
    share = np.log(4000 / low) / np.log(16000 / low)
    assert brightest(draw(tone(4000), scale="log")) == pytest.approx(share, abs=0.015)


def test_part_of_the_band():
    drawn = draw(tone(4000), shown_hz=(2000, 6000))
    assert brightest(drawn) == pytest.approx(0.5, abs=0.02)


def test_click_lies_at_its_time():
    level = np.full((300, 65), -80.0)
    level[75] = -20.0
    picture = embedded(draw(level))
    assert (picture.mean(axis=0).argmax() + 0.5) / picture.shape[1] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "unit", "some"),
    [(2000, "Hz", "400"), (8000, "kHz", "2"), (48000, "kHz", "10"), (384000, "kHz", "100")],
)
def test_axes_from_whales_to_bats(rate, unit, some):
    drawn = words(draw(np.random.default_rng(0).normal(size=(50, 129)), rate=rate))
    assert unit in drawn
    assert some in drawn


def test_time_axis_starts_at_the_clip():
    drawn = words(draw(tone(4000), start_s=12.0))
    assert {"12.0", "15.0"} <= set(drawn)


@pytest.mark.parametrize("frames", [1, 2, 7, 2000])
@pytest.mark.parametrize("bins", [2, 17, 1025])
def test_any_resolution(frames, bins):
    picture = embedded(draw(np.random.default_rng(0).normal(size=(frames, bins))))
    assert picture.shape == (140, 304)


def test_silence_and_values_that_are_no_numbers():
    assert (embedded(draw(np.zeros((10, 10)))) == 0).all()
    assert embedded(draw(np.full((10, 10), -np.inf))).max() == 0
    level = tone(4000)
    level[:10] = np.nan
    assert brightest(draw(level)) == pytest.approx(0.25, abs=0.01)


def test_box_is_outlined_and_cut():
    (box,) = find(draw(tone(4000), box=(1.0, 9.0, 4000, 99000)), "rect", "box")
    # Picture from x 38 (0 s) to 342 (3 s), y 162 (0 Hz) to 22 (16 kHz).
    assert float(box.get("x")) == pytest.approx(38 + 304 / 3, abs=0.01)
    assert float(box.get("x")) + float(box.get("width")) == pytest.approx(342)
    assert float(box.get("y")) == pytest.approx(22)
    assert float(box.get("height")) == pytest.approx(105)


def test_box_outside_is_not_drawn():
    assert not find(draw(tone(4000), box=(5.0, 9.0, 0, 100)), "rect", "box")


def test_nothing_to_draw():
    assert "no audio to draw" in words(draw(np.empty((0, 10))))


def test_label_is_read_out():
    assert parse(draw(tone(4000))).get("aria-label") == "Spectrogram of a wren"
