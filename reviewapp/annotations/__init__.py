"""Annotations, the decisions people make on them, the queue and the review page."""
