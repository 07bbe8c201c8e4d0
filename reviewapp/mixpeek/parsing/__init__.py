"""Parsing Mixpeek's responses into records and errors. Pure."""
