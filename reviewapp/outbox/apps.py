"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig

from reviewapp.postgres.statement import register_frequent_read


class OutboxConfig(AppConfig):
    name = "reviewapp.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Register what every page reads."""
        from reviewapp.outbox.status.health import delivery_health

        register_frequent_read(delivery_health)
