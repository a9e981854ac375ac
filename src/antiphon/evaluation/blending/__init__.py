"""Offline evaluation of ensembles from their score files."""
