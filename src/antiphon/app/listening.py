"""The socket the app listens at, its address in a browser, and how it stops."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import webbrowser

from antiphon.app.settings import Settings
from antiphon.errors import UserError

# A request that is still running so long after Ctrl-C is cut off.
LAST_CALL_S = 2.0
# Work in a thread cannot be cut off. What counts is committed, so the process may end under it.
_LATEST_S = 8.0


def open_socket(settings: Settings) -> socket.socket:
    """Return a socket bound to the settings' host and port.

    Raises
    ------
    UserError
        If the port is taken or may not be used, or the host is no address of this machine.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise UserError(f"--host {host}: this machine does not know that address.") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":
            # On Windows this would let two programs listen at one port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} is taken, perhaps by another 'antiphon label'. Choose another with "
                "--port, or --port 0 for a free one."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise UserError(
                f"You may not listen at port {port}. Choose one above 1023 with --port."
            ) from error
        raise UserError(
            f"--host {host}: cannot listen there ({error.strerror or error})."
        ) from error
    return listener


def browser_address(settings: Settings, listener: socket.socket) -> str:
    """Return what to type into a browser on this machine."""
    name, port = str(listener.getsockname()[0]), int(listener.getsockname()[1])
    if name in ("0.0.0.0", "::"):
        name = "localhost"
    elif ":" in name:
        name = f"[{name}]"
    return f"http://{name}:{port}{settings.root_path}/"


def open_browser(address: str) -> None:
    """Show an address in the browser, where there is a screen; never waits for it."""
    if (
        sys.platform.startswith("linux")
        and not os.environ.get("DISPLAY")
        and not os.environ.get("WAYLAND_DISPLAY")
    ):
        return
    threading.Thread(target=_show, args=(address,), daemon=True).start()


def _show(address: str) -> None:
    try:
        webbrowser.open(address)
    except (webbrowser.Error, OSError):
        # The address stands on the screen; a browser that does not start is no fault of the app.
        return


def end_soon() -> None:
    """End this process in a few seconds, whatever its threads still do."""
    timer = threading.Timer(_LATEST_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
