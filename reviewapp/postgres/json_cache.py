"""Django's database cache with values as JSON.

Django's own `DatabaseCache` pickles them: whoever may write the table, as the app's database user
may, could run code in all web processes. JSON is read as values and nothing else.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import connection
from django.utils import timezone

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)

_GET = "SELECT value FROM {table} WHERE cache_key = %(key)s AND expires > %(now)s"

_SET = """
INSERT INTO {table} (cache_key, value, expires) VALUES (%(key)s, %(value)s, %(expires)s)
ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires
RETURNING cache_key
"""

# One statement, so that of several processes one adds the entry.
_ADD = """
INSERT INTO {table} AS entry (cache_key, value, expires)
VALUES (%(key)s, %(value)s, %(expires)s)
ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires
    WHERE entry.expires <= %(now)s
RETURNING cache_key
"""

_TOUCH = """
UPDATE {table} SET expires = %(expires)s WHERE cache_key = %(key)s AND expires > %(now)s
RETURNING cache_key
"""

_DELETE = "DELETE FROM {table} WHERE cache_key = %(key)s RETURNING cache_key"

_CLEAR = "DELETE FROM {table} RETURNING cache_key"

_COUNT = "SELECT count(*) FROM {table}"

# A third of the entries, first those that expire first. Rows that another process changes at this
# moment are left, so that two of them never wait for each other.
_CULL = """
DELETE FROM {table} WHERE cache_key IN (
    SELECT cache_key FROM {table} ORDER BY expires LIMIT %(number)s FOR UPDATE SKIP LOCKED
)
RETURNING cache_key
"""


class JsonDatabaseCache(BaseDatabaseCache):
    """Keeps values that JSON can hold: texts, numbers, booleans, None, lists and dicts of them.

    A tuple comes back as a list. Raises TypeError for any other value. An entry that is no JSON
    counts as missing. Above `MAX_ENTRIES`, a third of the entries is deleted. The table is made by
    Django's `createcachetable`.
    """

    def __init__(self, table: str, params: dict[str, Any]) -> None:
        super().__init__(table, params)
        self.table = f'"{table}"'
        self.max_entries = int(params["OPTIONS"]["MAX_ENTRIES"])

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the value; `default` if there is none, or it has expired."""
        found = self._run(_GET, key, version)
        if not found:
            return default

        try:
            return json.loads(found[0][0])
        except (ValueError, RecursionError):
            return default

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        """Store the value for `timeout` seconds; None is for ever."""
        self._cull()
        expiry = self._expiry(timeout)
        self._run(_SET, key, version, value=json.dumps(value), expires=expiry)

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Store the value unless there is one; return whether it was stored."""
        self._cull()
        expiry = self._expiry(timeout)
        return bool(self._run(_ADD, key, version, value=json.dumps(value), expires=expiry))

    def touch(
        self,
        key: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Let the value expire later or earlier; return whether there is one."""
        return bool(self._run(_TOUCH, key, version, expires=self._expiry(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Delete the value; return whether there was one."""
        return bool(self._run(_DELETE, key, version))

    def clear(self) -> None:
        """Delete all values."""
        self._execute(_CLEAR)

    def _run(self, sql: str, key: str, version: int | None, **values: Any) -> list[Any]:
        key = self.make_and_validate_key(key, version=version)
        return self._execute(sql, key=key, now=timezone.now(), **values)

    def _execute(self, sql: str, **parameters: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(table=self.table), parameters)
            found: list[Any] = cursor.fetchall()
        return found

    def _expiry(self, timeout: float | None) -> datetime:
        seconds = self.get_backend_timeout(timeout)
        if seconds is None:
            return _NEVER
        return datetime.fromtimestamp(seconds, tz=UTC)

    def _cull(self) -> None:
        ((number,),) = self._execute(_COUNT)
        if number > self.max_entries:
            self._execute(_CULL, number=number // 3)
