"""A cursor that prepares its statements: the server plans each once for each connection.

Planning costs more than running where a query joins many tables and returns few rows. The server
may then use a plan for any values, so only statements whose best plan does not depend on the values
belong here.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg import Cursor
from psycopg.adapt import AdaptersMap
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

if TYPE_CHECKING:
    _Cursor = Cursor[tuple[Any, ...]]
else:
    _Cursor = ServerBindingCursor


class PreparingCursor(_Cursor):
    """Django's cursor with parameters bound by the server, which prepares every statement."""

    @property
    def adapters(self) -> AdaptersMap:
        """Return Django's adapters with psycopg's own loader for times, which is compiled."""
        return _adapters()

    def execute(self, query: Any, params: Any = None, **more: Any) -> Self:
        """Run a statement prepared; if a migration has changed its columns, run it unprepared."""
        try:
            return super().execute(query, params, prepare=True)
        except FeatureNotSupported:
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            return super().execute(query, params, prepare=False)


@lru_cache(maxsize=1)
def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(get_adapters_template(True, UTC))
    adapters.register_loader("timestamptz", TimestamptzLoader)
    return adapters
