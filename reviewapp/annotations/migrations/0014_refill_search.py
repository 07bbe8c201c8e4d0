"""Refill the search index in batches, each in a transaction of its own, so that nobody waits long."""

from __future__ import annotations

from typing import Any

from django.db import migrations

BATCH_SIZE = 500

# As the trigger `searched` does for a new row.
REFILL = """
WITH batch AS (
    SELECT id FROM annotations_annotation WHERE id > %(after)s ORDER BY id LIMIT %(size)s
), refilled AS (
    UPDATE annotations_annotation AS annotation
    SET search = public.search_vector(
            concat_ws(' ', annotation.document_id, annotation.annotation_id, title, words)
        ) || setweight(public.search_vector(concat_ws(' ', label, reasoning)), 'A')
    FROM batch
    WHERE annotation.id = batch.id
)
SELECT max(id) FROM batch
"""


def refill(apps: Any, schema_editor: Any) -> None:
    """Index every annotation anew."""
    after = 0
    with schema_editor.connection.cursor() as cursor:
        while after is not None:
            cursor.execute(REFILL, {"after": after, "size": BATCH_SIZE})
            (after,) = cursor.fetchone()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("annotations", "0013_word_parts")]

    operations = [migrations.RunPython(refill, migrations.RunPython.noop, atomic=False)]
