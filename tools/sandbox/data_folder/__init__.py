"""Importing a data folder into the sandbox."""
