"""Antiphon: from raw field recordings to a detector a biologist can trust.

The whole of a project is behind one class::

    from antiphon import Project
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon._version import __version__

if TYPE_CHECKING:
    from antiphon.api import Project

__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    """Import :class:`Project` on first use, so that ``import antiphon`` stays quick."""
    if name == "Project":
        from antiphon.api import Project

        return Project
    raise AttributeError(f"module 'antiphon' has no attribute {name!r}")
