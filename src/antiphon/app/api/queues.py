"""Requests about queues."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/queues", tags=["queues"])
