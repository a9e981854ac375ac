"""What a proxy tells is believed only from where it may come."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from antiphon.app.security.proxy import arrive
from antiphon.app.settings import Settings
from antiphon.errors import UserError


def _arrived(
    settings: Settings | None = None, client: str = "127.0.0.1", path: str = "/", **told: str
) -> tuple[dict[str, Any], Headers]:
    headers = {"host": "127.0.0.1:8321"} | {k.replace("_", "-"): v for k, v in told.items()}
    scope = arrive(
        {
            "type": "http",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "client": (client, 5),
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        },
        settings or Settings(),
    )
    return dict(scope), Headers(scope=scope)


TOLD = {
    "x_forwarded_for": "203.0.113.9",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "birds.example.org",
}


def test_from_this_machine() -> None:
    scope, headers = _arrived(**TOLD)
    assert scope["client"][0] == "203.0.113.9"
    assert scope["scheme"] == "https"
    assert headers["host"] == "birds.example.org"


def test_from_a_stranger() -> None:
    scope, headers = _arrived(client="198.51.100.1", x_forwarded_prefix="/evil", **TOLD)
    assert scope["client"][0] == "198.51.100.1"
    assert scope["scheme"] == "http"
    assert headers["host"] == "127.0.0.1:8321"
    assert not [name for name in headers if name.startswith("x-forwarded")]


def test_from_a_trusted_network() -> None:
    settings = Settings(trusted_proxies=("10.0.0.0/8",))
    scope, _ = _arrived(settings, client="10.1.2.3", **TOLD)
    assert scope["client"][0] == "203.0.113.9"
    # What the browser invented stands before what the proxies saw.
    scope, _ = _arrived(settings, x_forwarded_for="1.1.1.1, 203.0.113.9, 10.1.2.3")
    assert scope["client"][0] == "203.0.113.9"
    scope, _ = _arrived(settings, x_forwarded_for="1.1.1.1, nonsense")
    assert scope["client"][0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/label", "/owls/label"),
        ("/owls/label", "/owls/label"),
        ("/owls", "/owls/"),
        ("/", "/owls/"),
        ("/owlsome", "/owls/owlsome"),
    ],
)
def test_the_root_path_is_put_before_a_path_once(path: str, seen: str) -> None:
    scope, _ = _arrived(Settings(root_path="/owls"), path=path)
    assert scope["path"] == seen
    assert scope["root_path"] == "/owls"


@pytest.mark.parametrize(
    "wrong",
    [
        {"root_path": "owls"},
        {"root_path": "/owls/"},
        {"root_path": '/"><script>'},
        {"trusted_proxies": ("my-proxy",)},
        {"annotator": "a\nb"},
        {"annotator": " ann"},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        Settings(**wrong)
