"""Encoders as a user writes them: a name, or a name with parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from antiphon.encoders.base import Encoder
from antiphon.encoders.registry import create_encoder
from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.folder import slug


@dataclass(frozen=True, slots=True)
class EncoderRef:
    """An encoder by name, with parameters: ``spectral``, ``spectral,window_s=1``, ``my.yaml``.

    Parameters
    ----------
    text
        As asked for.
    name, parameters
        What :func:`antiphon.encoders.registry.create_encoder` takes.
    """

    text: str
    name: str
    parameters: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def parse(cls, text: str) -> EncoderRef:
        """Read ``NAME[,KEY=VALUE...]``; values are YAML scalars.

        Raises
        ------
        UserError
            If a part has no ``=``.
        """
        name, *pairs = text.split(",")
        found = []
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or not key.strip():
                raise UserError(
                    f"--encoder {text!r}: {pair!r} is not KEY=VALUE, as in spectral,window_s=1"
                )
            found.append((key.strip(), yaml.safe_load(value)))
        return cls(text, name.strip(), tuple(found))

    def create(self) -> Encoder:
        """Create the encoder; see :func:`antiphon.encoders.registry.create_encoder`."""
        return create_encoder(self.name, **dict(self.parameters))


def parse_encoders(texts: Sequence[str]) -> tuple[EncoderRef, ...]:
    """Read encoders as asked for, each once.

    Raises
    ------
    UserError
        If a parameter is malformed, or two encoders would write the same file.
    """
    refs = tuple(EncoderRef.parse(text) for text in dict.fromkeys(texts))
    if len({slug(ref.text) for ref in refs}) < len(refs):
        raise UserError("Two encoders have names that differ in punctuation only; run them apart.")
    return refs
