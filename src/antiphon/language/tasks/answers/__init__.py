"""How each task's answer is worked out: ``Task.answer`` names one of :data:`ANSWERS`."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.language.tasks.answers import (
    animal,
    captions,
    events,
    general,
    presence,
    signal,
    species,
)
from antiphon.language.tasks.answers.base import Answer, Ask, Refused

ANSWERS: dict[str, Callable[[Ask], Answer | Refused]] = {
    function.__name__: function
    for function in (
        species.species,
        species.all_species,
        species.rank,
        presence.presence,
        presence.detection,
        events.event_times,
        events.diarisation,
        events.event_count,
        animal.call_or_song,
        animal.call_type,
        animal.call_type_list,
        animal.life_stage,
        animal.sex,
        animal.same_individual,
        animal.caller_count,
        animal.behaviour,
        captions.caption,
        captions.caption_scene,
        captions.place,
        captions.time_of_day,
        signal.pitch,
        signal.duration,
        signal.pulse_rate,
        signal.signal_caption,
        general.human_caption,
        general.tags,
        general.described,
        general.transcript,
    )
}
"""From the name in the catalogue to the function."""
