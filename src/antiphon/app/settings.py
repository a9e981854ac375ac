"""How the app is run: address, accounts, limits."""

from __future__ import annotations

import getpass
import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one running app.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes a free one.
    root_path
        Path under which a reverse proxy serves it, such as ``/antiphon``.
    annotator
        Whose name the labels carry when there is no login.
    accounts
        Whether people log in.
    hosts
        Further names under which browsers reach it, for the check of the Host header.
    max_upload_bytes
        Largest body of a request.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    root_path: str = ""
    annotator: str = ""
    accounts: bool = False
    hosts: tuple[str, ...] = ()
    max_upload_bytes: int = 64 * 2**20

    @property
    def person(self) -> str:
        """Who labels without a login: the given name or that of the system's account."""
        return self.annotator or getpass.getuser()


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
