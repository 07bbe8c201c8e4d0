"""Django's operations, which also describe prepared statements: for query logs and tests."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import operations

from reviewapp.postgres.prepared import PreparingCursor


class DatabaseOperations(operations.DatabaseOperations):
    """Django's operations for PostgreSQL."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """Return the statement with its values, which a prepared cursor sends separately."""
        if isinstance(cursor, PreparingCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)
