"""Deciding on an annotation: the form, conflicts, the service, undo and skip."""
