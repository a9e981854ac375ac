"""Requests about agreement."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/agreement", tags=["agreement"])
