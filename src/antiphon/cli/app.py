"""The command's root: its verbs, and how errors become sentences and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from antiphon._version import __version__
from antiphon.cli import bench, blend, demo, label, labels, leakage, models, projects, results
from antiphon.errors import AntiphonError

INTERRUPTED = 130

app = typer.Typer(
    name="antiphon",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 part of the work failed, 2 a mistake in what was asked, "
    "130 stopped with Ctrl-C (run the same command again to go on).",
)
for group in (projects, labels, label, models, results, leakage, bench, blend, demo):
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"antiphon {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a folder of recordings to a detector a biologist can trust, with the fewest labels.

    A first project, in order: init, embed, next, import, train, detect, report.
    """


def run() -> None:
    """Parse, call, and turn errors into one sentence and an exit code."""
    try:
        code = app(prog_name="antiphon", standalone_mode=False) or 0
        sys.stdout.flush()
    except typer.Exit as stop:
        code = stop.exit_code
    except SystemExit as stop:
        # Typer's way out when the output cannot be written any more.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        code = _reader_gone()
    except AntiphonError as error:
        _say(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = _reader_gone()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}. Check the disk and the permissions.")
        code = 2
    except Exception as error:
        # Typer ships its own copy of Click or depends on it; both have these two methods.
        if not (hasattr(error, "format_message") and hasattr(error, "exit_code")):
            raise
        show = getattr(error, "show", None)
        if show is not None:
            show()
        code = int(error.exit_code)
    if code == INTERRUPTED:
        _say("Stopped. What was finished is kept; run the same command again to go on.")
    sys.exit(code)


def _reader_gone() -> int:
    """The reader of our output (head, a pager) went away; that is no error of ours."""
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    return 0


def _say(message: str) -> None:
    typer.echo(f"antiphon: {message}", err=True)
