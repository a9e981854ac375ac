"""Noise to add: crops of recordings in a folder, or synthesised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import fft

from antiphon.audio.reader import read_span
from antiphon.audio.recording import find_recordings, probe
from antiphon.audio.synthesis.environment import Weather, make_background
from antiphon.audio.synthesis.sites import HABITATS, make_site
from antiphon.errors import AudioError, FileError

Float32 = npt.NDArray[np.float32]

_ATTEMPTS = 10


class NoiseFolder:
    """Random crops of the recordings under a folder.

    Parameters
    ----------
    folder
        Where the recordings are; listed once.

    Raises
    ------
    FileError
        There is no such folder, or it holds no recording.
    """

    def __init__(self, folder: Path) -> None:
        paths = find_recordings(folder)
        if not paths:
            raise FileError(folder, "holds no recording", "Give a folder of noise recordings")
        self._folder = folder
        # Arrow keeps the names outside Python's objects, so that forked workers share them.
        self._paths = pa.array([str(path) for path in paths], pa.large_string())

    def __len__(self) -> int:
        return len(self._paths)

    def crop(
        self, n: int, sample_rate: int, rng: np.random.Generator, faults: list[AudioError]
    ) -> Float32:
        """Return ``(n,)`` float32 of a drawn recording, repeated where it is shorter.

        A file that cannot be read is added to ``faults`` and replaced by the next draw.

        Raises
        ------
        AudioError
            Ten drawn files in a row cannot be read.
        """
        for _ in range(_ATTEMPTS):
            path = Path(self._paths[int(rng.integers(len(self._paths)))].as_py())
            place = float(rng.random())
            try:
                return _crop(path, n, sample_rate, place)
            except AudioError as error:
                faults.append(error)
        raise AudioError(
            self._folder,
            f"{_ATTEMPTS} noise recordings in a row cannot be read; the last one: {faults[-1]}",
            "Remove the damaged files from the folder",
        )


def _crop(path: Path, n: int, sample_rate: int, place: float) -> Float32:
    seconds = n / sample_rate
    room = max(0.0, probe(path).duration_s - seconds)
    start = int(place * room * sample_rate) / sample_rate
    audio = read_span(path, start, start + seconds, sample_rate=sample_rate)[0]
    if not np.isfinite(audio).all():
        raise AudioError(path, "holds samples that are not finite", "Convert it again")
    return audio[:n] if len(audio) >= n else np.resize(audio, n)


def synthesise_noise(n: int, sample_rate: int, rng: np.random.Generator) -> Float32:
    """Return noise ``(n,)`` float32 of a free scale: a habitat's weather, or coloured noise.

    Half of the draws are the background of a drawn site with wind, and sometimes rain and hum;
    the other half is Gaussian noise whose spectrum falls by 0 to 9 dB per octave and whose level
    sways.
    """
    if rng.random() < 0.5:
        site = make_site(
            int(rng.integers(2**31)), int(rng.integers(1000)), HABITATS[rng.integers(len(HABITATS))]
        )
        rain = float(np.exp(rng.uniform(np.log(8.0), np.log(150.0)))) if site.in_air else 0.0
        weather = Weather(
            wind_ms=float(min(9.0, rng.gamma(2.2, 1.0))),
            drops_per_s=rain if rng.random() < 0.25 else 0.0,
        )
        return make_background(site, weather, n, sample_rate, rng)
    return coloured_noise(n, sample_rate, rng, slope_db=-float(rng.uniform(0.0, 9.0)))


def coloured_noise(
    n: int, sample_rate: int, rng: np.random.Generator, *, slope_db: float
) -> Float32:
    """Return Gaussian noise ``(n,)`` float32 with a spectrum of ``slope_db`` dB per octave.

    Flat below 50 Hz. Its level sways by some dB within seconds.
    """
    size = fft.next_fast_len(max(n, 2), real=True)
    spectrum = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    frequency = np.maximum(np.arange(len(spectrum)) * (sample_rate / size), 50.0)
    # A fall of 6.02 dB per octave of power is f^-1 of amplitude.
    spectrum *= ((frequency / 1000.0) ** (slope_db / 6.0206)).astype(np.float32)
    spectrum[0] = 0.0
    out: Float32 = fft.irfft(spectrum, size)[:n]
    knots = rng.standard_normal(int(n / sample_rate) + 3)
    sway = np.exp(0.25 * np.interp(np.arange(n) / sample_rate, np.arange(len(knots)), knots))
    return out * sway.astype(np.float32)


class NoiseSource:
    """Draws noise from a folder, from synthesis, or from both.

    Parameters
    ----------
    folder
        Folder of noise recordings, or None.
    synthesised
        Share of the draws that are synthesised; all are where there is no folder.

    Raises
    ------
    FileError
        There is no such folder, or it holds no recording.
    """

    def __init__(self, folder: Path | None = None, synthesised: float = 0.0) -> None:
        self._folder = None if folder is None else NoiseFolder(folder)
        self._synthesised = 1.0 if folder is None else synthesised

    def draw(
        self, n: int, sample_rate: int, rng: np.random.Generator, faults: list[AudioError]
    ) -> Float32:
        """Return noise ``(n,)`` float32 of a free scale; unreadable files go to ``faults``.

        Raises
        ------
        AudioError
            Ten drawn files in a row cannot be read.
        """
        made = rng.random() < self._synthesised
        if made or self._folder is None:
            return synthesise_noise(n, sample_rate, rng)
        return self._folder.crop(n, sample_rate, rng, faults)
