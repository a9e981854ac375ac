"""Building blocks against closed forms, NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from antiphon.audio.synthesis.repertoire.body import Body, resonate
from antiphon.audio.synthesis.repertoire.curves import (
    arch,
    draw_out,
    sine,
    table,
    wander,
    white,
)
from antiphon.audio.synthesis.repertoire.drawing import Individual
from antiphon.audio.synthesis.repertoire.modal import decaying_modes
from antiphon.audio.synthesis.repertoire.score import Notes, Plan, Rhythm, voice
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import Grains

RATE = 16_000
NOBODY = Individual()


def notes(hertz: float, seconds: float, gap_s: float = 0.1, types: int = 1) -> Notes:
    flat = np.zeros((types, 128))
    return Notes(
        hertz,
        flat,
        np.ones((types, 128)),
        np.full(types, seconds),
        np.full(types, gap_s),
        plastic=0.0,
    )


def plan(hertz: float, seconds: float) -> Plan:
    one = np.zeros(1)
    return Plan(np.zeros(1, np.int64), one, np.full(1, seconds), one, np.ones(1))


@pytest.mark.parametrize("step", [1, 7, 16])
def test_drawing_out_is_linear_interpolation(step: int) -> None:
    curve = np.random.default_rng(0).standard_normal(-(-1000 // step) + 1)
    expected = np.interp(np.arange(1000) / step, np.arange(len(curve)), curve)
    np.testing.assert_allclose(draw_out(curve, step, 1000), expected, atol=1e-12)


def test_tables_meet_their_points_and_arches_begin_and_end_in_silence() -> None:
    curve = table((0, 1.0), (0.5, 3.0), (1, -1.0))
    assert (curve[0], curve[-1]) == (1.0, -1.0)
    assert curve.max() == pytest.approx(3.0, abs=0.01)
    level = arch(0.2, 0.3, sag=1.0)
    assert level[0] == level[-1] == 0.0
    assert level.max() == 1.0


def test_a_sine_keeps_its_phase_over_a_long_time() -> None:
    cycles = np.arange(200_000) * (7123.4 / 32_000) + 1e6
    np.testing.assert_allclose(sine(cycles), np.sin(2 * np.pi * (cycles % 1.0)), atol=2e-6)


def test_noise_has_unit_power_and_no_colour() -> None:
    rng = np.random.default_rng(1)
    noise = white(200_000, rng)
    assert float(np.var(noise)) == pytest.approx(1.0, rel=0.01)
    _, power = signal.welch(noise, nperseg=256)
    assert power[2:-2].std() / power[2:-2].mean() < 0.1


def test_a_wander_turns_as_often_as_it_is_told() -> None:
    slow, fast = (wander(160_000, RATE, hz, np.random.default_rng(2)) for hz in (2.0, 20.0))
    crossings = [int(np.sum(np.diff(np.sign(c)) != 0)) / 10.0 for c in (slow, fast)]
    assert 1.0 < crossings[0] < 6.0
    assert 8.0 < crossings[1] / crossings[0] < 12.5
    assert 0.6 < float(np.std(fast)) < 1.4


@pytest.mark.parametrize(("stride", "orders"), [(1, [1, 2, 3, 4]), (2, [1, 3, 5])])
def test_a_stack_is_the_sum_of_its_partials(stride: int, orders: list[int]) -> None:
    # Partials up to 48.5 % of the rate: four of 1,500 Hz, or the first three odd ones of 1,000.
    hertz = 1500.0 if stride == 1 else 1300.0
    source = Source(fall_db=6.0, stride=stride, drift=0.0, irregular=0.0)
    voiced = voice(notes(hertz, 0.5), plan(hertz, 0.5), NOBODY, RATE)
    x = source.sound(voiced, NOBODY, RATE, np.random.default_rng(3))
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), RATE)) / (0.25 * len(x))
    a = 10 ** (-6.0 / 20)
    for place, order in enumerate(orders):
        expected = np.sqrt(1 - a * a) * a**place
        assert spectrum[round(order * hertz)] == pytest.approx(expected, rel=0.02), order
    between = spectrum[round(1.5 * hertz)]
    assert between < 1e-3


def test_pulses_come_once_a_period() -> None:
    source = Source("pulse", drift=0.0, irregular=0.0, shimmer=0.0)
    voiced = voice(notes(50.0, 1.0), plan(50.0, 1.0), NOBODY, RATE)
    x = source.sound(voiced, NOBODY, RATE, np.random.default_rng(4))
    at = np.flatnonzero(np.abs(x) > 1e-6)
    groups = np.split(at, np.flatnonzero(np.diff(at) > 5) + 1)
    times = np.array([np.average(g, weights=np.abs(x[g])) for g in groups])
    assert len(times) in (49, 50)
    np.testing.assert_allclose(np.diff(times), RATE / 50.0, atol=0.01)


def test_a_source_too_slow_for_a_pulse_still_gives_one() -> None:
    source = Source("pulse", drift=0.0, irregular=0.0)
    voiced = voice(notes(0.5, 0.05), plan(0.5, 0.05), NOBODY, RATE)
    x = source.sound(voiced, NOBODY, RATE, np.random.default_rng(5))
    assert np.abs(x).max() > 0.1


def test_a_resonance_has_its_gain_and_width_and_the_edges_their_slope() -> None:
    body = Body((1000.0,), (100.0,), (12.0,), floor_db=-300.0, low_hz=1e-3, high_hz=1e9)
    response = np.abs(body.response(32_000, 32_000, NOBODY))
    assert 20 * np.log10(response[1000]) == pytest.approx(12.0, abs=0.01)
    inside = np.flatnonzero(response > response[1000] / np.sqrt(2))
    assert inside[-1] - inside[0] == pytest.approx(100, abs=2)
    # Two poles at each edge: half the amplitude there, 12 dB less for each octave beyond.
    edges = np.abs(Body(low_hz=100.0, high_hz=4000.0).response(32_000, 32_000, NOBODY))
    assert 20 * np.log10(edges[100]) == pytest.approx(-6.02, abs=0.05)
    assert 20 * np.log10(edges[4000]) == pytest.approx(-6.02, abs=0.05)
    assert 20 * np.log10(edges[10] / edges[5]) == pytest.approx(12.0, abs=0.1)
    tilted = np.abs(Body(low_hz=1e-3, high_hz=1e9, slope_db=-6.0).response(32_000, 32_000, NOBODY))
    assert 20 * np.log10(tilted[4000] / tilted[2000]) == pytest.approx(-6.0, abs=0.01)


def test_a_resonance_rings_after_the_blow_and_not_before() -> None:
    x = np.zeros(4000, np.float32)
    x[2000] = 1.0
    body = Body((800.0,), (60.0,), (0.0,), floor_db=-60.0)
    y = resonate(x, (body,), None, NOBODY, RATE)
    assert np.abs(y[:1990]).max() < 0.02 * np.abs(y).max()
    # Amplitude falls as exp(-pi width t).
    envelope = np.abs(signal.hilbert(y))
    assert np.log(envelope[2200] / envelope[2600]) == pytest.approx(
        np.pi * 60 * 400 / RATE, rel=0.05
    )


def test_modes_equal_a_sum_of_decaying_sines() -> None:
    hertz, decay = np.array([200.0, 533.0, 1800.0]), np.array([0.2, 0.05, 0.01])
    gain, phase = np.array([1.0, 0.5, 2.0]), np.array([0.1, 0.2, 0.3])
    time = np.arange(5000) / RATE
    expected = sum(
        g * np.exp(-time / d) * np.sin(2 * np.pi * f * time + p)
        for f, d, g, p in zip(hertz, decay, gain, phase, strict=True)
    )
    found = decaying_modes(hertz, decay, gain, phase, 5000, RATE)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    aliased = decaying_modes(np.array([9000.0]), np.ones(1), np.ones(1), np.zeros(1), 100, RATE)
    assert not aliased.any()


def test_a_rhythm_gives_its_motif_with_its_gaps() -> None:
    rhythm = Rhythm((0, 1), (2, 2), pause_s=0.3, uneven=0.0, off_key=0.0, loud=0.0)
    found = rhythm.plan(
        np.array([0.1, 0.2]), np.array([0.05, 0.1]), NOBODY, np.random.default_rng(6)
    )
    assert found.kind.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(found.start, [0.0, 0.15, 0.75, 0.9])
    np.testing.assert_allclose(found.seconds, [0.1, 0.2, 0.1, 0.2])
    np.testing.assert_allclose(found.level, 1.0)
    short = Rhythm((0,), (9, 9), uneven=0.0, limit_s=1.0)
    cut = short.plan(np.array([0.1]), np.array([0.1]), NOBODY, np.random.default_rng(6))
    assert 0.8 < cut.end_s < 1.0 + 1e-9


def test_a_part_of_an_event_is_that_part() -> None:
    octaves = np.array([0.0, 1.0, 0.0])
    start = np.array([0.0, 1.0, 2.0])
    long = Plan(np.zeros(3, np.int64), start, np.full(3, 0.5), octaves, np.ones(3))
    whole = voice(notes(400.0, 0.5), long, NOBODY, RATE)
    part = voice(notes(400.0, 0.5), long, NOBODY, RATE, (1.0, 0.8))
    assert len(part.hertz) == round(0.8 * RATE)
    assert part.hertz[100] == pytest.approx(800.0)
    middle = whole.level[RATE : RATE + len(part.level)]
    assert float(np.mean(np.abs(part.level - middle))) < 0.01


def test_grains_lie_in_their_band_and_are_as_many_as_wanted() -> None:
    grains = Grains("ring", 5.0, 1000.0, 2000.0, 0.004, spread_db=0.0)
    x = grains.sound(None, 10 * RATE, NOBODY, RATE, np.random.default_rng(7))
    f, power = signal.welch(x, RATE, nperseg=1024)
    inside = power[(f > 800) & (f < 2300)].sum() / power.sum()
    assert inside > 0.9
    envelope = np.convolve(np.abs(x), np.ones(160) / 160, "same")
    loud = envelope > 0.02 * envelope.max()
    bursts = int(np.sum(np.diff(loud.astype(int)) == 1))
    assert 25 <= bursts <= 65
