"""Webhooks and the change feed: hints about what changed at Mixpeek."""
