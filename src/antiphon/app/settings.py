"""How the app is run: address, accounts, limits."""

from __future__ import annotations

import getpass
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import UserError

_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_LONGEST_NAME = 64


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
    trusted_proxies
        Addresses or networks whose ``X-Forwarded-*`` headers are believed, besides this machine's.
    max_upload_bytes
        Largest body of a request.
    benchmarks
        Folders of benchmark runs, or folders that hold some, besides the project's own.

    Raises
    ------
    UserError
        If a path, a name or an address cannot be used.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    root_path: str = ""
    annotator: str = ""
    accounts: bool = False
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_upload_bytes: int = 64 * 2**20
    benchmarks: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not _ROOT_PATH.fullmatch(self.root_path):
            raise UserError(
                f"--root-path {self.root_path!r} is not a path such as /antiphon (letters, digits, "
                "'.', '_', '-' and '~'; no slash at the end)."
            )
        if self.annotator and (
            self.annotator != self.annotator.strip()
            or not self.annotator.isprintable()
            or len(self.annotator) > _LONGEST_NAME
        ):
            raise UserError(
                f"--as {self.annotator!r} cannot stand beside labels: give up to {_LONGEST_NAME} "
                "characters that can be printed."
            )
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise UserError(
                    f"--trusted-proxy {proxy!r} is not an address or network such as 10.0.0.0/8."
                ) from None

    @property
    def person(self) -> str:
        """Who labels without a login: the given name or that of the system's account."""
        if self.annotator:
            return self.annotator
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            # Containers run under numbers that no account has.
            return "local"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
