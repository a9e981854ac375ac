"""Requests about answers."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/answers", tags=["answers"])
