"""Strategies, one file each; :mod:`antiphon.active.base` finds them by name."""
