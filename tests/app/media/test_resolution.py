"""Resolution for any rate, span and picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.app.media.resolution import Look, bin_rows, plan
from antiphon.app.media.sources import MediaError


@pytest.mark.parametrize(
    ("rate", "span_s", "band", "shortest_s", "longest_s"),
    [
        (8_000, 10.0, 4_000, 0.03, 0.13),
        (8_000, 60.0, 500, 0.3, 1.1),
        (44_100, 3.0, None, 0.005, 0.03),
        (384_000, 0.2, None, 0.0005, 0.004),
    ],
    ids=["8 kHz", "whales", "birds", "bats"],
)
def test_the_window_suits_what_is_seen(
    rate: int, span_s: float, band: float | None, shortest_s: float, longest_s: float
) -> None:
    made = plan(rate, 0.0, span_s, Look(high_hz=band), whole_s=span_s)
    assert shortest_s <= made.window_s <= longest_s
    # In the picture, what the window smears in time is about as large as in frequency.
    across = made.window_s / 2 / span_s * made.columns
    up = 2 / made.window_s / (made.high_hz - made.low_hz) * 256
    assert 0.4 < across / up < 2.5


def test_a_wish_for_a_window_is_kept() -> None:
    made = plan(48_000, 0.0, 3.0, Look(window_s=0.1), whole_s=3.0)
    assert made.window == 4_800
    assert made.n_fft >= 4_800


def test_the_ends_of_a_recording_are_as_sharp_as_the_middle() -> None:
    middle = plan(48_000, 5.0, 9.0, Look(), whole_s=4.0)
    end = plan(48_000, 9.5, 10.0, Look(), whole_s=4.0)
    assert end.window == middle.window


@given(
    rate=st.sampled_from([1_000, 8_000, 44_100, 250_000, 1_000_000]),
    span_s=st.floats(0.01, 60),
    width=st.integers(8, 2_000),
    height=st.integers(8, 600),
    scale=st.sampled_from(["linear", "mel"]),
    low=st.floats(0, 0.9),
    share=st.floats(0.001, 1),
)
def test_every_picture_can_be_made(
    rate: int, span_s: float, width: int, height: int, scale: str, low: float, share: float
) -> None:
    low_hz = low * rate / 2
    high_hz = low_hz + max(share * (rate / 2 - low_hz), 1.0)
    look = Look(width, height, scale, low_hz, high_hz)  # type: ignore[arg-type]
    made = plan(rate, 0.0, span_s, look, whole_s=span_s)
    assert 1 <= made.columns <= width
    assert 1 <= made.rows <= height
    assert made.window <= made.n_fft <= 1 << 16
    assert made.hop <= max(1, made.window // 2)
    assert made.frames * made.n_fft <= 1 << 29
    assert 0 <= (made.frames * made.hop - made.samples) < made.hop
    made.stft  # noqa: B018 - raises if it makes no sense
    if scale == "linear":
        band, starts = bin_rows(made)
        assert 0 <= band.start < band.stop <= made.n_fft // 2 + 1
        assert (np.diff(starts) >= 0).all()
        assert starts[0] >= 0
        assert starts[-1] < band.stop - band.start


@pytest.mark.parametrize(
    ("span_s", "look", "said"),
    [
        (36_000.0, Look(), "10 h is too long"),
        (3.0, Look(low_hz=30_000), "reaches up to 12,000 Hz"),
        (3.0, Look(low_hz=3_000, high_hz=2_000), "must end above its start"),
        (0.00001, Look(), "shorter than one sample"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(span_s: float, look: Look, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        plan(24_000, 0.0, span_s, look, whole_s=span_s)
