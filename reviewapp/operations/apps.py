"""The app's registration: system checks, rights of the database user, metric signals."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class OperationsConfig(AppConfig):
    name = "reviewapp.operations"
    label = "operations"

    def ready(self) -> None:
        """Register the system checks, and connect the signals of migrate, outbox and sync."""
        from reviewapp.operations import app_user, checks
        from reviewapp.operations.metrics import registry, worker
        from reviewapp.outbox.signals import change_progressed
        from reviewapp.sync.signals import upstream_call_finished, worker_started

        register(checks.check_token, Tags.security)
        register(checks.check_hosts, Tags.security, deploy=True)
        register(checks.check_media, Tags.security)
        post_migrate.connect(app_user.grant_rights)
        change_progressed.connect(registry.count_change)
        upstream_call_finished.connect(registry.count_call)
        worker_started.connect(worker.serve_metrics)
