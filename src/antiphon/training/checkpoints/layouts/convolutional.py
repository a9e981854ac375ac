"""State dicts of convolutional networks: EfficientAT, and AVEX's EfficientNet."""

from __future__ import annotations

import re

from antiphon.encoders.manifest import LogMelFrontEnd
from antiphon.training.backbones.config import EfficientATConfig, HeadConfig, TimmConfig
from antiphon.training.checkpoints.config import ModelConfig
from antiphon.training.checkpoints.layouts.naming import (
    Converted,
    State,
    by_table,
    class_names,
    convert,
)
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd

# torchvision's names of a block's layers, and timm's.
_SQUEEZE = (r"{}\.fc1\.", "se.conv_reduce."), (r"{}\.fc2\.", "se.conv_expand.")
_SEPARABLE = (
    (r"0\.0\.", "conv_dw."),
    (r"0\.1\.", "bn1."),
    *((pattern.format(1), new) for pattern, new in _SQUEEZE),
    (r"2\.0\.", "conv_pw."),
    (r"2\.1\.", "bn2."),
)
_INVERTED = (
    (r"0\.0\.", "conv_pw."),
    (r"0\.1\.", "bn1."),
    (r"1\.0\.", "conv_dw."),
    (r"1\.1\.", "bn2."),
    *((pattern.format(2), new) for pattern, new in _SQUEEZE),
    (r"3\.0\.", "conv_pwl."),
    (r"3\.1\.", "bn3."),
)


def efficientat(state: State) -> Converted:
    """EfficientAT's ``mn`` state dicts with their two-layer classifier."""
    return convert(
        state,
        by_table(
            (r"features\.", "backbone.features."),
            (r"classifier\.2\.", "head.0."),
            (r"classifier\.5\.", "head.3."),
        ),
    )


def efficientat_settings(state: State, classes: tuple[str, ...]) -> ModelConfig:
    """Return the settings of an ``mn`` network, with the front end of its training.

    Audio at 32 kHz, pre-emphasis 0.97, frames of 800 samples every 320 under a symmetric Hann
    window, transforms of 1024, 128 bands on Kaldi's mel scale from 0 to 15 kHz,
    ``(ln(power + 1e-5) + 4.5) / 5``.
    """
    hidden = len(state["head.0.bias"])
    # The last layer is 960 wide at width 1; the hidden layer of the classifier 1280.
    width = round(hidden / 1280, 3)
    return ModelConfig(
        name="efficientat",
        source="EfficientAT",
        licence="MIT",
        sample_rate=32000,
        window_s=10.0,
        front_end=EmphasisedLogMelFrontEnd(
            kind="emphasised_log_mel",
            n_fft=1024,
            win_length=800,
            hop=320,
            n_mels=128,
            fmax=15000.0,
            scale="htk",
            norm="none",
            slopes="mel",
            offset=1e-5,
            normalise="fixed",
            mean=-4.5,
            std=5.0,
        ),
        backbone=EfficientATConfig(width=width),
        classes=class_names(state["head.3.weight"], classes),
        head=HeadConfig(hidden=hidden, dropout=0.2),
    )


def efficientnet(state: State) -> Converted:
    """AVEX's EfficientNet-B0: torchvision's names, three equal input channels."""
    place = r"features\.(?P<stage>[1-7])\.(?P<block>\d+)\.block\."

    def rename(name: str) -> str:
        match = re.match(place + r"(?P<rest>.*)", name)
        if match is None:
            return by_table(
                (r"features\.0\.0\.", "backbone.network.conv_stem."),
                (r"features\.0\.1\.", "backbone.network.bn1."),
                (r"features\.8\.0\.", "backbone.network.conv_head."),
                (r"features\.8\.1\.", "backbone.network.bn2."),
                (r"classifier\.1\.", "head.1."),
            )(name)
        # The first stage does not widen, so its layers are one fewer.
        layers = _SEPARABLE if match["stage"] == "1" else _INVERTED
        block = f"backbone.network.blocks.{int(match['stage']) - 1}.{match['block']}."
        return block + by_table(*layers)(match["rest"])

    made = convert(state, rename, prefixes=r"model\.|backbone\.")
    stem = "backbone.network.conv_stem.weight"
    # One channel in place of three equal ones.
    made.state[stem] = made.state[stem].sum(1, keepdim=True)
    return made


def efficientnet_settings(state: State, classes: tuple[str, ...]) -> ModelConfig:
    """Return the settings of AVEX's EfficientNet-B0: 16 kHz, log-mel, each clip scaled to 0..1."""
    head = state.get("head.1.weight")
    return ModelConfig(
        name="avex_efficientnet",
        sample_rate=16000,
        window_s=10.0,
        front_end=LogMelFrontEnd(
            kind="log_mel",
            n_fft=800,
            hop=160,
            n_mels=128,
            scale="htk",
            norm="none",
            offset=1e-6,
            normalise="min_max",
        ),
        backbone=TimmConfig(name="efficientnet_b0"),
        classes=class_names(head, classes),
        head=None if head is None else HeadConfig(dropout=0.2),
    )
