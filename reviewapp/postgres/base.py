"""The engine `reviewapp.postgres`: Django's PostgreSQL, started from a wheel when no server is
configured.

An entry of DATABASES with neither NAME nor HOST is served by the bundled PostgreSQL, whose data
lives in the entry's EMBEDDED_DIR. It is started or joined when the first connection is asked for,
not earlier, so commands that need no database start none. EMBEDDED_DURABLE=False gives up safety
for speed, for tests only.

Beyond Django's it has cursors whose statements the server plans once for each connection
(`prepared_cursor`), and it looks whether an idle connection is still there without a round trip.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

from reviewapp.postgres.client import DatabaseClient
from reviewapp.postgres.connection_health import is_quiet
from reviewapp.postgres.creation import DatabaseCreation
from reviewapp.postgres.operations import DatabaseOperations
from reviewapp.postgres.prepared import PreparingCursor

OLDEST = (14,)
# Only what is asked for by name is prepared, however often anything else is said.
_NEVER_BY_ITSELF = 2**31


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL, ours or theirs."""

    client_class = DatabaseClient
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        if settings_dict["NAME"] == "" and not settings_dict["HOST"]:
            settings_dict.update(NAME="reviewapp", EMBEDDED=True)
        super().__init__(settings_dict, alias)

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg connects with, once the bundled server (if it is the one) is up."""
        self.ensure_server()
        params: dict[str, Any] = super().get_connection_params()
        if params["prepare_threshold"] is None:
            params["prepare_threshold"] = _NEVER_BY_ITSELF
        return params

    def prepared_cursor(self) -> CursorWrapper:
        """Return a cursor for statements that are said again and again: parsed and planned once a
        connection.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            # Django's own way from a cursor of the driver to one of its own, which logs and wraps
            # errors.
            prepare: Callable[[PreparingCursor], CursorWrapper] = getattr(self, "_prepare_cursor")  # noqa: B009
            return prepare(PreparingCursor(self.connection))

    def is_usable(self) -> bool:
        """Return whether the connection is alive: nothing to be read on it means that nobody has
        hung up.
        """
        return self.connection is not None and (is_quiet(self.connection) or super().is_usable())

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
