"""Sentences without the server's paths."""

from __future__ import annotations

import pytest

from antiphon.app.services.wording import without_paths


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/home/mia/sets/HSN: broken", "HSN: broken"),
        ("cannot open '/home/mia/my sets/x.npy'", "cannot open 'x.npy'"),
        ("see /srv/a/b.json, and ~/c/d.npz.", "see b.json, and d.npz."),
        (r"C:\Users\mia\x.wav is gone", "x.wav is gone"),
        ("x.wav in /data/", "x.wav in data"),
        ("get it at https://example.org/a/b", "get it at https://example.org/a/b"),
        ("and/or 3 km/h, 1 / 2, runs/first/x.json", "and/or 3 km/h, 1 / 2, runs/first/x.json"),
    ],
)
def test_paths_are_names(said: str, shown: str) -> None:
    assert without_paths(said) == shown


def test_known_paths_may_hold_spaces() -> None:
    said = "/my data/HSN set: /my data/HSN set/x is gone"
    assert without_paths(said, ["/my data/HSN set"]) == "HSN set: HSN set/x is gone"
