"""The sidecar file that describes a network: rate, window, front end, tensors and labels.

A manifest is YAML beside (or naming) a model file. It is checked strictly: a key that is not known
is an error, so that a misspelt setting cannot be ignored.

Example
-------
::

    name: yamnet
    version: int8
    model: yamnet_int8.tflite
    runtime: tflite
    sample_rate: 16000
    window_s: 0.975
    hop_s: 0.975
    front_end: {kind: log_mel, n_fft: 512, win_length: 400, hop: 160, pad: none, n_mels: 64}
    input: {layout: NTF}
    output: {embedding: 90}
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict, check_file, read_yaml
from antiphon.errors import FormatError

SHIPPED = Path(__file__).parent / "manifests"

Tensor = Annotated[str | Annotated[int, Field(ge=0)], Field(union_mode="left_to_right")]


class WaveformFrontEnd(Strict):
    """The samples themselves.

    Attributes
    ----------
    remove_mean
        Whether to subtract the mean of a window's audio first.
    peak
        Scale so that the largest magnitude is this; None leaves the level alone.
    scale
        Factor on the samples, as 32768 for a network trained on 16-bit integers.
    """

    kind: Literal["waveform"]
    remove_mean: bool = False
    peak: PositiveFloat | None = None
    scale: PositiveFloat = 1.0


class _Spectrogram(Strict):
    """What all spectrograms share.

    Attributes
    ----------
    frames
        Frames that the network takes; further ones are cut off. None keeps all.
    normalise
        ``none``; ``min_max``: each window to 0..1; ``mean_std``: each window to mean 0 and
        deviation 1; ``fixed``: ``(x - mean) / std``. A window's statistics leave padding out, and
        padded frames are 0 after them.
    mean, std
        For ``fixed``.
    """

    frames: PositiveInt | None = None
    normalise: Literal["none", "min_max", "mean_std", "fixed"] = "none"
    mean: float | None = None
    std: PositiveFloat | None = None

    @pydantic.model_validator(mode="after")
    def _fixed_has_constants(self) -> Self:
        given = self.mean is not None and self.std is not None
        if (self.normalise == "fixed") != given:
            raise ValueError("mean and std go with normalise: fixed, and only with it")
        return self


class _Stft(_Spectrogram):
    n_fft: PositiveInt
    hop: PositiveInt
    win_length: PositiveInt | None = None
    window: Literal["hann", "hamming", "povey", "rectangular"] = "hann"
    pad: Literal["reflect", "zero", "none"] = "reflect"


class StftFrontEnd(_Stft):
    """Magnitude of the short-time Fourier transform.

    ``n_fft``, ``hop``, ``win_length``, ``window`` and ``pad`` are those of
    :class:`antiphon.audio.features.stft.StftConfig`.
    """

    kind: Literal["stft_magnitude"]


class _Mel(_Stft):
    n_mels: PositiveInt
    fmin: Annotated[float, Field(ge=0)] = 0.0
    fmax: PositiveFloat | None = None
    scale: Literal["slaney", "htk"] = "slaney"
    norm: Literal["slaney", "none"] = "slaney"
    slopes: Literal["hz", "mel"] = "hz"
    power: Literal[1, 2] = 2


class MelFrontEnd(_Mel):
    """Mel energies; keys as :class:`antiphon.audio.features.logmel.LogMel`."""

    kind: Literal["mel"]


class LogMelFrontEnd(_Mel):
    """Mel energies with a logarithm; keys as :class:`antiphon.audio.features.logmel.LogMel`."""

    kind: Literal["log_mel"]
    log: Literal["natural", "db"] = "natural"
    offset: Annotated[float, Field(ge=0)] = 1e-6
    floor: PositiveFloat = 1e-10
    top_db: Annotated[float, Field(ge=0)] | None = None


class PcenFrontEnd(_Mel):
    """Per-channel energy normalisation; keys as :func:`antiphon.audio.features.pcen.pcen`."""

    kind: Literal["pcen"]
    time_constant_s: PositiveFloat = 0.4
    gain: Annotated[float, Field(ge=0)] = 0.98
    bias: Annotated[float, Field(ge=0)] = 2.0
    exponent: PositiveFloat = 0.5
    eps: PositiveFloat = 1e-6
    gain_scale: PositiveFloat = 1.0


class KaldiFrontEnd(_Spectrogram):
    """Kaldi filterbank; keys as :class:`antiphon.audio.features.fbank.KaldiFbank`."""

    kind: Literal["kaldi_fbank"]
    n_mels: PositiveInt = 128
    frame_ms: PositiveFloat = 25.0
    shift_ms: PositiveFloat = 10.0
    fmin: Annotated[float, Field(ge=0)] = 20.0
    fmax: float = 0.0
    window: Literal["hann", "hamming", "povey", "rectangular"] = "povey"
    preemphasis: Annotated[float, Field(ge=0, le=1)] = 0.97
    remove_dc: bool = True
    snip_edges: bool = True
    scale: PositiveFloat = 1.0


FrontEnd = Annotated[
    WaveformFrontEnd | StftFrontEnd | MelFrontEnd | LogMelFrontEnd | PcenFrontEnd | KaldiFrontEnd,
    Field(discriminator="kind"),
]


class Input(Strict):
    """The tensor that takes the front end's output.

    Attributes
    ----------
    tensor
        Name or index; may be left out where the network has one input.
    layout
        Its axes in order: ``N`` batch, ``S`` samples, ``T`` frames, ``F`` bins or bands, ``C``
        channels. As in ``NS``, ``NTF``, ``NFTC``, ``NCTF``.
    channels
        Size of ``C``: the same content in each.
    dtype
        Checked against the model when given. Integer inputs are quantised with the scale and
        zero point that the model file holds.
    valid
        ONNX: name or index of a second input, ``(N,)`` int64, that takes the samples of each
        window that are audio, for a network that leaves padding out by itself.
    """

    tensor: Tensor | None = None
    valid: Tensor | None = None
    layout: str
    channels: PositiveInt = 1
    dtype: Literal["float32", "float16", "int8", "uint8", "int16"] | None = None


class Output(Strict):
    """The tensor that holds the embedding.

    Attributes
    ----------
    embedding
        Name or index. TFLite: any tensor of the graph, also an inner one. ONNX: an output.
    pool
        ``none``: one vector per window, axes of length 1 are dropped. ``mean``: the mean over all
        axes but ``N`` and ``D``; steps of ``T`` that hold only padding are left out.
    layout
        Axes for ``pool: mean``: ``N`` batch, ``T`` time, ``D`` embedding, any other letter an
        axis to average. As in ``NTD`` or ``NDFT``.
    skip
        Steps of ``T`` at the start that are no time steps, such as a class token.
    """

    embedding: Tensor
    pool: Literal["none", "mean"] = "none"
    layout: str = "NTD"
    skip: Annotated[int, Field(ge=0)] = 0

    @pydantic.field_validator("layout")
    @classmethod
    def _has_axes(cls, value: str) -> str:
        if len(set(value)) != len(value) or not {"N", "D"} <= set(value) or value[0] != "N":
            raise ValueError(f"layout {value!r} must begin with N, hold D, and no letter twice")
        return value


class Scores(Strict):
    """The tensor that holds class scores, and what turns it into numbers between 0 and 1."""

    tensor: Tensor
    activation: Literal["none", "sigmoid", "softmax"] = "none"


class Frames(Strict):
    """The tensor that holds class scores over time, for networks that detect.

    Frame ``t`` of ``T`` covers the seconds ``[t * window_s / T, (t + 1) * window_s / T)``.

    Attributes
    ----------
    tensor
        Name or index.
    activation
        What turns it into numbers between 0 and 1.
    layout
        ``NTC`` or ``NCT``: ``N`` batch, ``T`` time, ``C`` classes.
    """

    tensor: Tensor
    activation: Literal["none", "sigmoid", "softmax"] = "none"
    layout: Literal["NTC", "NCT"] = "NTC"


class Manifest(Strict):
    """Everything needed to run a model file as an encoder or as a detector.

    Attributes
    ----------
    name, version
        Of the network, for tables and reports.
    description, licence, source
        For people: what it is, under which terms, and where the file can be had.
    model
        The model file, relative to the manifest.
    sha256
        Its SHA-256 (hex); a file with another one is refused.
    runtime
        ``onnx`` or ``tflite``.
    sample_rate
        Hz.
    window_s, hop_s
        Seconds; the hop is the window when not given.
    front_end, input, output, scores, frames
        What goes in and what comes out: the embedding (``output``), class scores of the window
        (``scores``) and class scores over time (``frames``), at least one of them. A network
        without ``output`` cannot embed, but its scores serve in ensembles.
    labels
        Names of the scores: a list, or a text file with one per line, relative to the manifest.
        Without labels there are no scores.
    """

    name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    version: str = ""
    description: str = ""
    licence: str = ""
    source: str = ""
    model: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    runtime: Literal["onnx", "tflite"]
    sample_rate: PositiveInt
    window_s: PositiveFloat
    hop_s: PositiveFloat | None = None
    front_end: FrontEnd
    input: Input
    output: Output | None = None
    scores: Scores | None = None
    frames: Frames | None = None
    labels: tuple[str, ...] | str | None = None

    @pydantic.field_validator("version", mode="before")
    @classmethod
    def _version_is_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.hop_s is not None and self.hop_s > self.window_s:
            raise ValueError("hop_s is longer than window_s: audio would be left out")
        axes = {"S"} if isinstance(self.front_end, WaveformFrontEnd) else {"T", "F"}
        letters = set(self.input.layout)
        if len(letters) != len(self.input.layout) or letters - {"C"} != axes | {"N"}:
            need = ", ".join(sorted(axes | {"N"}))
            raise ValueError(
                f"input.layout {self.input.layout!r}: a {self.front_end.kind} front end has the "
                f"axes {need}, each once, and perhaps C"
            )
        if self.input.layout[0] != "N":
            raise ValueError(f"input.layout {self.input.layout!r} must begin with N")
        if self.input.valid is not None and self.runtime != "onnx":
            raise ValueError("input.valid goes with runtime: onnx only")
        scored = self.scores is not None or self.frames is not None
        if self.labels is not None and not scored:
            raise ValueError("labels need scores: name the tensor that holds them")
        if self.output is None and not scored:
            raise ValueError("key 'output' is missing: name the tensor that holds the embedding")
        if self.output is None and self.labels is None:
            raise ValueError("scores need labels where there is no embedding (output)")
        return self

    def identity(self) -> dict[str, Any]:
        """Return what decides the result, as JSON values: all but file names, words and hop."""
        words = {"description", "licence", "source", "model", "sha256", "labels", "hop_s"}
        facts = self.model_dump(mode="json", exclude=words)
        # Networks without these keep the identity they had before there were any.
        if self.input.valid is None:
            del facts["input"]["valid"]
        if self.frames is None:
            del facts["frames"]
        return facts


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises
    ------
    FormatError
        It cannot be read, or holds a key or value that is not valid; the message names it.
    """
    return check_file(Manifest, read_yaml(path), path)


def read_labels(manifest: Manifest, path: Path | None, given_by: Path) -> tuple[str, ...]:
    """Return the labels of a manifest.

    Parameters
    ----------
    manifest
        The manifest.
    path
        The label file to read; None for the manifest's own list.
    given_by
        The manifest's file, for messages.

    Raises
    ------
    FormatError
        The file cannot be read, or a label comes twice.
    """
    if path is None:
        labels = manifest.labels if isinstance(manifest.labels, tuple) else ()
        path = given_by
    else:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(path, f"the labels cannot be read: {error}") from error
        labels = tuple(line.strip() for line in lines if line.strip())
        if not labels:
            raise FormatError(path, "holds no labels", "Write one label per line")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise FormatError(path, f"the label {twice[0]!r} comes more than once")
    return labels
