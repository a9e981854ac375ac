"""Networks of AVEX (BEATs, EAT, EfficientNet... trained on animal sound) through ``avex``.

Follows avex 1.4: ``avex.get_model_spec(name)`` (None for an unknown name), its ``audio_config``,
and ``avex.load_model(name, device=..., return_features_only=True)``, a torch module that gives
``(n, steps, dim)``, ``(n, channels, bands, frames)`` or ``(n, dim)`` for audio ``(n, samples)``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import PositiveFloat

from antiphon.encoders.base import Encoded, EncoderSpec, Float32, Int64
from antiphon.encoders.checking import Strict, check_parameters, nearest
from antiphon.errors import MissingExtraError, UserError

# Less audio than this is zero-padded: the shortest that all front ends of avex can frame.
_SHORTEST_S = 1.0


class AvexParameters(Strict):
    """Parameters of the encoders ``avex:<model>``.

    Parameters
    ----------
    device
        torch device, as ``cpu`` or ``cuda``.
    window_s, hop_s
        Seconds; the model's own length when not given.
    """

    device: str = "cpu"
    window_s: PositiveFloat | None = None
    hop_s: PositiveFloat | None = None


class AvexEncoder:
    """A network of AVEX; the embedding is the mean over its steps.

    Each window goes through the network alone, without its padding, so that neither padding nor
    other windows touch the result. :meth:`prepare` may be called from several threads.

    Parameters
    ----------
    name
        As in ``esp_aves2_sl_beats_all``.
    parameters
        As :class:`AvexParameters`.

    Raises
    ------
    MissingExtraError
        The package ``avex`` is not installed.
    UserError
        There is no such network, or it could not be downloaded.
    """

    def __init__(self, name: str, parameters: Mapping[str, Any]) -> None:
        options = check_parameters(AvexParameters, parameters, f"avex:{name}")
        try:
            package = importlib.import_module("avex")
            self._torch: Any = importlib.import_module("torch")
        except ImportError as error:
            raise MissingExtraError("avex", f"use the encoder avex:{name}") from error
        found = package.get_model_spec(name)
        if found is None:
            raise _unknown(name, package)
        audio = getattr(found, "audio_config", None)
        rate = int(getattr(audio, "sample_rate", None) or 16_000)
        window_s = options.window_s or float(getattr(audio, "target_length_seconds", None) or 10)
        try:
            model = package.load_model(name, device=options.device, return_features_only=True)
        # It reaches for Hugging Face, cloud storage and torch, each with errors of its own.
        except Exception as error:
            raise UserError(
                f"Encoder 'avex:{name}': the network could not be loaded ({error}). The first use "
                "downloads it from Hugging Face: connect to the network and try again."
            ) from error
        model.eval()
        self._model, self._device = model, options.device
        self._shortest = min(round(_SHORTEST_S * rate), round(window_s * rate))
        self._spec = EncoderSpec(
            name=f"avex:{name}",
            sample_rate=rate,
            window_s=window_s,
            hop_s=options.hop_s or window_s,
            dim=len(self._embed(np.zeros(round(window_s * rate), np.float32))),
            parameters={"avex": str(getattr(package, "__version__", "")), "pool": "mean"},
        )

    @property
    def spec(self) -> EncoderSpec:
        """The facts that identify the encoder."""
        return self._spec

    def prepare(self, audio: Float32, valid: Int64) -> list[Float32]:
        """Cut the padding off; see :class:`antiphon.encoders.base.Encoder`."""
        return [
            np.ascontiguousarray(samples[: max(int(count), self._shortest)], np.float32)
            for samples, count in zip(audio, valid, strict=True)
        ]

    def encode(self, features: list[Float32]) -> Encoded:
        """Run the network; see :class:`antiphon.encoders.base.Encoder`."""
        rows = [self._embed(samples) for samples in features]
        return Encoded(np.stack(rows) if rows else np.zeros((0, self._spec.dim), np.float32))

    def _embed(self, samples: Float32) -> Float32:
        with self._torch.no_grad():
            audio = self._torch.from_numpy(samples[None]).to(self._device)
            values = np.asarray(self._model(audio).cpu().numpy(), np.float32)[0]
        if values.ndim == 3:
            return np.asarray(values.mean(axis=(1, 2)), np.float32)
        return np.asarray(values.mean(axis=0), np.float32) if values.ndim == 2 else values


def _unknown(name: str, package: Any) -> UserError:
    # list_models prints a table as well.
    with contextlib.redirect_stdout(io.StringIO()):
        names = sorted(package.list_models())
    return UserError(
        f"AVEX has no network {name!r}.{nearest(name, names)} There are: {', '.join(names)}."
    )
