"""How the labelled windows came to be labelled: by which strategy, or from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from antiphon.pipeline.search import Hit
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder

_EVENT = "queue"
_RANDOM = "random"


def remember_queue(folder: ProjectFolder, strategy: str, hits: Iterable[Hit]) -> None:
    """Keep which windows a strategy chose."""
    spans = [[hit.recording_id, hit.channel, round(hit.start_s, 6)] for hit in hits]
    folder.catalogue.add_event(_EVENT, {"strategy": strategy, "windows": spans})


def how_chosen(folder: ProjectFolder, windows: WindowSet) -> str:
    """Return in one or two sentences how far labelled windows are from a random sample.

    Empty when all of them were chosen at random. A share of positives, and a precision, measured
    on windows that a strategy sought out are not those of the archive (Sawade et al. 2010).
    """
    chosen: dict[tuple[int, int, float], str] = {}
    for event in folder.catalogue.events(_EVENT):
        for recording, channel, start in event.data["windows"]:
            chosen[int(recording), int(channel), float(start)] = str(event.data["strategy"])
    counts: Counter[str | None] = Counter(
        chosen.get((int(r), int(c), round(float(s), 6)))
        for r, c, s in zip(windows.recording_id, windows.channel, windows.start_s, strict=True)
    )
    elsewhere, by_chance = counts.pop(None, 0), counts.pop(_RANDOM, 0)
    sought = sum(counts.values())
    if not sought and not elsewhere:
        return ""
    parts = []
    if sought:
        names = ", ".join(sorted(str(name) for name in counts))
        parts.append(f"{sought:,} were sought out by a strategy ({names})")
    if by_chance:
        parts.append(f"{by_chance:,} were drawn at random")
    if elsewhere:
        parts.append(f"{elsewhere:,} came from elsewhere")
    return (
        f"Of {len(windows):,} labelled windows, {', '.join(parts)}: they are no random sample, so "
        "precision and recall in the whole archive may differ; to measure those, label some from "
        "antiphon next --strategy random"
    )
