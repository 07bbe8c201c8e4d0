"""Revert decisions of others: a preview, a batch with a reason, a result for each item."""
