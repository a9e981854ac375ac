"""A small labelled project, the app over it, and a browser."""

from __future__ import annotations

import pytest

pytest.importorskip("nicegui", reason="needs the extra app (pip install 'antiphon[app]')")
