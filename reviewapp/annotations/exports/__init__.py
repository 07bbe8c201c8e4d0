"""Exports: decisions, current labels or history of a filter, as a file with a manifest."""
