"""What a reverse proxy tells of a request, believed only where the proxy is trusted."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from antiphon.app.settings import Settings

_TOLD = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
# NiceGUI would put it before every address; --root-path says it instead.
_NEVER = ("x-forwarded-prefix",)


def came_by_proxy(scope: Scope) -> bool:
    """Return whether a request carries the mark of a proxy, whoever wrote it."""
    headers = Headers(scope=scope)
    return any(name in headers for name in _TOLD)


def arrive(scope: Scope, settings: Settings) -> Scope:
    """Return a request's scope with address, scheme, host and path as the browser sees them.

    ``X-Forwarded-For``, ``-Proto`` and ``-Host`` count when the connection comes from this machine
    or a trusted proxy; from others they are taken away.
    """
    scope = dict(scope)
    headers = MutableHeaders(raw=list(scope["headers"]))
    scope["headers"] = headers.raw
    client = scope.get("client")
    trusted = client is not None and _is_trusted(str(client[0]), settings.trusted_proxies)
    if trusted:
        _believe(scope, headers, settings.trusted_proxies)
    for name in (*_TOLD, *_NEVER):
        del headers[name]
    _mount(scope, settings.root_path)
    return scope


def _believe(scope: Scope, headers: MutableHeaders, proxies: Sequence[str]) -> None:
    secure = scope["scheme"] in ("https", "wss")
    told = _last(headers.get("x-forwarded-proto")).lower()
    if told in ("http", "https", "ws", "wss"):
        secure = told in ("https", "wss")
    plain, safe = ("ws", "wss") if scope["type"] == "websocket" else ("http", "https")
    scope["scheme"] = safe if secure else plain
    host = _last(headers.get("x-forwarded-host"))
    if host:
        headers["host"] = host
    # Each proxy adds the address it saw at the end; the first one from the right that is no
    # proxy of ours is the browser's. What stands before it may be invented.
    seen = [a.strip() for a in ",".join(headers.getlist("x-forwarded-for")).split(",")]
    for address in reversed([a for a in seen if a]):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return
        scope["client"] = (address, 0)
        if not _is_trusted(address, proxies):
            return


def _last(value: str | None) -> str:
    """Return what the nearest proxy said."""
    return (value or "").rpartition(",")[2].strip()


def _is_trusted(address: str, proxies: Sequence[str]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_loopback or any(
        parsed in ipaddress.ip_network(proxy, strict=False) for proxy in proxies
    )


def _mount(scope: Scope, root: str) -> None:
    """Set the path under which the app is served, whether the proxy has cut it off or not."""
    scope["root_path"] = root
    path = str(scope["path"])
    if root and path != root and not path.startswith(f"{root}/"):
        scope["path"] = root + path
        raw = scope.get("raw_path")
        if raw is not None:
            scope["raw_path"] = root.encode() + raw
    if root and scope["path"] == root:
        scope["path"] = f"{root}/"
