"""What a run of the benchmark may set."""

from __future__ import annotations

from pydantic import Field

from antiphon.encoders.checking import Strict
from antiphon.language.benchmark.labels import MAX_EDITS

CAPTION_MEASURES = ("cider_d", "rouge_l", "bertscore_f1", "spice")


class Settings(Strict):
    """How answers are read and judged.

    Parameters
    ----------
    components
        Names; all that the references have when empty.
    max_edits
        Edits up to which a misspelt name is a label; see :class:`~.labels.LabelSet`.
    group_by
        Field of the references (or of their metadata) that says what is independent of each
        other; by itself a field for groups, the recording or the file name.
    resamples, level
        Of the intervals.
    seed
        Of everything random.
    captions
        Which of :data:`CAPTION_MEASURES`; those that need what is not installed say so.
    examples
        Rejected answers that the report shows of each component.
    """

    components: tuple[str, ...] = ()
    max_edits: int = Field(default=MAX_EDITS, ge=0, le=10)
    group_by: str | None = None
    resamples: int = Field(default=1000, ge=1)
    level: float = Field(default=0.95, gt=0.0, lt=1.0)
    seed: int = Field(default=0, ge=0)
    captions: tuple[str, ...] = CAPTION_MEASURES
    examples: int = Field(default=5, ge=0)
