"""BEATs: the encoder predicts discrete codes of hidden patches, in iterations."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from antiphon.errors import UserError
from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating
from antiphon.training.pooling import masked_mean
from antiphon.training.pretraining.config import BEATsConfig
from antiphon.training.pretraining.masks import Masks, random_masks
from antiphon.training.pretraining.measures import code_usage, spread
from antiphon.training.pretraining.tokenizer import (
    DistilledTokenizer,
    RandomProjectionTokenizer,
    TokenLayers,
)
from antiphon.training.pretraining.visible import (
    encode_kept,
    require_vit,
    take_off_head,
    untrained_pooling,
)
from antiphon.training.task import Batch, Task

# Masks of validation: always the same.
_VALIDATION_SEED = 20221218


class CodePredictor(nn.Module):
    """Logits of the codes of hidden patches, from the encoded seen ones.

    Parameters
    ----------
    dim
        Of the encoder's tokens.
    width
        Of the predictor, a multiple of 4.
    layers
        Transformer layers.
    codes
        Size of the codebook.
    """

    def __init__(self, dim: int, width: int, *, layers: int, codes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(dim, width)
        self.hidden = nn.Parameter(torch.zeros(width))
        self.layers = TokenLayers(width, layers)
        self.out = nn.Linear(width, codes)

    def forward(self, tokens: Tensor, masks: Masks, valid: Tensor, grid: tuple[int, int]) -> Tensor:
        """Return logits ``(P, codes)`` of the P predicted patches, row by row.

        Parameters
        ----------
        tokens
            ``(B, K, D)`` of the kept patches, without the class token.
        masks
            Where they belong.
        valid
            ``(B, S)`` bool, patches that hold audio.
        grid
            Patches along time and along frequency.
        """
        seen = self.embed(tokens)
        hidden = self.hidden.to(seen).expand(*valid.shape, -1)
        x = self.layers(masks.restore(seen, hidden), valid, grid)
        logits: Tensor = self.out(x[masks.predicted])
        return logits


class BEATsPretraining(Task):
    """Self-supervision by masked prediction of a tokenizer's codes (BEATs, Chen et al. 2023).

    In the first iteration the codes are those of a random projection. In a later one,
    ``config.teacher`` names the folder of the model of the iteration before: the first
    ``config.tokenizer_steps`` steps distil a tokenizer from it while the new model waits, and from
    then on the new model learns the codes of that tokenizer, which no longer changes.

    Parameters
    ----------
    model
        The encoder, with a vision transformer as its backbone. A classifier is taken off, as it
        would not fit afterwards; pooling by attention stays as it is.
    config
        Settings of the objective.
    teacher
        The model of the iteration before, where it is at hand already; otherwise it is read from
        ``config.teacher``.

    Raises
    ------
    UserError
        The backbone is another one; the embedding is the class token, which this objective does
        not train; the teacher has other features or patches.

    Notes
    -----
    What a log shows when a run goes wrong: ``codes_used`` and ``code_perplexity`` say how much of
    the codebook a batch uses. If few codes are used, ``majority`` is high and ``accuracy`` no
    better: there is nothing to learn from these codes. For the random projection features should
    then be normalised (front_end.normalise), for a distilled tokenizer more tokenizer steps help.
    A distilled tokenizer rather fails by using too many codes for the data: nearly all of them,
    and an accuracy that stays low. Then a smaller codebook gives a better encoder. ``spread`` near
    0 says that all clips have the same embedding.
    """

    def __init__(
        self, model: EncoderModel, config: BEATsConfig, teacher: EncoderModel | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.model = model
        vit = require_vit(model, "BEATs")
        if model.pooling_kind == "cls":
            raise UserError(
                "BEATs trains no class token, so that pooling: cls would give an embedding that "
                "was never trained. Set pooling: mean, which works with init_from as well."
            )
        take_off_head(model)
        self.predictor = CodePredictor(
            vit.dim,
            config.predictor_dim or vit.dim,
            layers=config.predictor_layers,
            codes=config.codes,
        )
        self.register_buffer("steps_done", torch.zeros((), dtype=torch.int64))
        self.teacher: EncoderModel | None = None
        self.tokenizer: RandomProjectionTokenizer | DistilledTokenizer
        if config.teacher is None:
            self.tokenizer = RandomProjectionTokenizer(
                vit.config.patch,
                codes=config.codes,
                dim=config.code_dim,
                seed=config.tokenizer_seed,
            )
            return
        if teacher is None:
            from antiphon.training.checkpoints.models import load_model

            finished = config.teacher / "model"
            teacher = load_model(finished if finished.is_dir() else config.teacher)
        self.teacher = _checked_teacher(teacher, model).requires_grad_(False).eval()
        depth = config.tokenizer_depth or vit.config.shape.depth
        self.tokenizer = DistilledTokenizer(
            vit.config.model_copy(update={"depth": depth, "drop_path": 0.0, "dropout": 0.0}),
            teacher.dim,
            codes=config.codes,
            dim=config.code_dim,
            decay=config.codebook_decay,
            revive_below=config.revive_below,
            layers=config.estimator_layers,
            commitment=config.commitment,
        )

    def train(self, mode: bool = True) -> BEATsPretraining:
        """Set the mode; the teacher stays in evaluation mode."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    @property
    def unused_parameters(self) -> bool:
        """Whether tokenizer and model are trained in turn, or the pooling has parameters."""
        return self.config.tokenizer_steps > 0 or untrained_pooling(self.model)

    def rate_factor(self, step: int, total: int) -> float:
        """Warm up again where the model begins: over a tenth of its steps, linearly."""
        first = self.config.tokenizer_steps
        if first == 0 or step < first:
            return 1.0
        return min(1.0, (step - first + 1) / max(1, (total - first) // 10))

    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return ``loss`` and, to log, its parts, the use of codes and signs of collapse."""
        if step < self.config.tokenizer_steps:
            return self._tokenizer_losses(batch, generator)
        return self._losses(batch, generator)

    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the same for the same masks each time; the codebook is left alone."""
        with evaluating(self):
            if int(self.steps_done) < self.config.tokenizer_steps:
                return self._tokenizer_losses(batch, None)
            return self._losses(batch, Generator().manual_seed(_VALIDATION_SEED))

    def after_step(self, step: int, total: int) -> None:
        """Count steps, by which validation knows what is being trained."""
        self.steps_done.fill_(step + 1)

    def encoder(self) -> EncoderModel:
        """Return the encoder."""
        return self.model

    def _losses(self, batch: Batch, generator: Generator) -> dict[str, Tensor]:
        vit = self.model.backbone
        with torch.no_grad():
            features, audio = self.model.front_end(batch["waveform"], batch["valid"])
            codes = self.tokenizer.codes(features, audio)
        tokens, valid, grid = vit.patches(features, audio)
        masks = random_masks(valid, ratio=self.config.mask_ratio, generator=generator)
        encoded = encode_kept(vit, tokens, masks)[:, 1:]
        logits = self.predictor(encoded, masks, valid, grid).float()
        wanted = codes[masks.predicted]
        # A batch of empty clips has nothing to predict, and no mean.
        loss = functional.cross_entropy(logits, wanted, reduction="sum") / max(len(wanted), 1)
        right = (logits.argmax(1) == wanted).float().sum() / max(len(wanted), 1)
        return {
            "loss": loss,
            "accuracy": right,
            "spread": spread(masked_mean(encoded.detach(), masks.real)),
            **code_usage(codes[valid], self.config.codes),
        }

    def _tokenizer_losses(self, batch: Batch, generator: Generator | None) -> dict[str, Tensor]:
        if self.teacher is None or not isinstance(self.tokenizer, DistilledTokenizer):
            raise RuntimeError("tokenizer steps without a teacher")
        with torch.no_grad():
            features, audio = self.model.front_end(batch["waveform"], batch["valid"])
            target = self.teacher.backbone(features, audio).tokens
        return self.tokenizer.losses(features, audio, target, generator)


def _checked_teacher(teacher: EncoderModel, model: EncoderModel) -> EncoderModel:
    vit = require_vit(teacher, "A BEATs tokenizer's teacher: BEATs")
    mine = (model.front_end_config, model.sample_rate, model.backbone.config.patch)
    theirs = (teacher.front_end_config, teacher.sample_rate, vit.config.patch)
    for name, one, other in zip(("front_end", "sample_rate", "patch"), mine, theirs, strict=True):
        if one != other:
            raise UserError(
                f"The teacher's {name} is {other}, the new model's {one}. A tokenizer can only be "
                "distilled from a model with the same features and patches: make them the same."
            )
    return teacher
