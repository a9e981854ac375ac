"""Settings of self-supervised pre-training; the defaults are the papers' numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from antiphon.encoders.checking import Strict

Share = Annotated[float, Field(gt=0, lt=1)]
Decay = Annotated[float, Field(ge=0, le=1)]


class EATConfig(Strict):
    """Prediction of a teacher's features.

    EAT (Chen et al. 2024) after data2vec 2.0 (Baevski et al. 2023).

    Attributes
    ----------
    mask_ratio
        Share of the patches that the student does not see.
    mask_block
        Side of the square blocks that are kept, in patches.
    mask_adjust
        Added to the kept share when blocks are counted, since blocks overlap.
    clones
        Masks per clip. Features, patches and targets are computed once for all of them.
    target
        What of the teacher's blocks is predicted: ``mlp``, what the network of each block adds, as
        in the papers; ``block``, all that leaves it, the residual path included.
    target_layers
        How many of the teacher's last layers are averaged; None for all.
    ema_start, ema_end, ema_steps
        Decay of the teacher's moving average: linear from start to end over the steps.
    decoder_dim
        Channels of the decoder; None for the encoder's (768 in the paper, as its encoder).
    decoder_layers, decoder_kernel, decoder_groups
        Of its convolutions.
    mask_noise
        Standard deviation of the noise that stands for hidden patches in the decoder.
    utterance_weight
        Weight of the class token's loss against the patches'.
    keep
        Which network the run gives as its encoder.
    """

    mask_ratio: Share = 0.8
    mask_block: PositiveInt = 5
    mask_adjust: Annotated[float, Field(ge=0, lt=1)] = 0.07
    clones: PositiveInt = 16
    target: Literal["mlp", "block"] = "mlp"
    target_layers: PositiveInt | None = None
    ema_start: Decay = 0.9998
    ema_end: Decay = 0.99999
    ema_steps: PositiveInt = 100_000
    decoder_dim: PositiveInt | None = None
    decoder_layers: PositiveInt = 6
    decoder_kernel: PositiveInt = 3
    decoder_groups: PositiveInt = 16
    mask_noise: NonNegativeFloat = 0.01
    utterance_weight: NonNegativeFloat = 1.0
    keep: Literal["student", "teacher"] = "student"

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.decoder_kernel % 2 == 0:
            raise ValueError("decoder_kernel must be odd: the grid keeps its size")
        if self.decoder_dim is not None and self.decoder_dim % self.decoder_groups:
            raise ValueError("decoder_dim must be a multiple of decoder_groups")
        if self.ema_end < self.ema_start:
            raise ValueError("ema_end is below ema_start: the teacher would grow faster")
        return self

    @classmethod
    def tiny(cls) -> Self:
        """Return settings for a small network and runs of some hundred steps on a CPU."""
        return cls(
            target="block",
            clones=2,
            mask_block=3,
            ema_start=0.99,
            ema_end=0.999,
            ema_steps=400,
            decoder_layers=2,
            decoder_groups=4,
        )


class BEATsConfig(Strict):
    """Prediction of discrete codes (BEATs, Chen et al. 2023).

    The first iteration predicts codes of a random projection. A later one names the model of the
    one before as ``teacher``: the first ``tokenizer_steps`` of the run distil a tokenizer from it,
    and the remaining steps train a new model on the codes of that tokenizer.

    Attributes
    ----------
    mask_ratio
        Share of the patches that the encoder does not see.
    codes, code_dim
        Size of the codebook and of its vectors.
    predictor_layers
        Transformer layers that predict the codes of hidden patches.
    predictor_dim
        Their width; None for the encoder's.
    tokenizer_seed
        From which the random projection and its codebook are drawn.
    teacher
        Folder of the model of the iteration before, or of the run that made it; None for the
        first iteration.
    tokenizer_steps
        Steps of the run that train the tokenizer. Needed with ``teacher``, and only there.
    tokenizer_depth
        Layers of the tokenizer's encoder; None for as many as the model has.
    estimator_layers
        Transformer layers that estimate the teacher's features from codes.
    codebook_decay
        Of the moving average that is the distilled tokenizer's codebook.
    commitment
        Weight of the loss that pulls the tokenizer's features to their codes.
    revive_below
        A code whose moving count per step falls below this takes over a feature of the batch.
    """

    mask_ratio: Share = 0.75
    codes: Annotated[int, Field(ge=2)] = 1024
    code_dim: PositiveInt = 256
    predictor_layers: PositiveInt = 3
    predictor_dim: PositiveInt | None = None
    tokenizer_seed: NonNegativeInt = 0
    teacher: Path | None = None
    tokenizer_steps: NonNegativeInt = 0
    tokenizer_depth: PositiveInt | None = None
    estimator_layers: PositiveInt = 3
    codebook_decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    commitment: NonNegativeFloat = 1.0
    revive_below: NonNegativeFloat = 0.01

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.teacher is not None) != (self.tokenizer_steps > 0):
            raise ValueError(
                "teacher and tokenizer_steps go together: a tokenizer is distilled from the "
                "teacher in that many steps"
            )
        return self

    @classmethod
    def tiny(cls, *, teacher: Path | None = None, tokenizer_steps: int = 0) -> Self:
        """Return settings for a small network and runs of some hundred steps on a CPU."""
        return cls(
            # A distilled tokenizer uses all the codes it is given, a random projection few.
            codes=256 if teacher is None else 32,
            code_dim=64 if teacher is None else 16,
            predictor_layers=1,
            estimator_layers=1,
            codebook_decay=0.9,
            teacher=teacher,
            tokenizer_steps=tokenizer_steps,
        )
