"""The engine `reviewapp.postgres`: Django's PostgreSQL, started from a wheel when no server is configured.

An entry of DATABASES with neither NAME nor HOST is served by the bundled PostgreSQL, whose data lives in the
entry's EMBEDDED_DIR. It is started or joined when the first connection is asked for, not earlier, so commands
that need no database start none. EMBEDDED_DURABLE=False gives up safety for speed, for tests only.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

from reviewapp.postgres.client import DatabaseClient
from reviewapp.postgres.creation import DatabaseCreation

OLDEST = (14,)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL, ours or theirs."""

    client_class = DatabaseClient
    creation_class = DatabaseCreation

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        if settings_dict["NAME"] == "" and not settings_dict["HOST"]:
            settings_dict.update(NAME="reviewapp", EMBEDDED=True)
        super().__init__(settings_dict, alias)

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg connects with, once the bundled server (if it is the one) is up."""
        self.ensure_server()
        return super().get_connection_params()

    def ensure_server(self) -> None:
        """Start or join the bundled server when it is the configured one, and note its address."""
        if not self.settings_dict.get("EMBEDDED"):
            return
        from reviewapp.postgres import cluster, server

        durable = self.settings_dict.get("EMBEDDED_DURABLE", True)
        address = server.join(self.settings_dict["EMBEDDED_DIR"], durable=durable)
        self.settings_dict.update(HOST=address.socket_dir, PORT=cluster.PORT, USER=cluster.NAME)

    def check_database_version_supported(self) -> None:
        """Refuse a server that is too old, in a sentence that names the setting."""
        found = self.get_database_version()
        if found < OLDEST:
            raise ImproperlyConfigured(
                f"DATABASE_URL points at PostgreSQL {'.'.join(map(str, found))}; "
                f"reviewapp needs PostgreSQL {OLDEST[0]} or later."
            )
