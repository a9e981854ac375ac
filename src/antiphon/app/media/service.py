"""All media of one running app: found by id, computed once, kept for a while."""

from __future__ import annotations

import os
from collections.abc import Sequence

from antiphon.app.context import AppContext
from antiphon.app.media.audio import Listen, Sound, make_sound
from antiphon.app.media.cache import ByteCache
from antiphon.app.media.day import LongLook, LongPicture, Part, draw_long
from antiphon.app.media.levels import Levels, make_levels
from antiphon.app.media.overviews import Overviews, Progress
from antiphon.app.media.resolution import Look
from antiphon.app.media.sources import MediaError, Source, find_source
from antiphon.store.project import ProjectFolder

_PICTURE_BYTES = 96 << 20
_SOUND_BYTES = 128 << 20


class Media:
    """Pictures and sounds of a project's recordings.

    Parameters
    ----------
    folder
        The project.
    """

    def __init__(self, folder: ProjectFolder) -> None:
        self._folder = folder
        cores = max(2, os.cpu_count() or 2)
        self._levels: ByteCache[Levels] = ByteCache(
            _PICTURE_BYTES, lambda levels: levels.values.nbytes + 512, at_once=cores
        )
        self._sounds: ByteCache[Sound] = ByteCache(
            _SOUND_BYTES, lambda sound: len(sound.content) + 512, at_once=cores
        )
        self._overviews = Overviews(folder.root / "derived" / "overviews")

    def source(self, recording: int) -> Source:
        """Return a recording's file; see :func:`~antiphon.app.media.sources.find_source`."""
        return find_source(self._folder, recording)

    def levels(
        self, source: Source, channel: int, start_s: float, end_s: float, look: Look
    ) -> Levels:
        """Return the levels of a span."""
        key = (source.content_key, channel, start_s, end_s, look)
        return self._levels.get(key, lambda: make_levels(source, channel, start_s, end_s, look))

    def sound(
        self, source: Source, channel: int, start_s: float, end_s: float, listen: Listen
    ) -> Sound:
        """Return playable audio of a span."""
        key = (source.content_key, channel, start_s, end_s, listen)
        return self._sounds.get(key, lambda: make_sound(source, channel, start_s, end_s, listen))

    def find(self, parts: Sequence[Part]) -> list[Source | MediaError]:
        """Return the recordings of some parts, or why one cannot be read."""
        found: list[Source | MediaError] = []
        for part in parts:
            try:
                found.append(self.source(part.recording))
            except MediaError as error:
                found.append(error)
        return found

    def overviews(self, found: Sequence[Source | MediaError]) -> list[Progress]:
        """Return how far the overview of each is, and make the missing ones."""
        readable = [source for source in found if isinstance(source, Source)]
        known = iter(self._overviews.want(readable))
        return [
            next(known) if isinstance(source, Source) else Progress("failed", 0.0, str(source))
            for source in found
        ]

    def long_picture(
        self, parts: Sequence[tuple[Part, Source]], look: LongLook, contrast: tuple[float, float]
    ) -> LongPicture:
        """Draw what there is of some recordings on one axis of time."""
        made = [(part, self._overviews.get(source)) for part, source in parts]
        return draw_long([(part, it) for part, it in made if it is not None], look, contrast)


def media_of(context: AppContext) -> Media:
    """Return the media of a running app, the same ones every time."""
    return context.service(Media, lambda: Media(context.folder))
