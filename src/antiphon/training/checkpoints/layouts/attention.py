"""State dicts of transformers: BEATs, EAT and AVES, with those that AVEX made of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from antiphon.encoders.manifest import KaldiFrontEnd, WaveformFrontEnd
from antiphon.training.backbones.config import (
    BEATsNetworkConfig,
    HeadConfig,
    HubertConfig,
    PatchSize,
    ViTConfig,
)
from antiphon.training.checkpoints.config import ModelConfig
from antiphon.training.checkpoints.layouts.naming import (
    Converted,
    State,
    by_table,
    class_names,
    convert,
    depth_of,
)


def beats(state: State) -> Converted:
    """BEATs state dicts: Microsoft's, fine-tuned or not, and AVEX's."""
    # The bias by relative position is shared by all blocks and stored with each.
    shared = r"encoder\.layers\.[1-9]\d*\.self_attn\.relative_attention_bias\."
    made = convert(
        state,
        by_table(
            (r"encoder\.layers\.0\.self_attn\.relative", "backbone.relative"),
            (r"encoder\.layers\.", "backbone.layers."),
            (r"encoder\.layer_norm\.", "backbone.encoder_norm."),
            (r"encoder\.pos_conv\.0\.", "backbone.pos_conv."),
            (r"(patch_embedding|post_extract_proj|layer_norm)\.", r"backbone.\1."),
            (r"(predictor|classifier)\.", "head.1."),
        ),
        shared,
        r"backbone\.|model\.",
    )
    return Converted(_plain_weight(made.state, "backbone.pos_conv."), made.ignored)


def beats_settings(state: State, classes: tuple[str, ...]) -> ModelConfig:
    """Return the settings of a BEATs network: 16 kHz, Kaldi filterbank of 16-bit samples."""
    patch = state["backbone.patch_embedding.weight"].shape
    kernel = state["backbone.pos_conv.weight"].shape
    query = state["backbone.layers.0.self_attn.q_proj.weight"].shape
    buckets, heads = state["backbone.relative_attention_bias.weight"].shape
    head = state.get("head.1.weight")
    return ModelConfig(
        name="beats",
        sample_rate=16000,
        window_s=10.0,
        front_end=KaldiFrontEnd(
            kind="kaldi_fbank",
            n_mels=128,
            scale=32768.0,
            normalise="fixed",
            mean=15.41663,
            std=2 * 6.55582,
        ),
        backbone=BEATsNetworkConfig(
            patch_dim=patch[0],
            dim=query[0],
            depth=depth_of(state, "backbone.layers."),
            heads=heads,
            hidden=len(state["backbone.layers.0.fc1.bias"]),
            patch=PatchSize(time=patch[2], mel=patch[3]),
            position_kernel=kernel[2],
            position_groups=query[0] // kernel[1],
            buckets=buckets,
        ),
        classes=class_names(head, classes),
        head=None if head is None else HeadConfig(),
    )


def eat(state: State) -> Converted:
    """EAT state dicts: fairseq's (encoder of the student), Hugging Face's and AVEX's."""
    return convert(
        state,
        by_table(
            (r"blocks\.", "backbone.layers."),
            (r"local_encoder\.proj\.", "backbone.patch_embed."),
            (r"extra_tokens$", "backbone.cls_token"),
            (r"(context_encoder\.norm|pre_norm)\.", "backbone.norm."),
            (r"(head|classifier|proj)\.", "head.1."),
        ),
        # Decoder, teacher and what only pre-training has; positions are computed here.
        r"decoder\.|_ema|shared_decoder\.|cls_proj\.|recon_proj\.|center$|fc_norm\."
        r"|fixed_positional_encoder\.|pos_embed",
        r"backbone\.|model\.|modality_encoders\.IMAGE\.",
    )


def eat_settings(mean: float, std: float) -> Callable[[State, tuple[str, ...]], ModelConfig]:
    """Return the function that gives the settings of an EAT network.

    Audio at 16 kHz, Kaldi filterbank under a Hann window, ``(x - mean) / (2 std)``. Tokens are
    averaged, or the class token is taken where the weights have a classifier, which learned on it.
    """

    def settings(state: State, classes: tuple[str, ...]) -> ModelConfig:
        patch = state["backbone.patch_embed.weight"].shape
        dim, head = patch[0], state.get("head.1.weight")
        return ModelConfig(
            name="eat",
            sample_rate=16000,
            window_s=10.24,
            front_end=KaldiFrontEnd(
                kind="kaldi_fbank",
                n_mels=128,
                window="hann",
                normalise="fixed",
                mean=mean,
                std=2 * std,
            ),
            backbone=ViTConfig(
                size="base",
                dim=dim,
                depth=depth_of(state, "backbone.layers."),
                # The published networks have heads of 64 values.
                heads=max(1, dim // 64),
                patch=PatchSize(time=patch[2], mel=patch[3]),
                mlp_ratio=len(state["backbone.layers.0.mlp.fc1.bias"]) / dim,
                norm="post",
            ),
            pooling="mean" if head is None else "cls",
            classes=class_names(head, classes),
            head=None if head is None else HeadConfig(),
        )

    return settings


def aves(state: State) -> Converted:
    """AVES in torchaudio's layout of HuBERT, without the classifier of its pre-training."""
    made = convert(
        state,
        by_table(
            (r"encoder\.feature_projection\.", "backbone.network.feature_projection."),
            (r"encoder\.transformer\.", "backbone.network.encoder."),
            (r"(feature_extractor|feature_projection|encoder)\.", r"backbone.network.\1."),
        ),
        r"aux\.|masked_spec_embed|mask_generator|logit_generator",
        r"model\.|hubert\.",
    )
    normed = "backbone.network.encoder.pos_conv_embed.conv."
    # The names of a normed weight's parts, before PyTorch had parametrizations and since.
    now = {
        f"{normed}weight_g": f"{normed}parametrizations.weight.original0",
        f"{normed}weight_v": f"{normed}parametrizations.weight.original1",
    }
    renamed = {now.get(key, key): tensor for key, tensor in made.state.items()}
    return Converted(renamed, made.ignored)


def aves_settings(state: State, classes: tuple[str, ...]) -> ModelConfig:
    """Return the settings of AVES: the waveform at 16 kHz as it is."""
    network = "backbone.network."
    query = state[network + "encoder.layers.0.attention.q_proj.weight"].shape
    position = state[network + "encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    first = state[network + "feature_extractor.conv_layers.0.conv.weight"]
    return ModelConfig(
        name="aves",
        sample_rate=16000,
        window_s=10.0,
        front_end=WaveformFrontEnd(kind="waveform"),
        backbone=HubertConfig(
            dim=query[0],
            depth=depth_of(state, network + "encoder.layers."),
            # The published networks have heads of 64 values.
            heads=max(1, query[0] // 64),
            hidden=len(state[network + "encoder.layers.0.feed_forward.intermediate_dense.bias"]),
            channels=len(first),
            position_kernel=position.shape[2],
            position_groups=query[0] // position.shape[1],
        ),
        classes=class_names(None, classes),
    )


def _plain_weight(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Multiply out a normed weight: ``g v / |v|``, the norm over all axes but the last."""
    for length, direction in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        if prefix + direction in state:
            made = dict(state)
            v = made.pop(prefix + direction)
            g = made.pop(prefix + length)
            made[prefix + "weight"] = g * v / torch.linalg.vector_norm(v, dim=(0, 1), keepdim=True)
            return made
    return state
