"""How labelled windows came to be labelled: drawn with known chances, sought out, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from antiphon.pipeline.search import Hit
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder

_EVENT = "queue"
RANDOM = "random"
"""The strategy that draws windows with equal chances."""


def remember_queue(
    folder: ProjectFolder,
    strategy: str,
    hits: Iterable[Hit],
    chances: Sequence[float] | None = None,
) -> None:
    """Keep which windows a strategy chose, and with what chance where they were drawn.

    Parameters
    ----------
    chances
        Probability with which each window came into the queue; None where they were sought out.
    """
    spans = [[hit.recording_id, hit.channel, round(hit.start_s, 6)] for hit in hits]
    data: dict[str, object] = {"strategy": strategy, "windows": spans}
    if chances is not None:
        data["chances"] = [float(chance) for chance in chances]
    folder.catalogue.add_event(_EVENT, data)


def how_chosen(folder: ProjectFolder, windows: WindowSet) -> str:
    """Return in one or two sentences how far labelled windows are from a random sample.

    Empty when all of them were drawn with equal chances. A share of positives, and a precision,
    measured on windows that a strategy sought out are not those of the archive (Sawade et al.
    2010). Windows that were drawn with known, unequal chances have to be weighted by them.
    """
    chosen: dict[tuple[int, int, float], tuple[str, bool]] = {}
    for event in folder.catalogue.events(_EVENT):
        strategy, drawn = str(event.data["strategy"]), "chances" in event.data
        for recording, channel, start in event.data["windows"]:
            chosen[int(recording), int(channel), float(start)] = (strategy, drawn)
    counts: Counter[tuple[str, bool] | None] = Counter(
        chosen.get((int(r), int(c), round(float(s), 6)))
        for r, c, s in zip(windows.recording_id, windows.channel, windows.start_s, strict=True)
    )
    elsewhere = counts.pop(None, 0)
    # Before chances were kept, "random" alone said it.
    by_chance = counts.pop((RANDOM, False), 0) + counts.pop((RANDOM, True), 0)
    weighted = sum(n for how, n in counts.items() if how is not None and how[1])
    sought = {how[0]: n for how, n in counts.items() if how is not None and not how[1]}
    if not sought and not elsewhere and not weighted:
        return ""
    parts = []
    if sought:
        names = ", ".join(sorted(sought))
        parts.append(f"{sum(sought.values()):,} were sought out by a strategy ({names})")
    if weighted:
        parts.append(f"{weighted:,} were drawn with known, unequal chances")
    if by_chance:
        parts.append(f"{by_chance:,} were drawn at random")
    if elsewhere:
        parts.append(f"{elsewhere:,} came from elsewhere")
    if not sought and not elsewhere:
        end = (
            "in an estimate for the whole archive each has to be weighted by its chance, which "
            "these numbers are not"
        )
    else:
        end = (
            "they are no random sample, so precision and recall in the whole archive may differ; "
            "to measure those, label some from antiphon next --strategy random"
        )
    return f"Of {len(windows):,} labelled windows, {', '.join(parts)}: {end}"
