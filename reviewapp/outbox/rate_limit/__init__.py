"""The request budget that all workers share."""
