"""Requests about detections."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/detections", tags=["detections"])
