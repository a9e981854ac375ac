"""What an export is asked for; no torch is needed to read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict
from antiphon.errors import UserError

Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")

Quantisation = Literal["auto", "weights", "dynamic", "static"]
QUANTISATIONS: tuple[Quantisation, ...] = ("auto", "weights", "dynamic", "static")

NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""Names that a manifest takes."""


BOUND_NAMES = ("mean", "max", "score")


class Bounds(Strict):
    """Differences from the trained model above which an export is refused; None for no bound.

    Attributes
    ----------
    max, mean
        Cosine distance of embeddings: of the worst window, and over all windows.
    score
        Largest difference of a class score (a probability), where the model has classes.
    """

    max: PositiveFloat | None = None
    mean: PositiveFloat | None = None
    score: PositiveFloat | None = None

    def __str__(self) -> str:
        given = [(name, getattr(self, name)) for name in BOUND_NAMES]
        return " and ".join(f"{name} {value:g}" for name, value in given if value is not None)


BOUNDS: dict[Precision, Bounds] = {
    "fp32": Bounds(max=1e-5),
    "fp16": Bounds(max=1e-3),
    "int8": Bounds(mean=0.01, max=0.05, score=0.1),
}
"""Bounds where no others are given."""

SCORE_BOUNDS: dict[Precision, float] = {"fp32": 1e-4, "fp16": 0.01, "int8": 0.1}
"""Bounds of the scores of detectors, likewise: their scores are what they are for."""


class ExportConfig(Strict):
    """How a model is exported.

    Attributes
    ----------
    precision
        ``fp32``. ``fp16``: weights of half precision, widened when the file is loaded; half
        their size, and as fast. ``int8``: a quarter of their size. The tables of the front end
        stay float32 (3.3 MB for frames of 800 samples and transforms of 1024, less where fmin and
        fmax leave bins out), so that the file of a small network shrinks by less.
    quantisation
        Of int8. ``weights``: weights only, as fast as fp32. ``dynamic``: products of matrices are
        computed in int8, activations scaled window by window, which is quicker; convolutions as
        ``weights``. ``static``: convolutions are computed in int8 too, activations scaled by the
        extremes of calibration audio; networks with depthwise convolutions seldom bear it.
        ``auto``: ``dynamic`` for transformers, ``weights`` for convolutional networks.
    compare
        Whether to report on the other precisions as well.
    windows, calibration
        Windows of audio for the parity report, and for the scales of static quantisation.
    bounds
        In place of those of :data:`BOUNDS` for the precision, key by key.
    front_end
        ``inside`` the ONNX file, which then takes samples; ``outside``, as the manifest says, so
        that several networks can share it. ``auto``: outside for detectors, else inside.
    scores
        Whether scores of the model's classes come out as well; without, only embeddings do.
    name
        Of the encoder; the model's own where not given.
    description, licence
        In place of the model's own.
    hop_s
        Default step between windows in seconds; the window where not given.
    overwrite
        Replace an earlier export.
    """

    precision: Precision = "fp32"
    quantisation: Quantisation = "auto"
    compare: bool = False
    windows: Annotated[int, Field(ge=4)] = 64
    calibration: PositiveInt = 32
    bounds: Bounds = Bounds()
    front_end: Literal["auto", "inside", "outside"] = "auto"
    scores: bool = True
    name: Annotated[str, Field(pattern=NAME)] | None = None
    description: str | None = None
    licence: str | None = None
    hop_s: PositiveFloat | None = None
    overwrite: bool = False

    @pydantic.model_validator(mode="after")
    def _used(self) -> Self:
        if self.quantisation != "auto" and self.precision != "int8" and not self.compare:
            raise ValueError(f"quantisation {self.quantisation} goes with precision int8")
        return self

    def bounds_of(self, precision: Precision, *, detector: bool = False) -> Bounds:
        """Return the bounds that hold for a precision; given ones are for the one asked for."""
        given = self.bounds.model_dump(exclude_none=True) if precision == self.precision else {}
        usual = {"score": SCORE_BOUNDS[precision]} if detector else {}
        return BOUNDS[precision].model_copy(update=usual | given)


def parse_bounds(given: Iterable[str]) -> Bounds:
    """Read ``max=0.02``, ``mean=0.005``, ``score=0.1`` or a plain number, which is ``max``.

    Raises
    ------
    UserError
        Something else is given, or one twice.
    """
    found: dict[str, float] = {}
    for text in given:
        key, _, number = text.rpartition("=")
        key = key.strip() or "max"
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        most = 1 if key == "score" else 2
        if key not in BOUND_NAMES or key in found or not 0 < value <= most:
            raise UserError(
                f"--allow {text!r}: give a cosine distance above 0 and at most 2, as in max=0.02 "
                "or mean=0.005, or a difference of class scores up to 1, as in score=0.1; each "
                "once."
            )
        found[key] = value
    return Bounds(**found)


def file_name(text: str) -> str:
    """Return a name that a manifest takes, from any text."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")
    return name or "encoder"
