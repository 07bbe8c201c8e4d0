"""Checks of a finished drill. Pure."""
