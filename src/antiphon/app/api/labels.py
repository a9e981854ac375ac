"""Requests about labels."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/labels", tags=["labels"])
