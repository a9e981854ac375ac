"""Whether a request comes from the app's own pages: Host, Origin and Sec-Fetch-Site."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from antiphon.app.settings import Settings, is_loopback

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SECURE = frozenset({"https", "wss"})


def host_refused(scope: Scope, settings: Settings) -> str | None:
    """Return why the name that the browser used for this app is not one of its names.

    Another site can let its own name point to this machine (DNS rebinding); the browser then takes
    the app for part of that site, but still says the site's name. An address in numbers cannot be
    had that way, so all of them are right where the app listens to other machines.
    """
    hosts = Headers(scope=scope).getlist("host")
    # Two of them would let one be checked and the other be used.
    name = _parts(hosts[0])[0] if len(hosts) == 1 else ""
    if name in (
        "localhost",
        settings.host.lower(),
        *(h.lower().rstrip(".") for h in settings.hosts),
    ):
        return None
    try:
        ipaddress.ip_address(name)
        if is_loopback(name) or not is_loopback(settings.host):
            return None
    except ValueError:
        pass
    shown = name if name.isprintable() and len(name) < 100 else "?"
    return f"This app is not known as {shown!r}. Start it with --host-name, or use its address."


def origin_refused(scope: Scope, *, required: bool = False) -> str | None:
    """Return why a request does not come from a page of this app.

    Parameters
    ----------
    required
        Whether a request that does not say where it comes from is refused as well.
    """
    headers = Headers(scope=scope)
    refusal = "This request comes from another site."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return refusal
    origin = headers.get("origin")
    if origin is None:
        return "This request does not say which page it comes from." if required else None
    try:
        told = urlsplit(origin)
        theirs = (
            told.scheme in _SECURE,
            (told.hostname or "").rstrip("."),
            told.port or _PORTS.get(told.scheme, 0),
        )
    except ValueError:
        return refusal
    name, port = _parts(headers.get("host", ""))
    scheme = str(scope["scheme"])
    ours = (scheme in _SECURE, name, port or _PORTS.get(scheme, 0))
    return None if told.scheme in _PORTS and theirs == ours else refusal


def embedding_refused(scope: Scope) -> str | None:
    """Return why a harmless request is not answered: another site wants to show it as its own."""
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return None
    if headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document":
        return None
    return "This request comes from another site."


def _parts(host: str) -> tuple[str, int | None]:
    """Return name and port of a Host header; an empty name when it makes no sense."""
    if not host or any(c in host for c in "/@\\?# ,"):
        return "", None
    try:
        split = urlsplit(f"//{host}")
        return (split.hostname or "").rstrip("."), split.port
    except ValueError:
        return "", None
