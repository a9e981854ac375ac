"""The person behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from antiphon.app.context import AppContext


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the app.

    Parameters
    ----------
    name
        As it stands beside their labels.
    role
        ``annotator`` may label; ``manager`` may do everything.
    token
        What their requests that change something must carry in ``X-Antiphon-Token``.
    """

    name: str
    role: str
    token: str

    @property
    def is_manager(self) -> bool:
        """Whether they may train, settle disagreements and change settings."""
        return self.role == "manager"


def context_of(request: Request) -> AppContext:
    """Return the running app's context."""
    context: AppContext = request.app.state.context
    return context


def person_of(request: Request) -> Person:
    """Return who asks.

    Raises
    ------
    HTTPException
        401 if nobody is logged in.
    """
    # Put there by antiphon.app.security.guard, which every request passes.
    person: Person | None = getattr(request.state, "person", None)
    if person is None:
        raise HTTPException(401, "Log in first.")
    return person


def manager_of(person: Annotated[Person, Depends(person_of)]) -> Person:
    """Return who asks, a manager.

    Raises
    ------
    HTTPException
        403 if they are not.
    """
    if not person.is_manager:
        raise HTTPException(403, "Only a manager may do this.")
    return person


Context = Annotated[AppContext, Depends(context_of)]
Someone = Annotated[Person, Depends(person_of)]
Manager = Annotated[Person, Depends(manager_of)]
