"""The tables as the oracle reads them, on the test's connection."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

_JSONB = 3802


def ask(query: str) -> list[dict[str, Any]]:
    """Ask on Django's connection, which leaves JSON as text."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        columns = cursor.description
        rows = []
        for values in cursor.fetchall():
            row = {}
            for column, value in zip(columns, values, strict=True):
                is_json = column.type_code == _JSONB and value
                row[column.name] = json.loads(value) if is_json else value
            rows.append(row)
        return rows
