"""Faults of an export that a user meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.errors import UserError

if TYPE_CHECKING:
    from antiphon.training.export.report import ExportReport


class ParityError(UserError):
    """An export that is further from its model than the bounds allow; nothing is kept of it.

    Parameters
    ----------
    message
        What is beyond which bound, and what to do.
    report
        All that was measured.
    """

    def __init__(self, message: str, report: ExportReport) -> None:
        self.report = report
        super().__init__(message)
