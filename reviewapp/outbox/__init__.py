"""Promises to Mixpeek: enqueue, claim, settle."""
