"""NiceGUI's own websocket: only for the app's pages, and only while somebody is logged in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.running import open_served
from tests.app.security.people import PASSWORDS, add_people

_PATH = "/_nicegui_ws/socket.io/?EIO=4&transport="
Serving = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def url(project: Path) -> Iterator[str]:
    add_people(project)
    with open_served(project) as address:
        yield address


def _open(url: str, **headers: str) -> Any:
    from websockets.sync.client import connect

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    origin = named.pop("Origin", None)
    return connect(
        f"{url.replace('http', 'ws')}{_PATH}websocket",
        origin=origin,  # type: ignore[arg-type]
        additional_headers=named,
        open_timeout=20,
    )


def _status(url: str, **headers: str) -> int:
    """Return the status of the handshake."""
    from websockets.exceptions import InvalidStatus

    try:
        with _open(url, **headers):
            return 101
    except InvalidStatus as refused:
        return int(refused.response.status_code)


def _log_in(url: str) -> httpx.Client:
    client = httpx.Client(base_url=url)
    answer = client.post("/api/login", json={"name": "ben", "password": PASSWORDS["ben"]})
    client.headers["X-Antiphon-Token"] = answer.json()["token"]
    return client


def _cookie(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _talk(socket: Any, times: int) -> None:
    for _ in range(times):
        socket.send('42["ack",{"client_id":"nobody","next_message_id":0}]')
        time.sleep(0.5)


def test_who_may_open_it_and_for_how_long(url: str) -> None:
    from websockets.exceptions import ConnectionClosed

    assert _status(url, Origin=url) == 403
    with closing(_log_in(url)) as client:
        cookie = _cookie(client)
        assert _status(url, Origin=url, Cookie=cookie) == 101
        assert _status(url, Cookie=cookie) == 403
        assert _status(url, Origin="http://evil.example", Cookie=cookie) == 403
        assert _status(url, Origin=url, Cookie=cookie, Host="evil.example") == 403
        assert _status(url, Origin=url, Cookie=cookie.replace("=", "=x")) == 403
        polling = f"{_PATH}polling"
        assert client.post(polling, content=b"", headers={"Origin": "null"}).status_code == 403
        assert client.post(polling, content=b"").status_code == 403
        assert httpx.get(url + polling).status_code == 401
        with _open(url, Origin=url, Cookie=cookie) as socket:
            socket.send("40")
            assert socket.recv(timeout=20)
            client.post("/api/logout")
            assert _status(url, Origin=url, Cookie=cookie) == 403
            # The session is looked at again after a few seconds.
            with pytest.raises(ConnectionClosed):
                _talk(socket, 40)


def test_without_accounts_other_sites_stay_out(serving: Serving, project: Path) -> None:
    with serving(project) as address:
        assert _status(address, Origin=address) == 101
        assert _status(address, Origin="http://evil.example") == 403
        assert _status(address, Origin="null") == 403
