"""Where the front end of an export is: inside the ONNX file, or before it."""

from __future__ import annotations

from antiphon.errors import UserError
from antiphon.training.export.config import ExportConfig
from antiphon.training.export.graph import Place
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd
from antiphon.training.model import EncoderModel


def choose_place(model: EncoderModel, config: ExportConfig, notes: list[str]) -> Place:
    """Return where the front end will be; ``notes`` hear why it is not where it usually is.

    Raises
    ------
    UserError
        It is wanted outside, and manifests have no such front end.
    """
    kind = model.front_end_config.kind
    known = not isinstance(model.front_end_config, EmphasisedLogMelFrontEnd)
    if config.front_end == "inside" or (config.front_end == "auto" and not model.is_detector):
        return "inside"
    if known:
        return "outside"
    if config.front_end == "outside":
        raise UserError(
            f"The front end {kind} cannot be outside the file, as manifests do not have it. Set "
            "front_end: inside."
        )
    notes.append(f"the front end {kind} is inside the file, as manifests do not have it")
    return "inside"
