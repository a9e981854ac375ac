"""Spectrograms as images with axes, from 1 kHz whales to 500 kHz bats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.plots.colour import MapName, colour_map
from antiphon.plots.png import data_uri, png_bytes
from antiphon.plots.scales import Scale, log_ticks, tick_text
from antiphon.plots.svg import drawing, element, empty, text, title

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
FrequencyScale = Literal["linear", "mel", "log"]
Box = tuple[float, float, float, float]

# Shades in the image: more cannot be told apart, and fewer make a smaller file.
_SHADES = 48


def spectrogram(
    level_db: Float32,
    duration_s: float,
    max_hz: float,
    *,
    label: str,
    min_hz: float = 0.0,
    shown_hz: tuple[float, float] | None = None,
    scale: FrequencyScale = "linear",
    start_s: float = 0.0,
    box: Box | None = None,
    contrast: tuple[float, float] = (20.0, 99.7),
    colours: MapName = "magma",
    width: float = 360,
    height: float = 182,
) -> Markup:
    """Draw a spectrogram with axes in s and Hz or kHz.

    Parameters
    ----------
    level_db
        ``(frames, bins)`` levels in dB; bins evenly from ``min_hz`` to ``max_hz``. Values that
        are not finite are drawn as the quietest.
    duration_s
        Time that the frames cover, s.
    max_hz, min_hz
        Frequencies of the last and first bin, Hz.
    label
        What it shows, for screen readers.
    shown_hz
        Part of the band to draw; all of it when None.
    scale
        ``linear``; ``mel`` (O'Shaughnessy's 2595 log10(1 + f / 700)), which gives the low half of
        the audible band more room; ``log``, from two bins above zero.
    start_s
        Time of the first frame on the axis, s.
    box
        ``(start_s, end_s, low_hz, high_hz)`` to outline, in s from the first frame; parts outside
        are cut off.
    contrast
        Percentiles of the levels that are drawn as the darkest and brightest colour.
    width, height
        px, axes included.
    """
    if level_db.size == 0 or duration_s <= 0 or max_hz <= min_hz:
        return empty(label, "no audio to draw", width)
    left, right, top, bottom = 38.0, width - 18, 22.0, height - 20
    low, high = _shown(shown_hz, min_hz, max_hz, level_db.shape[1], scale)
    warped_low, warped_high = _warp(np.array([low, high]), scale)
    pixels = _picture(
        level_db,
        (min_hz, max_hz),
        (warped_low, warped_high),
        scale,
        (round(right - left), round(bottom - top)),
        contrast,
    )
    uri = data_uri(png_bytes(pixels, colour_map(colours, _SHADES)))
    x = Scale(start_s, start_s + duration_s, left, right)
    warped = Scale(warped_low, warped_high, bottom, top)

    def y(hz: float) -> float:
        return warped(float(_warp(np.array([hz]), scale)[0]))

    parts = [
        element(
            "image",
            x=left,
            y=top,
            width=right - left,
            height=bottom - top,
            preserveAspectRatio="none",
            href=uri,
        )
    ]
    seconds = x.ticks(6)
    for tick in seconds:
        parts.append(element("line", x1=x(tick), x2=x(tick), y1=bottom, y2=bottom + 3))
        parts.append(text(tick_text(tick, seconds), x(tick), bottom + 15, text_anchor="middle"))
    parts.append(text("s", 2, bottom + 15, class_="axis-title"))
    unit, size = ("kHz", 1000.0) if high >= 2000 else ("Hz", 1.0)
    parts.append(text(unit, 2, 10, class_="axis-title"))
    for hz in _frequency_ticks(low, high, scale, bottom - top):
        parts.append(element("line", x1=left - 3, x2=left, y1=y(hz), y2=y(hz)))
        parts.append(text(f"{hz / size:g}", left - 5, y(hz) + 4, text_anchor="end"))
    if box is not None:
        parts.append(_outline(box, x, y, (low, high), start_s, start_s + duration_s))
    return drawing(width, height, label, element("g", *parts, class_="axis"), class_="spectrogram")


def _shown(
    shown: tuple[float, float] | None, low: float, high: float, bins: int, scale: FrequencyScale
) -> tuple[float, float]:
    if shown is not None:
        low, high = max(low, shown[0]), min(high, shown[1])
    if scale == "log":
        low = max(low, 2 * high / max(bins - 1, 3))
    return low, high


def _warp(hz: Float64, scale: FrequencyScale) -> Float64:
    if scale == "mel":
        return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))
    return np.asarray(np.log(hz)) if scale == "log" else hz


def _unwarp(value: Float64, scale: FrequencyScale) -> Float64:
    if scale == "mel":
        return np.asarray(700.0 * (10.0 ** (value / 2595.0) - 1.0))
    return np.asarray(np.exp(value)) if scale == "log" else value


def _picture(
    level_db: Float32,
    band: tuple[float, float],
    warped: tuple[float, float],
    scale: FrequencyScale,
    size: tuple[int, int],
    contrast: tuple[float, float],
) -> npt.NDArray[np.uint8]:
    """Return ``(height, width)`` shades, the highest frequency in row 0."""
    levels = np.asarray(level_db, np.float64)
    good = np.isfinite(levels)
    floor = float(levels[good].min()) if good.any() else 0.0
    levels = np.where(good, levels, floor)
    frames, bins = levels.shape
    columns, rows = size
    by_time = _average(levels, np.linspace(0, frames, columns + 1))
    # A bin stands for half a step to either side of its frequency.
    hz = _unwarp(np.linspace(*warped, rows + 1), scale)
    at = (hz - band[0]) / (band[1] - band[0]) * (bins - 1) + 0.5
    picture = _average(by_time.T, np.clip(at, 0, bins))[::-1]
    dark, bright = np.percentile(picture, contrast)
    if bright - dark < 1e-9:
        return np.zeros(picture.shape, np.uint8)
    shares = np.clip((picture - dark) / (bright - dark), 0, 1)
    return np.asarray(np.round(shares * (_SHADES - 1)), np.uint8)


def _average(values: Float64, edges: Float64) -> Float64:
    """Average rows of ``values`` between fractional ``edges``: ``(len(edges) - 1, ...)``.

    Row ``i`` covers ``[i, i + 1)``; the same formula enlarges and reduces.
    """
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    below = np.minimum(edges.astype(np.int64), len(values) - 1)
    at = sums[below] + (edges - below)[:, None] * values[below]
    widths = np.diff(edges)
    # Edges that fall together (clipped at the ends of the band) take the value they touch.
    touched = values[np.minimum(edges[:-1].astype(np.int64), len(values) - 1)]
    wide = widths > 1e-9
    means = np.diff(at, axis=0) / np.where(wide, widths, 1.0)[:, None]
    return np.where(wide[:, None], means, touched)


def _frequency_ticks(low: float, high: float, scale: FrequencyScale, height: float) -> list[float]:
    """Return round frequencies that stand at least 14 px apart."""
    if scale == "linear":
        return Scale(low, high, 0, 1).ticks(max(2, int(height / 28)))
    wanted = [*([low] if low == 0 else []), *log_ticks(max(low, high / 1000), high, 40)]
    low_w, high_w = _warp(np.array([low, high]), scale)
    kept: list[float] = []
    place: list[float] = []
    for hz in sorted(wanted, key=lambda f: (f != low, -f)):
        at = float((_warp(np.array([hz]), scale)[0] - low_w) / (high_w - low_w)) * height
        if all(abs(at - other) >= 16 for other in place):
            kept.append(hz)
            place.append(at)
    return sorted(kept)


def _outline(
    box: Box,
    x: Scale,
    y: Callable[[float], float],
    band: tuple[float, float],
    start_s: float,
    end_s: float,
) -> Markup:
    begin, end = max(start_s + box[0], start_s), min(start_s + box[1], end_s)
    low, high = max(box[2], band[0]), min(box[3], band[1])
    if end <= begin or high <= low:
        return Markup("")
    return element(
        "rect",
        title(f"{begin:.2f} to {end:.2f} s, {low:,.0f} to {high:,.0f} Hz"),
        x=x(begin),
        y=y(high),
        width=x(end) - x(begin),
        height=y(low) - y(high),
        class_="box",
    )
