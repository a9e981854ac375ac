"""Requests about recordings."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/recordings", tags=["recordings"])
