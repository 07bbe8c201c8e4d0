"""The engine `reviewapp.postgres`: Django's for PostgreSQL, with a bundled server.

An entry of DATABASES with neither NAME nor HOST uses the bundled PostgreSQL, whose data is in the
entry's EMBEDDED_DIR. The server is started or joined at the first connection, so commands that need
no database start none. EMBEDDED_DURABLE=False gives up safety for speed, for tests only.

Unlike Django's engine, this one checks an idle connection without a round trip.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

from reviewapp.postgres.client import DatabaseClient
from reviewapp.postgres.connection_health import is_quiet
from reviewapp.postgres.creation import DatabaseCreation

OLDEST = (14,)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the bundled PostgreSQL or to a configured server."""

    client_class = DatabaseClient
    creation_class = DatabaseCreation

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        if settings_dict["NAME"] == "" and not settings_dict["HOST"]:
            settings_dict.update(NAME="reviewapp", EMBEDDED=True)
        super().__init__(settings_dict, alias)

    def get_connection_params(self) -> dict[str, Any]:
        """Return psycopg's connection parameters; start the bundled server first if it is used."""
        self.ensure_server()
        params: dict[str, Any] = super().get_connection_params()
        return params

    def is_usable(self) -> bool:
        """Return whether the connection is alive, without a round trip if it is idle.

        After an error it is replaced: it may have prepared a statement before a migration.
        """
        if self.connection is None or self.errors_occurred:
            return False
        return is_quiet(self.connection) or super().is_usable()

    def ensure_server(self) -> None:
        """Start or join the bundled server if it is configured, and set its address."""
        if not self.settings_dict.get("EMBEDDED"):
            return
        from reviewapp.postgres import cluster, server

        durable = self.settings_dict.get("EMBEDDED_DURABLE", True)
        address = server.join(self.settings_dict["EMBEDDED_DIR"], durable=durable)
        self.settings_dict.update(HOST=address.socket_dir, PORT=cluster.PORT, USER=cluster.NAME)

    def check_database_version_supported(self) -> None:
        """Raise `ImproperlyConfigured`, which names the setting, if the server is too old."""
        version = self.get_database_version()
        if version < OLDEST:
            version_text = ".".join(map(str, version))
            raise ImproperlyConfigured(
                f"DATABASE_URL points at PostgreSQL {version_text}; "
                f"reviewapp needs PostgreSQL {OLDEST[0]} or later."
            )
