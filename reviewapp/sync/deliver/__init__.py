"""Delivering changes to Mixpeek, one by one or in bulk."""
