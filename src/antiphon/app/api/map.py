"""Requests about map."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/map", tags=["map"])
