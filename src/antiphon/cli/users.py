"""Verbs around people who may log in to the web app: users add, list, password, role, disable."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.options import AsJson, ProjectPath
from antiphon.errors import UserError

if TYPE_CHECKING:
    from antiphon.store.accounts import Accounts

users = typer.Typer(no_args_is_help=True, help="People who may log in to the web app.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who.", show_default=False)]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, one line."),
]


class Role(StrEnum):
    """What somebody may do."""

    annotator = "annotator"
    manager = "manager"


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(users, name="users")


@users.command()
def add(
    project: ProjectPath,
    name: Name,
    role: Annotated[
        Role | None,
        typer.Option(
            "--role",
            help="annotator labels; manager also trains, settles and looks after accounts. The "
            "first account is a manager, others are annotators.",
        ),
    ] = None,
    password_stdin: FromStdin = False,
) -> None:
    """Make an account; asks for the password twice."""
    from antiphon.app.security.passwords import hash_password
    from antiphon.cli.show import say

    accounts = _accounts(project)
    chosen = role or (Role.annotator if accounts.count() else Role.manager)
    digest = hash_password(_password(password_stdin), name)
    made = accounts.add_user(name, digest, chosen.value)
    say(f"{made.name} can log in as {made.role}. An app that is running: start it again.")


@users.command("list")
def list_users(project: ProjectPath, json: AsJson = False) -> None:
    """List the accounts."""
    from antiphon.cli.show import as_json, table, warn

    rows = _accounts(project).users()
    if json:
        keys = ("name", "role", "disabled", "created_at")
        as_json([{key: getattr(row, key) for key in keys} for row in rows])
        return
    if not rows:
        warn(f"Nobody has an account. Make one: antiphon users add {project} NAME")
    table(
        ["name", "role", "state", "since"],
        [
            [r.name, r.role, "disabled" if r.disabled else "active", f"{r.created_at:%Y-%m-%d}"]
            for r in rows
        ],
    )


@users.command()
def password(project: ProjectPath, name: Name, password_stdin: FromStdin = False) -> None:
    """Change a password; ends all sessions of that person."""
    from antiphon.app.security.passwords import hash_password
    from antiphon.cli.show import say

    accounts = _accounts(project)
    if accounts.user(name) is None:
        raise UserError(f"There is no account {name!r}.")
    accounts.set_password_hash(name, hash_password(_password(password_stdin), name))
    say(f"{name} has a new password and is logged out everywhere.")


@users.command()
def role(
    project: ProjectPath,
    name: Name,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="annotator or manager.")],
) -> None:
    """Change what somebody may do; holds at once."""
    from antiphon.cli.show import say

    changed = _accounts(project).set_role(name, role.value)
    say(f"{changed.name} is {changed.role}.")


@users.command()
def disable(
    project: ProjectPath,
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
) -> None:
    """Shut somebody out at once; their labels stay."""
    from antiphon.cli.show import say

    changed = _accounts(project).set_disabled(name, not undo)
    say(f"{changed.name} {'can log in again' if undo else 'is shut out and logged out'}.")


def _accounts(project: Path) -> Accounts:
    from antiphon.store.accounts import Accounts
    from antiphon.store.project import ProjectFolder

    return Accounts(ProjectFolder.open(project).catalogue.database)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        line = sys.stdin.readline()
        return line.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UserError("There is no terminal to ask for a password; give --password-stdin.")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return asked
