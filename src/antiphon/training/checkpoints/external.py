"""Published weights of other projects, from a file at hand, by the name of their layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.encoders.checking import nearest
from antiphon.errors import ModelError, UserError
from antiphon.training.checkpoints.config import ModelConfig
from antiphon.training.checkpoints.layouts import attention, convolutional
from antiphon.training.checkpoints.layouts.naming import Converted, LayoutError, State
from antiphon.training.checkpoints.loading import load_state, read_state
from antiphon.training.checkpoints.models import build_model
from antiphon.training.front_end.spectra import Transform
from antiphon.training.model import EncoderModel


@dataclass(frozen=True, slots=True)
class External:
    """How the weights of a project become a model.

    Parameters
    ----------
    summary
        What the network is, for people.
    settings
        From the state dict to the model's settings, given names of its classes.
    convert
        From the state dict to that of the model; names that it leaves out are those that the
        layout has besides the encoder.
    """

    summary: str
    settings: Callable[[State, tuple[str, ...]], ModelConfig]
    convert: Callable[[State], Converted]


EXTERNAL: dict[str, External] = {
    "efficientat": External(
        "EfficientAT mn networks (Schmid et al. 2023), 32 kHz",
        convolutional.efficientat_settings,
        convolutional.efficientat,
    ),
    "beats": External(
        "BEATs (Chen et al. 2023), and AVEX's sl-BEATS, 16 kHz",
        attention.beats_settings,
        attention.beats,
    ),
    "eat": External(
        "EAT (Chen et al. 2024), normalised as on AudioSet, 16 kHz",
        attention.eat_settings(-4.268, 4.569),
        attention.eat,
    ),
    "avex_eat_all": External(
        "AVEX's EAT of general and bioacoustic audio, 16 kHz",
        attention.eat_settings(-5.553, 4.606),
        attention.eat,
    ),
    "avex_eat_bio": External(
        "AVEX's EAT of bioacoustic audio, 16 kHz",
        attention.eat_settings(-7.343, 4.412),
        attention.eat,
    ),
    "avex_efficientnet": External(
        "AVEX's EfficientNet-B0, 16 kHz",
        convolutional.efficientnet_settings,
        convolutional.efficientnet,
    ),
    "aves": External(
        "AVES and BirdAVES base (Hagiwara 2023), torchaudio's layout, 16 kHz",
        attention.aves_settings,
        attention.aves,
    ),
}


def list_external() -> dict[str, str]:
    """Return the names of layouts that can be loaded, with what they are."""
    return {name: entry.summary for name, entry in EXTERNAL.items()}


def load_external(
    name: str,
    path: Path,
    *,
    classes: Sequence[str] = (),
    transform: Transform = "fft",
    quiet: bool = False,
) -> EncoderModel:
    """Read published weights into a model, in evaluation mode.

    Sizes are read from the weights. Loading is strict: parts of a layout that are no encoder
    (decoders, teachers, fixed positions) are left out by name and reported, and anything else that
    is missing or left over is an error.

    Parameters
    ----------
    name
        Of the layout; see :func:`list_external`.
    path
        A ``.safetensors`` or PyTorch file of tensors.
    classes
        Names of the classes, where the weights have a classifier; ``class_0`` and so on otherwise.
    transform
        How spectra are computed.
    quiet
        Print no report where all fits.

    Raises
    ------
    UserError
        There is no such layout.
    ModelError
        The file cannot be read, holds no such network, or has another number of classes.
    """
    entry = EXTERNAL.get(name)
    if entry is None:
        raise UserError(
            f"No layout of published weights is called {name!r}.{nearest(name, EXTERNAL)} "
            f"Known: {', '.join(EXTERNAL)}."
        )
    state = read_state(path)
    try:
        converted = entry.convert(state)
        settings = entry.settings(converted.state, tuple(classes))
    except (KeyError, LayoutError) as error:
        # A KeyError's text is the missing tensor's name.
        missing = f"tensor {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(path, f"does not have the layout {name!r}: {missing}") from error
    model = build_model(settings, transform=transform)
    state = {**converted.state, **{key: state[key] for key in converted.ignored}}
    load_state(
        model,
        state,
        source=path,
        rename=lambda key: None if key in converted.ignored else key,
        quiet=quiet,
    )
    model.eval()
    return model
