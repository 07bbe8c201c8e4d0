"""The app's registration with Django: its checks, and its ear on what deliveries and calls have to tell."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class OperationsConfig(AppConfig):
    name = "reviewapp.operations"
    label = "operations"

    def ready(self) -> None:
        """Say what is set up wrong, and count what outbox and sync tell of."""
        from reviewapp.operations import checks, meters, worker
        from reviewapp.outbox.signals import moved
        from reviewapp.sync.signals import answered, working

        register(checks.check_token, Tags.security)
        register(checks.check_hosts, Tags.security, deploy=True)
        moved.connect(meters.count_change)
        answered.connect(meters.count_call)
        working.connect(worker.serve_metrics)
