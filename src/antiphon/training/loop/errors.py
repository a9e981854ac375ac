"""Errors of a run."""

from __future__ import annotations

from antiphon.errors import AntiphonError


class LossError(AntiphonError):
    """The loss or the gradient is no number any more; the last checkpoint is from before."""
