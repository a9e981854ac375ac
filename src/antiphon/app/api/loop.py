"""Requests about loop."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/loop", tags=["loop"])
