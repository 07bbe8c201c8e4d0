"""What this process tells whoever listens, such as the meters."""

from __future__ import annotations

from django.dispatch import Signal

# A request to Mixpeek ended: `method`, `status` (None without an answer), `seconds`.
answered = Signal()
# A worker is about to work.
working = Signal()
