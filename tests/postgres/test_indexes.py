"""Each index of our tables serves something that no other one does."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

# An index without a condition, all of whose columns are the first ones of another: that one finds
# the same rows.
_TWICE = """
SELECT one.indexrelid::regclass::text, other.indexrelid::regclass::text
FROM pg_index one JOIN pg_index other ON other.indrelid = one.indrelid AND other.indexrelid <> one.indexrelid
WHERE one.indrelid::regclass::text = ANY(%s) AND NOT one.indisunique
    AND one.indpred IS NULL AND other.indpred IS NULL AND one.indexprs IS NULL AND other.indexprs IS NULL
    AND one.indkey[0:one.indnkeyatts - 1] = other.indkey[0:one.indnkeyatts - 1]
    AND one.indclass[0:one.indnkeyatts - 1] = other.indclass[0:one.indnkeyatts - 1]
    AND one.indoption[0:one.indnkeyatts - 1] = other.indoption[0:one.indnkeyatts - 1]
"""


@pytest.mark.django_db
def test_no_index_is_the_beginning_of_another() -> None:
    mine = [model._meta for model in apps.get_models() if model.__module__.startswith("reviewapp.")]
    ours = [meta.db_table for meta in mine if not meta.proxy]
    with connection.cursor() as cursor:
        cursor.execute(_TWICE, [ours])
        assert cursor.fetchall() == []
