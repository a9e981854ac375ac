"""How errors become answers: one sentence under ``error``, and a fitting status."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

from antiphon.app.security.entry import TooManyAttemptsError
from antiphon.app.security.headers import harden
from antiphon.errors import AntiphonError, MissingExtraError, StoreError, UserError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)


def answer_faults(app: FastAPI) -> None:
    """Answer errors with a sentence: those raised on purpose with their own."""

    async def fault(_request: Request, error: Exception) -> JSONResponse:
        headers = (
            {"Retry-After": str(error.wait_s)} if isinstance(error, TooManyAttemptsError) else None
        )
        return JSONResponse({"error": str(error)}, status_code=_status(error), headers=headers)

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return JSONResponse(
            {"error": str(error.detail)}, status_code=error.status_code, headers=error.headers
        )

    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return JSONResponse({"error": _sentence(error)}, status_code=422)

    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
        answer = JSONResponse(
            {"error": "The server met an error it did not expect; its terminal says which."},
            status_code=500,
        )
        # This answer is made outside the guard that gives all others their headers.
        harden(MutableHeaders(raw=answer.raw_headers), "", secure=request.url.scheme == "https")
        return answer

    app.add_exception_handler(AntiphonError, fault)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)


def _status(error: Exception) -> int:
    if isinstance(error, TooManyAttemptsError):
        return 429
    if isinstance(error, MissingExtraError):
        return 501
    if isinstance(error, StoreError):
        return 503
    return 400 if isinstance(error, UserError) else 500


def _sentence(error: RequestValidationError) -> str:
    """Say what was wrong with a request without repeating what it held."""
    parts = []
    for fault in error.errors()[:5]:
        where = ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0])
        parts.append(f"{where}: {fault['msg']}")
    return f"This request cannot be used ({'; '.join(parts)})."
