"""Who may settle a disagreement."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.app.context import AppContext
from antiphon.app.security.identity import Person
from antiphon.app.services.agreeing import agreeing_of
from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import standing
from antiphon.pipeline.annotate.said import Span


def may_settle(context: AppContext, person: Person, spans: Sequence[Span]) -> set[Span]:
    """Return the windows that a person may settle.

    Managers settle all; others those that somebody else has answered in the app. Between imported
    tables alone a manager decides: nobody who could object has looked at the window here.
    """
    if person.is_manager:
        return set(spans)
    stands = standing(context.folder, spans)
    return {
        span
        for span, answers in stands.items()
        if any(one.annotator != person.name for one in answers)
    }


def check_settler(context: AppContext, person: Person, span: Span) -> None:
    """Refuse a settlement that is not the person's to make.

    Raises
    ------
    UserError
        If they may not settle the window; it says who may.
    """
    if span in may_settle(context, person, [span]):
        return
    disputed = agreeing_of(context).disputed(context.folder, context.windows())
    if any(one.span == span for one in disputed):
        raise UserError(
            "Only imported tables differ on this window, so a manager settles it; so may you once "
            "somebody else has answered it in the app."
        )
    raise UserError("There is nothing to settle: nobody else has answered this window.")
