"""The command ``antiphon``: one thin file for each group of verbs; parses, calls, prints."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit code."""
    from antiphon.cli.app import run

    run()
