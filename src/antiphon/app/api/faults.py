"""How errors become answers: one sentence under ``error``, and a fitting status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse

from antiphon.errors import AntiphonError, MissingExtraError, StoreError, UserError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request


def answer_faults(app: FastAPI) -> None:
    """Answer errors that are raised on purpose with their sentence."""

    async def fault(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=_status(error))

    app.add_exception_handler(AntiphonError, fault)


def _status(error: Exception) -> int:
    if isinstance(error, MissingExtraError):
        return 501
    if isinstance(error, StoreError):
        return 503
    return 400 if isinstance(error, UserError) else 500
