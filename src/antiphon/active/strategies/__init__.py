"""Strategies, one file each; `antiphon.active.registry` finds them by name."""
