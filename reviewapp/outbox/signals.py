"""What the outbox tells whoever listens, such as the meters."""

from __future__ import annotations

from django.dispatch import Signal

# A change moved, and that is committed: `outcome` is its new state or "postponed", `ref` is what it is about.
moved = Signal()
