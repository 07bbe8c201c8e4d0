"""Remove a test database although sessions still use it, such as a browser's last request."""

from __future__ import annotations

from django.db.backends.postgresql import creation


class DatabaseCreation(creation.DatabaseCreation):
    """Django's, except that a test database is dropped with FORCE."""

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        name = self.connection.ops.quote_name(test_database_name)
        with self.connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
