"""`manage.py dbshell` with the bundled psql, if the bundled server is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.backends.postgresql import client

if TYPE_CHECKING:
    from reviewapp.postgres.base import DatabaseWrapper


class DatabaseClient(client.DatabaseClient):
    """Django's client, which also finds the bundled psql and starts the bundled server."""

    connection: DatabaseWrapper

    def runshell(self, parameters: Iterable[str]) -> None:
        """Open psql: the bundled one for the bundled server, else the machine's."""
        if self.connection.settings_dict.get("EMBEDDED"):
            from reviewapp.postgres.cluster import program

            self.connection.ensure_server()
            self.executable_name = str(program("psql"))
        super().runshell(list(parameters))
