"""Requests about media."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/media", tags=["media"])
