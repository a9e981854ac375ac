"""Requests about benchmark."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/benchmark", tags=["benchmark"])
