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
        columns = [(column.name, column.type_code == _JSONB) for column in cursor.description]
        return [
            {
                name: json.loads(value) if is_json and value else value
                for (name, is_json), value in zip(columns, row, strict=True)
            }
            for row in cursor.fetchall()
        ]
