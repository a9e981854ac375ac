"""Clips as spectrograms with players."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from antiphon.audio.features.stft import StftConfig, power_spectrogram
from antiphon.pipeline.report.data import ClipView
from antiphon.plots.clip import make_clip
from antiphon.plots.page import switch
from antiphon.plots.spectrogram import FrequencyScale, spectrogram
from antiphon.plots.svg import element

_KINDS = {
    "best": "Most probable",
    "doubtful": "Most doubtful (nearest to the threshold)",
}
_SAID = {
    "present": "a listener said: present",
    "absent": "a listener said: absent",
    "unsure": "a listener was unsure",
}


def clip_gallery(clips: Sequence[ClipView]) -> Markup:
    """Return the clips by class and kind; classes in the order of their first clip."""
    labels = list(dict.fromkeys(clip.label for clip in clips))
    panels = []
    for label in labels:
        parts = []
        for kind, heading in _KINDS.items():
            some = [c for c in clips if c.label == label and c.kind == kind]
            if some:
                cards = [clip_card(c) for c in some]
                parts.append(element("h4", heading))
                parts.append(element("div", *cards, class_="clips"))
        panels.append((label, Markup("").join(parts)))
    return switch("Class", panels)


def clip_card(clip: ClipView) -> Markup:
    """Return one clip: picture, player, and where it comes from."""
    where = [_span(clip)]
    if clip.time is not None:
        where.insert(0, clip.time.strftime("%Y-%m-%d %H:%M:%S"))
    if clip.site:
        where.insert(0, clip.site)
    said = _SAID.get(clip.said or "", "nobody has listened yet")
    name = f"{clip.label}, probability {clip.probability:.2f}, {clip.path}, {_span(clip)}"
    parts: list[Markup] = []
    note = "no audio"
    if len(clip.audio):
        parts.append(_picture(clip, f"Spectrogram of {name}"))
        playable = make_clip(clip.audio, clip.sample_rate)
        note = playable.note
        parts.append(
            element("audio", "", controls="", preload="none", aria_label=name, src=playable.uri)
        )
    words = Markup("<b>{:.2f}</b> · {} · {}<br>{}<br>{} Hz; {}").format(
        clip.probability, said, " · ".join(where), clip.path, f"{clip.sample_rate:,}", note
    )
    parts.append(element("figcaption", words))
    return element("figure", *parts)


def _picture(clip: ClipView, label: str) -> Markup:
    rate = clip.sample_rate
    size = _frame(rate)
    hop = int(np.clip(len(clip.audio) // 700, 1, size // 2))
    audio = np.nan_to_num(clip.audio, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    power = power_spectrogram(audio[None, :], StftConfig(n_fft=size, hop=hop, pad="zero"))[0]
    level_db = 10.0 * np.log10(power + np.float32(1e-12))
    # Whales and bats fill their bands evenly; birds and frogs sit in the lower part of theirs.
    scale: FrequencyScale = "mel" if 8000 <= rate <= 48000 else "linear"
    return spectrogram(
        level_db,
        len(clip.audio) / rate,
        rate / 2,
        label=label,
        scale=scale,
        start_s=clip.start_s,
        box=clip.box,
    )


def _frame(rate: int) -> int:
    """Return the samples of a frame: 0.1 s below 8 kHz, 3 ms above 48 kHz, else 20 ms."""
    seconds = 0.1 if rate < 8000 else 0.003 if rate > 48000 else 0.02
    return max(32, 1 << round(math.log2(seconds * rate)))


def _span(clip: ClipView) -> str:
    return f"{clip.start_s:,.2f} to {clip.end_s:,.2f} s"
