"""Pairs that show solved examples of their task before they ask."""

from __future__ import annotations

from antiphon.language.schema import CorpusRow
from antiphon.language.tasks.config import InContextConfig
from antiphon.language.tasks.draws import Draws
from antiphon.language.tasks.pair import Pair

_KEPT = 64


def with_examples(
    pairs: list[tuple[Pair, CorpusRow]], config: InContextConfig, draws: Draws
) -> list[tuple[Pair, CorpusRow]]:
    """Give a share of the pairs examples: earlier pairs of the same task.

    An example is of the same part of a divided corpus, and never has a sound of the query, nor of
    another example. A pair for which there are
    fewer than ``least`` examples stays as it is.

    Parameters
    ----------
    pairs
        Pairs with their rows.
    config
        How many.
    draws
        Where the choice comes from.
    """
    earlier: dict[tuple[str, str | None], list[Pair]] = {}
    out = []
    for pair, row in pairs:
        held = earlier.setdefault((pair.task, pair.split), [])
        chosen: list[Pair] = []
        if draws.unit() < config.share:
            n = draws.between(config.least, config.most)
            chosen = _choose(pair, held, n, draws)
        out.append((in_context(pair, chosen) if len(chosen) >= config.least else pair, row))
        if len(held) < _KEPT:
            held.append(pair)
        else:
            held[draws.below(_KEPT)] = pair
    return out


def in_context(query: Pair, examples: list[Pair]) -> Pair:
    """Put solved examples before a question; without examples it stays as it is."""
    if not examples:
        return query
    parts = [f"{example.prompt}\nAnswer: {example.answer}" for example in examples]
    prompt = "\n\n".join([*parts, f"{query.prompt}\nAnswer:"])
    audio = tuple(ref for pair in (*examples, query) for ref in pair.audio)
    return query._replace(
        id=f"{query.id}#{len(examples)}", prompt=prompt, audio=audio, examples=len(examples)
    )


def _choose(query: Pair, held: list[Pair], n: int, draws: Draws) -> list[Pair]:
    used = {_sound(ref.row_id, ref.path) for ref in query.audio}
    chosen: list[Pair] = []
    for pair in draws.shuffled(held):
        sounds = {_sound(ref.row_id, ref.path) for ref in pair.audio}
        if len(chosen) < n and used.isdisjoint(sounds):
            chosen.append(pair)
            used |= sounds
    return chosen


def _sound(row_id: str, path: str | None) -> str:
    return path or row_id
