"""Read recordings: any span without reading the file, or all of it in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.audio.decoders import DecodeError, Decoder, open_decoder
from antiphon.audio.recording import MAX_RATE, AudioInfo, probe
from antiphon.audio.resample import Resampler, output_length, source_span
from antiphon.errors import AudioError, UserError

Float32 = npt.NDArray[np.float32]

ChannelMode = Literal["mix", "each"] | int
"""``"mix"`` is the mean over channels, ``"each"`` keeps all, a number keeps that one (from 0)."""

# Samples (over all channels) in memory at once, whatever the rate and the block length.
_MAX_BLOCK = 1 << 22


def read_span(
    path: Path | str,
    start_s: float = 0.0,
    end_s: float | None = None,
    *,
    sample_rate: int | None = None,
    channel: ChannelMode = "mix",
) -> Float32:
    """Read a span of a recording, at any sample rate, without reading the rest.

    Parameters
    ----------
    path
        The recording.
    start_s, end_s
        Seconds from its start; no end means up to its end. A span that reaches past the end
        returns what there is.
    sample_rate
        Hz of the result; the recording's own rate when not given. Both ends are rounded to the
        nearest sample at this rate.
    channel
        Which channels to keep; see :data:`ChannelMode`.

    Returns
    -------
    numpy.ndarray
        ``(channels kept, samples)`` float32, full scale at ±1: the same samples, to 1e-4, as
        that part of :func:`stream` over the whole recording.

    Raises
    ------
    AudioError
        The file cannot be read, the span lies outside it, or it has no such channel.
    UserError
        The sample rate or the channel mode makes no sense.
    """
    info = probe(path)
    rate = _check_arguments(info, sample_rate, channel)
    total = output_length(info.frames, info.sample_rate, rate)
    start, stop = _span(info, start_s, end_s, rate, total)
    if rate == info.sample_rate:
        return _transposed(_read_frames(info, start, stop, channel))
    first, last, offset = source_span(start, stop, info.frames, info.sample_rate, rate)
    source = _read_frames(info, first, last, channel)
    resampled = Resampler(info.sample_rate, rate, source.shape[1]).process(source, last=True)
    return _transposed(resampled[start - offset : stop - offset])


def stream(
    path: Path | str,
    *,
    sample_rate: int | None = None,
    channel: ChannelMode = "mix",
    block_s: float = 30.0,
) -> Iterator[Float32]:
    """Read a whole recording piece by piece, in memory that does not grow with its length.

    The pieces joined have exactly ``output_length(frames, own rate, sample_rate)`` samples per
    channel, the nearest integer to ``frames * sample_rate / own rate``; their own lengths vary.

    Parameters
    ----------
    path
        The recording.
    sample_rate
        Hz of the result; the recording's own rate when not given.
    channel
        Which channels to keep; see :data:`ChannelMode`.
    block_s
        About how many seconds are decoded at once.

    Yields
    ------
    numpy.ndarray
        ``(channels kept, n)`` float32.

    Raises
    ------
    AudioError
        The file cannot be read (at once), or its data is damaged (on the way, with the second
        at which decoding stopped).
    UserError
        The sample rate or the channel mode makes no sense.
    """
    info = probe(path)
    rate = _check_arguments(info, sample_rate, channel)
    if not block_s > 0:
        raise UserError(f"block_s must be positive, not {block_s}.")
    block = min(block_s * info.sample_rate, _MAX_BLOCK / info.channels)
    return _stream(info, rate, channel, max(1, int(block)))


def _stream(info: AudioInfo, rate: int, channel: ChannelMode, block: int) -> Iterator[Float32]:
    kept = info.channels if channel == "each" else 1
    resampler = None if rate == info.sample_rate else Resampler(info.sample_rate, rate, kept)
    with open_decoder(info.path) as decoder:
        done = 0
        while done < info.frames:
            count = min(block, info.frames - done)
            samples = _select(_read_exactly(info, decoder, done, count), channel)
            done += count
            if resampler is not None:
                samples = resampler.process(samples, last=done == info.frames)
            if len(samples):
                yield _transposed(samples)


def _check_arguments(info: AudioInfo, sample_rate: int | None, channel: ChannelMode) -> int:
    if isinstance(channel, str):
        if channel not in ("mix", "each"):
            raise UserError(f"Channel mode {channel!r}: use 'mix', 'each' or a channel number.")
    elif not 0 <= channel < info.channels:
        have = "1 channel" if info.channels == 1 else f"{info.channels} channels"
        raise AudioError(
            info.path,
            f"has {have}, so there is no channel {channel}",
            f"Channels count from 0; the last one is {info.channels - 1}",
        )
    if sample_rate is None:
        return info.sample_rate
    if not 1 <= sample_rate <= MAX_RATE or int(sample_rate) != sample_rate:
        raise UserError(f"Sample rate {sample_rate}: use whole Hz, at most {MAX_RATE}.")
    return int(sample_rate)


def _span(
    info: AudioInfo, start_s: float, end_s: float | None, rate: int, total: int
) -> tuple[int, int]:
    end = math.inf if end_s is None else end_s
    name = f"the span {start_s:g} s to " + ("its end" if end_s is None else f"{end:g} s")
    if not (0 <= start_s < end):
        raise AudioError(
            info.path, f"{name} makes no sense", "Start at 0 or later, and end after the start"
        )
    start = round(start_s * rate) if start_s < info.duration_s else total
    if start >= total:
        raise AudioError(
            info.path,
            f"{name} lies outside the recording, which holds {info.duration_s:.3f} s",
            "Choose a span inside it",
        )
    stop = total if end >= info.duration_s else min(total, round(end * rate))
    if stop <= start:
        raise AudioError(
            info.path, f"{name} is shorter than one sample at {rate} Hz", "Choose a longer span"
        )
    return start, stop


def _read_frames(info: AudioInfo, start: int, stop: int, channel: ChannelMode) -> Float32:
    """Read ``(stop - start, channels kept)`` at the recording's own rate."""
    with open_decoder(info.path) as decoder:
        _seek(info, decoder, start)
        step = max(1, _MAX_BLOCK // info.channels)
        parts = [
            _select(_read_exactly(info, decoder, at, min(step, stop - at)), channel)
            for at in range(start, stop, step)
        ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _seek(info: AudioInfo, decoder: Decoder, frame: int) -> None:
    if frame == 0:
        return
    try:
        decoder.seek(frame)
    except DecodeError as error:
        raise _damaged(info, frame, str(error)) from None


def _read_exactly(info: AudioInfo, decoder: Decoder, at: int, count: int) -> Float32:
    try:
        block = decoder.read(count)
    except DecodeError as error:
        raise _damaged(info, at, str(error)) from None
    if len(block) < count:
        raise _damaged(info, at + len(block), "the data ends before the header says")
    return block


def _damaged(info: AudioInfo, frame: int, reason: str) -> AudioError:
    return AudioError(
        info.path,
        f"cannot be decoded after {frame / info.sample_rate:.1f} s ({reason})",
        "Copy it again from its source, or leave it out",
    )


def _select(block: Float32, channel: ChannelMode) -> Float32:
    """Reduce ``(n, channels)`` to the channels that are kept."""
    if channel == "each" or block.shape[1] == 1:
        return block
    if channel == "mix":
        total = block[:, :1] + block[:, 1:2]
        for other in range(2, block.shape[1]):
            total += block[:, other : other + 1]
        total /= np.float32(block.shape[1])
        return total
    index = int(channel)
    return block[:, index : index + 1]


def _transposed(samples: Float32) -> Float32:
    return np.ascontiguousarray(samples.T)
