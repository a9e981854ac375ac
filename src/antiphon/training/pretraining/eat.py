"""EAT: a student that sees a fifth of a clip predicts what its teacher makes of the whole."""

from __future__ import annotations

import copy

import torch
from torch import Generator, Tensor

from antiphon.errors import UserError
from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating
from antiphon.training.pooling import masked_mean
from antiphon.training.pretraining.config import EATConfig
from antiphon.training.pretraining.decoder import ConvolutionalDecoder
from antiphon.training.pretraining.ema import decay_at, make_teacher, update_teacher
from antiphon.training.pretraining.masks import inverse_block_masks
from antiphon.training.pretraining.measures import deviation, spread
from antiphon.training.pretraining.targets import (
    make_targets,
    mlp_outputs,
    patch_loss,
    utterance_loss,
)
from antiphon.training.pretraining.visible import (
    encode_kept,
    require_vit,
    take_off_head,
    unless_full,
    untrained_pooling,
)
from antiphon.training.task import Batch, Task

# Masks of validation: always the same.
_VALIDATION_SEED = 20240107


class EATPretraining(Task):
    """Self-supervision by masked prediction of a moving teacher's features.

    EAT (Chen et al. 2024) after data2vec 2.0 (Baevski et al. 2023). The teacher, a moving average
    of the student, encodes the whole clip once; the mean of its normalised layers is the target.
    The student encodes the few patches that inverse block masking leaves, for several masks of the
    same clip, and a light decoder predicts the targets of the hidden patches from them. The class
    token is led to the mean target of the clip.

    Parameters
    ----------
    model
        The student, with a vision transformer as its backbone. A classifier is taken off, as it
        would not fit afterwards; pooling by attention stays as it is.
    config
        Settings of the objective.

    Raises
    ------
    UserError
        The backbone is another one, has fewer layers than the target averages, or channels that
        the decoder's groups do not divide.

    Notes
    -----
    Both losses are means over channels, so that 1 is what predicting the mean (zero) costs, as
    targets have unit variance. The papers sum channels and divide by the root of their number,
    which is the same up to a constant factor; it matters to gradient clipping only.

    What a log shows when a run collapses: ``prediction_std`` falls to 0 while ``patch_loss`` stays
    near 1 (every patch is predicted alike), or ``spread`` falls to 0 (the teacher gives every clip
    the same embedding) while losses look good. ``target_std`` alone is no sign, since
    normalisation blows up whatever small differences are left. A higher ``ema_start`` and a lower
    learning rate help.
    """

    def __init__(self, model: EncoderModel, config: EATConfig) -> None:
        super().__init__()
        self.config = config
        self.model = model
        vit = require_vit(model, "EAT")
        depth = len(vit.layers)
        if config.target_layers is not None and config.target_layers > depth:
            raise UserError(
                f"eat.target_layers is {config.target_layers}, but the backbone has {depth} "
                "layers. Give at most that many, or leave it out to average all."
            )
        hidden = config.decoder_dim or vit.dim
        for name, channels in (("the backbone's dim", vit.dim), ("eat.decoder_dim", hidden)):
            if channels % config.decoder_groups:
                raise UserError(
                    f"eat.decoder_groups is {config.decoder_groups}, which does not divide "
                    f"{name}, {channels}. Choose groups that divide it."
                )
        take_off_head(model)
        self.teacher = make_teacher(vit)
        self.decoder = ConvolutionalDecoder(
            vit.dim,
            hidden,
            layers=config.decoder_layers,
            kernel=config.decoder_kernel,
            groups=config.decoder_groups,
            noise=config.mask_noise,
        )

    def train(self, mode: bool = True) -> EATPretraining:
        """Set the mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    @property
    def unused_parameters(self) -> bool:
        """Whether the pooling has parameters, which the losses do not reach."""
        return untrained_pooling(self.model)

    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return ``loss`` and, to log, its parts, the teacher's decay and signs of collapse."""
        result = self._losses(batch, generator)
        result["ema_decay"] = result["loss"].new_tensor(self._decay(step))
        return result

    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the same for the same masks each time."""
        with evaluating(self):
            return self._losses(batch, Generator().manual_seed(_VALIDATION_SEED))

    def after_step(self, step: int, total: int) -> None:
        """Move the teacher."""
        update_teacher(self.teacher, self.model.backbone, self._decay(step))

    def encoder(self) -> EncoderModel:
        """Return the student's encoder, or the teacher's where the settings keep that."""
        if self.config.keep == "student":
            return self.model
        model = copy.deepcopy(self.model)
        model.backbone.load_state_dict(self.teacher.state_dict())
        return model

    def _decay(self, step: int) -> float:
        c = self.config
        return decay_at(step, c.ema_start, c.ema_end, c.ema_steps)

    def _losses(self, batch: Batch, generator: Generator) -> dict[str, Tensor]:
        c, vit = self.config, self.model.backbone
        with torch.no_grad():
            features, audio = self.model.front_end(batch["waveform"], batch["valid"])
            targets, whole = self._targets(features, audio)
        tokens, valid, grid = vit.patches(features, audio)
        rows = valid.repeat_interleave(c.clones, dim=0)
        masks = inverse_block_masks(
            rows,
            grid,
            ratio=c.mask_ratio,
            block=c.mask_block,
            adjust=c.mask_adjust,
            generator=generator,
        )
        encoded = encode_kept(vit, tokens, masks)
        predictions = self.decoder(encoded[:, 1:], masks, rows, grid, generator)
        patches = patch_loss(predictions, targets, masks.predicted)
        utterance = utterance_loss(encoded[:, 0], targets, valid)
        first = slice(None, None, c.clones)
        return {
            "loss": patches + c.utterance_weight * utterance,
            "patch_loss": patches.detach(),
            "utterance_loss": utterance.detach(),
            "target_std": deviation(targets, valid),
            "prediction_std": deviation(predictions[first], masks.predicted[first]),
            "spread": spread(whole),
        }

    def _targets(self, features: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return targets ``(B, S, D)`` and the teacher's embeddings ``(B, D)`` of whole clips."""
        tokens, valid, _ = self.teacher.patches(features, audio)
        with mlp_outputs(self.teacher) as mlps:
            blocks = self.teacher.blocks(tokens, unless_full(valid), layers=True)
        layers = mlps if self.config.target == "mlp" else blocks
        last = self.config.target_layers or len(layers)
        targets = make_targets([layer[:, 1:] for layer in layers[-last:]], valid)
        return targets, masked_mean(blocks[-1][:, 1:], valid)
