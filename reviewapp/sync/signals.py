"""The signals of sync, for observers such as the metrics."""

from __future__ import annotations

from django.dispatch import Signal

# A request to Mixpeek ended: `method`, `status` (None without a reply), `seconds`.
upstream_call_finished = Signal()
# A worker process starts.
worker_started = Signal()
