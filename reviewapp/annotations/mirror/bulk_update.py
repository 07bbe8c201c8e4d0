"""Write many annotations in one statement, which costs a fraction of the `CASE` for each value of `bulk_update`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from reviewapp.annotations.models import Annotation

_UPDATE = """
UPDATE annotations_annotation SET ({columns}) = ROW ({values})
FROM jsonb_to_recordset(%s::jsonb) AS new (id bigint, {types}) WHERE annotations_annotation.id = new.id
"""


def update(rows: Sequence[Annotation], names: Sequence[str]) -> None:
    """Store these fields of `rows` as they are now."""
    if not rows:
        return
    fields = [field for field in Annotation._meta.concrete_fields if field.name in names]
    columns = {field.attname: field.db_type(connection) for field in fields}
    held = [{"id": row.pk, **{column: getattr(row, column) for column in columns}} for row in rows]
    query = _UPDATE.format(
        columns=", ".join(columns),
        values=", ".join(f"new.{column}" for column in columns),
        types=", ".join(f"{column} {kind}" for column, kind in columns.items()),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [json.dumps(held, default=_instant)])


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be stored")
