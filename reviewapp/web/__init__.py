"""Shared by the views of every app."""
