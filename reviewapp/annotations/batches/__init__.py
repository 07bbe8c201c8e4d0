"""Decide many items at once: a preview, a batch with the values, a result for each item."""
