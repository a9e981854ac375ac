"""Features in torch, equal to those of :mod:`antiphon.audio.features` and the encoders."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from antiphon.audio.features.fbank import KaldiFbank
from antiphon.audio.features.mel import mel_filterbank
from antiphon.audio.features.pcen import smoothing_coefficient
from antiphon.audio.features.stft import StftConfig, analysis_window
from antiphon.encoders.manifest import (
    KaldiFrontEnd,
    LogMelFrontEnd,
    MelFrontEnd,
    PcenFrontEnd,
    StftFrontEnd,
    WaveformFrontEnd,
)
from antiphon.errors import UserError
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd, TrainingFrontEnd
from antiphon.training.front_end.normalising import normalise, scale_waveform
from antiphon.training.front_end.spectra import Extension, FramePower, Transform, extend

_KALDI_FLOOR = float(np.finfo(np.float32).eps)
_MelLike = MelFrontEnd | LogMelFrontEnd | PcenFrontEnd


class FeatureFrontEnd(nn.Module):
    """From waveforms to the features of a network, with the frames that hold audio.

    It holds no parameters, and its tables are no part of a state dict: they follow from the
    settings. It computes in float32 under mixed precision too.

    Parameters
    ----------
    front_end
        Settings; those of a manifest, or :class:`EmphasisedLogMelFrontEnd`.
    sample_rate
        Hz.
    transform
        ``fft`` is quicker; ``matmul`` uses only products, as ONNX needs. Both agree to float32
        accuracy.

    Raises
    ------
    UserError
        Settings that do not go together.
    """

    def __init__(
        self, front_end: TrainingFrontEnd, sample_rate: int, *, transform: Transform = "fft"
    ) -> None:
        super().__init__()
        self.config = front_end
        self.sample_rate = sample_rate
        self._kaldi = _kaldi(front_end, sample_rate)
        self._stft = _stft(front_end)
        filters, bins = self._filters(), None
        if filters is not None and transform == "matmul":
            # What no filter hears, outside fmin to fmax, needs no rows in the tables of a product.
            bins = _heard(filters)
            filters = filters[slice(*bins)]
        self.power = self._transform(transform, bins)
        self.register_buffer("filters", filters, persistent=False)

    def n_frames(self, n_samples: int) -> int:
        """Frames over ``n_samples`` samples, before any are cut off."""
        if self._kaldi is not None:
            return self._kaldi.n_frames(n_samples)
        assert self._stft is not None
        return self._stft.n_frames(n_samples - self._lost)

    def shape(self, n_samples: int) -> tuple[int, ...]:
        """Shape of one clip's features: ``(frames, bands)``, or ``(samples,)`` of a waveform."""
        if isinstance(self.config, WaveformFrontEnd):
            return (n_samples,)
        frames = self.n_frames(n_samples)
        kept = frames if self.config.frames is None else min(frames, self.config.frames)
        return (kept, self._bands)

    def forward(self, waveform: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute the features.

        Parameters
        ----------
        waveform
            ``(B, N)`` float32 in [-1, 1], zero-padded.
        valid
            ``(B,)`` int64 samples that are audio; None where all are.

        Returns
        -------
        features
            ``(B, T, F)`` float32, or ``(B, N)`` of a waveform front end; 0 beyond the audio,
            after normalisation.
        mask
            ``(B, T)`` bool, or ``(B, N)``: true where a frame holds audio. Frames that are centred
            on a sample count if that sample is audio; where there is no padding at the ends,
            frames count if they lie within the audio, so that a padded clip has the frames of the
            bare one. Frame 0 counts whenever there is any audio.

        Raises
        ------
        UserError
            The clip is shorter than one frame, or than the frames that the settings ask for.
        """
        count = waveform.shape[1]
        if valid is None:
            valid = torch.full((len(waveform),), count, device=waveform.device)
        # Logarithms of energies over many decades do not survive half precision.
        with torch.autocast(waveform.device.type, enabled=False):
            waveform = waveform.float()
            if isinstance(self.config, WaveformFrontEnd):
                return scale_waveform(waveform, valid, self.config)
            frames = self._kept_frames(count)
            features = self._spectrogram(waveform)[:, :frames]
            mask = self.frame_mask(valid, frames)
            return normalise(features, mask, self.config), mask

    def _kept_frames(self, count: int) -> int:
        assert not isinstance(self.config, WaveformFrontEnd)
        found, wanted = self.n_frames(count), self.config.frames
        if found < max(1, wanted or 0):
            seconds = count / self.sample_rate
            raise UserError(
                f"The front end gives {found} frames for {seconds:g} s of audio, and needs "
                f"{wanted or 1}: give longer windows, or check hop, pad and frames."
            )
        return found if wanted is None else wanted

    def frame_mask(self, valid: Tensor, frames: int) -> Tensor:
        """Return ``(B, frames)`` bool: which frames hold audio, of ``(B,)`` valid samples."""
        if self._kaldi is not None:
            hop, whole = self._kaldi.hop, self._kaldi.snip_edges
            reach = self._kaldi.frame_length if whole else hop // 2 + 1
        else:
            assert self._stft is not None
            hop, whole = self._stft.hop, self._stft.pad == "none"
            reach = self._stft.frame_length if whole else 1
        starts = torch.arange(frames, device=valid.device) * hop
        held = starts + reach <= (valid - self._lost).unsqueeze(1)
        # Frame 0 counts whenever there is any audio, so that a pool is not empty.
        return torch.cat([(valid > 0).unsqueeze(1), held[:, 1:]], dim=1)

    def _spectrogram(self, waveform: Tensor) -> Tensor:
        config = self.config
        assert self.power is not None
        spectrum = self.power(self._extended(waveform))
        if self._root:
            spectrum = spectrum.sqrt()
        if self.filters is None:
            return spectrum
        mel = spectrum @ self.filters
        if isinstance(config, KaldiFrontEnd):
            return mel.clamp(min=_KALDI_FLOOR).log()
        if isinstance(config, LogMelFrontEnd):
            return _logarithm(mel, config)
        if isinstance(config, PcenFrontEnd):
            return _pcen(mel, config, self.sample_rate)
        return mel

    def _extended(self, waveform: Tensor) -> Tensor:
        """Scale or pre-emphasise, and continue the audio beyond its ends as the settings say."""
        if self._kaldi is not None:
            return _kaldi_extended(waveform * self._kaldi.scale, self._kaldi)
        assert self._stft is not None
        if isinstance(self.config, EmphasisedLogMelFrontEnd):
            waveform = waveform[:, 1:] - self.config.preemphasis * waveform[:, :-1]
        return _stft_extended(waveform, self._stft)

    @property
    def _lost(self) -> int:
        """Samples by which pre-emphasis shortens the audio."""
        return int(isinstance(self.config, EmphasisedLogMelFrontEnd))

    @property
    def _root(self) -> bool:
        """Whether magnitudes are filtered, not powers."""
        config = self.config
        return isinstance(config, StftFrontEnd) or (
            isinstance(config, _MelLike) and config.power == 1
        )

    @property
    def _bands(self) -> int:
        if self.filters is not None:
            return int(self.filters.shape[1])
        assert self._stft is not None
        return self._stft.n_bins

    def _transform(self, transform: Transform, bins: tuple[int, int] | None) -> FramePower | None:
        if transform not in ("fft", "matmul"):
            raise UserError(f"Transform {transform!r}: use 'fft' or 'matmul'.")
        if self._kaldi is not None:
            fbank = self._kaldi
            window = analysis_window(fbank.window, fbank.frame_length, periodic=False)
            return FramePower(
                window,
                fbank.hop,
                fbank.n_fft,
                transform,
                remove_dc=fbank.remove_dc,
                preemphasis=fbank.preemphasis,
                bins=bins,
            )
        if self._stft is None:
            return None
        periodic = not (isinstance(self.config, EmphasisedLogMelFrontEnd) and self.config.symmetric)
        window = analysis_window(self._stft.window, self._stft.frame_length, periodic)
        return FramePower(window, self._stft.hop, self._stft.n_fft, transform, bins=bins)

    def _filters(self) -> Tensor | None:
        config, rate = self.config, self.sample_rate
        if self._kaldi is not None:
            top = self._kaldi.fmax if self._kaldi.fmax > 0 else rate / 2 + self._kaldi.fmax
            filters = mel_filterbank(
                rate,
                self._kaldi.n_fft,
                self._kaldi.n_mels,
                self._kaldi.fmin,
                top,
                scale="htk",
                norm=None,
                slopes="mel",
            )
        elif isinstance(config, _MelLike):
            filters = mel_filterbank(
                rate,
                config.n_fft,
                config.n_mels,
                config.fmin,
                config.fmax,
                config.scale,
                None if config.norm == "none" else config.norm,
                config.slopes,
            )
        else:
            return None
        return torch.from_numpy(filters.T.copy())


def _heard(filters: Tensor) -> tuple[int, int]:
    """Return the first bin of ``(bins, mels)`` filters that counts, and that after the last."""
    used = filters.ne(0).any(1).nonzero().flatten().tolist()
    return (used[0], used[-1] + 1) if used else (0, len(filters))


def _kaldi(config: TrainingFrontEnd, rate: int) -> KaldiFbank | None:
    if not isinstance(config, KaldiFrontEnd):
        return None
    shared = set(KaldiFrontEnd.model_fields) & set(KaldiFbank.__dataclass_fields__)
    return KaldiFbank(rate, **config.model_dump(include=shared))


def _stft(config: TrainingFrontEnd) -> StftConfig | None:
    if not isinstance(config, StftFrontEnd | _MelLike):
        return None
    return StftConfig(config.n_fft, config.hop, config.win_length, config.window, config.pad)


def _stft_extended(samples: Tensor, config: StftConfig) -> Tensor:
    if config.pad == "none":
        return samples
    count = samples.shape[1]
    left = config.n_fft // 2 - (config.n_fft - config.frame_length) // 2
    last = count // config.hop * config.hop - left + config.frame_length
    mode: Extension = "reflect" if config.pad == "reflect" else "constant"
    return extend(samples, left, max(0, last - count), mode)


def _kaldi_extended(samples: Tensor, fbank: KaldiFbank) -> Tensor:
    if fbank.snip_edges:
        return samples
    needed = (fbank.n_frames(samples.shape[1]) - 1) * fbank.hop + fbank.frame_length
    left = fbank.frame_length // 2 - fbank.hop // 2
    if left < 0:
        samples, left = samples[:, -left:], 0
    right = max(0, needed - left - samples.shape[1])
    return extend(samples, left, right, "symmetric")[:, :needed]


def _logarithm(mel: Tensor, config: LogMelFrontEnd) -> Tensor:
    if config.log == "natural":
        return (mel + config.offset).log()
    db = mel.clamp(min=config.floor).log10() * (20 / config.power)
    if config.top_db is None:
        return db
    return torch.maximum(db, db.amax((1, 2), keepdim=True) - config.top_db)


def _pcen(mel: Tensor, config: PcenFrontEnd, rate: int) -> Tensor:
    """See :func:`antiphon.audio.features.pcen.pcen`; the smoother is a product over time."""
    energy = mel * config.gain_scale
    s = smoothing_coefficient(config.time_constant_s, rate, config.hop)
    steps = np.arange(mel.shape[1])
    ages = steps[:, None] - steps[None, :]
    weights = np.where(ages >= 0, s * (1.0 - s) ** np.maximum(ages, 0), 0.0)
    # Before the first frame the smoother rests at that frame.
    weights[:, 0] += (1.0 - s) ** (steps + 1)
    smooth = torch.as_tensor(weights, dtype=mel.dtype, device=mel.device) @ energy
    smooth = (smooth / config.eps).log1p() + float(np.log(config.eps))
    energy = energy * (smooth * -config.gain).exp()
    if config.bias == 0:
        return energy.pow(config.exponent)
    grown = (energy / config.bias).log1p() * config.exponent
    # e**x - 1 = tanh(x / 2) (e**x + 1): ONNX has both operators, and small x keep their precision.
    return (grown / 2).tanh() * (grown.exp() + 1) * config.bias**config.exponent
