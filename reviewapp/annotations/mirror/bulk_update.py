"""Update many annotations in one statement, at a fraction of the cost of Django's `bulk_update`."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from reviewapp.annotations.models import Annotation
from reviewapp.postgres.statement import as_json

_UPDATE = """
UPDATE annotations_annotation SET ({columns}) = ROW ({values})
FROM jsonb_to_recordset(%s::jsonb) AS new (id bigint, {types})
WHERE annotations_annotation.id = new.id
"""


def update(rows: Sequence[Annotation], field_names: Sequence[str]) -> None:
    """Save these fields of the rows."""
    if not rows:
        return

    columns = {}
    for field in Annotation._meta.concrete_fields:
        if field.name in field_names:
            columns[field.attname] = field.db_type(connection)
    query = _UPDATE.format(
        columns=", ".join(columns),
        values=", ".join(f"new.{column}" for column in columns),
        types=", ".join(f"{column} {db_type}" for column, db_type in columns.items()),
    )

    records = []
    for row in rows:
        record = {column: getattr(row, column) for column in columns}
        record["id"] = row.pk
        records.append(record)

    with connection.cursor() as cursor:
        cursor.execute(query, [as_json(records)])
