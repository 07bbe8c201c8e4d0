"""`manage.py dbshell` with the psql that comes in the wheel, when the bundled server is the
configured one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.backends.postgresql import client

if TYPE_CHECKING:
    from reviewapp.postgres.base import DatabaseWrapper


class DatabaseClient(client.DatabaseClient):
    """Django's, which knows neither where the bundled psql is nor that its server may have to be
    started.
    """

    connection: DatabaseWrapper

    def runshell(self, parameters: Iterable[str]) -> None:
        """Open psql; needs no PostgreSQL on the machine when the bundled one is used."""
        if self.connection.settings_dict.get("EMBEDDED"):
            from reviewapp.postgres.cluster import program

            self.connection.ensure_server()
            self.executable_name = str(program("psql"))
        super().runshell(list(parameters))
