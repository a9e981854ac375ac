"""Answers that browsers keep, and parts of them (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from fastapi import Request, Response

# A prefetched clip must still be there when it is shown; the tag settles doubts later.
_KEEP = "private, max-age=600"
_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)", re.IGNORECASE)


def tag_of(*facts: object) -> str:
    """Return an entity tag for what fully determines an answer."""
    return f'"{hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """Return an answer without a body when the client has this already."""
    given = request.headers.get("If-None-Match")
    if given is None:
        return None
    tags = [part.strip().removeprefix("W/") for part in given.split(",")]
    if given.strip() != "*" and tag not in tags:
        return None
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEEP})


def answer(
    request: Request,
    content: bytes,
    media_type: str,
    tag: str,
    facts: Mapping[str, str],
    *,
    ranges: bool = False,
) -> Response:
    """Return content, or the part of it that the client asked for.

    Several ranges at once, or a range under a tag that no longer holds, are answered with all of
    it, as the standard allows.

    Parameters
    ----------
    content, media_type
        The whole body.
    tag
        Its entity tag.
    facts
        Further headers.
    ranges
        Whether parts are served.
    """
    headers = {**facts, "ETag": tag, "Cache-Control": _KEEP}
    if not ranges:
        return Response(content, media_type=media_type, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    wanted = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range")
    if wanted is None or wanted.groups() == ("", "") or condition not in (None, tag):
        return Response(content, media_type=media_type, headers=headers)
    total = len(content)
    first, last = _bounds(wanted[1], wanted[2], total)
    if first > last:
        # The last position comes before the first: no valid range, which is to be ignored.
        if wanted[1] and wanted[2] and int(wanted[2]) < int(wanted[1]):
            return Response(content, media_type=media_type, headers=headers)
        headers["Content-Range"] = f"bytes */{total}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    return Response(content[first : last + 1], 206, media_type=media_type, headers=headers)


def _bounds(first: str, last: str, total: int) -> tuple[int, int]:
    if not first:
        return max(0, total - int(last)), total - 1
    return int(first), min(int(last) if last else total - 1, total - 1)
