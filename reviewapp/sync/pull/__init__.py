"""Pulling records from Mixpeek into the mirror."""
