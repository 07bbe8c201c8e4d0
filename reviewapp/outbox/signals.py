"""The outbox's signals, for observers such as the metrics."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after the commit: `outcome` is the change's new state or "postponed", `ref` is its ref.
change_progressed = Signal()
