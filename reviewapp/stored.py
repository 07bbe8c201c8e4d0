"""Insert rows of a model with a prepared statement, built once for each process.

A row is sent as one JSON value, so that the INSERT can be part of a larger statement:

    f"INSERT INTO notes ({columns(Note)})"
    f" SELECT {columns(Note)} FROM jsonb_populate_record(NULL::notes, %(note)s::jsonb)"
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Field, Model

from reviewapp.asked import rows


def insert(row: Model) -> None:
    """Store a new row and set its key; no signals are sent."""
    ((row.pk,),) = rows(_insert(type(row)), [row_as_json(row)])


@cache
def columns(model: type[Model]) -> str:
    """Return the columns of an INSERT: all but the key and those that the database generates."""
    return ", ".join(f'"{field.column}"' for field in _fields(model))


def row_as_json(row: Model) -> str:
    """Return a new row as JSON, by column."""
    values = {field.column: field.pre_save(row, add=True) for field in _fields(type(row))}
    return json.dumps(values, default=_to_text)


@cache
def _fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    fields = model._meta.concrete_fields
    return tuple(field for field in fields if not field.primary_key and not field.generated)


@cache
def _insert(model: type[Model]) -> str:
    table = model._meta.db_table
    names = columns(model)
    return (
        f"INSERT INTO {table} ({names}) SELECT {names} "  # noqa: S608 - names of a model of ours
        f"FROM jsonb_populate_record(NULL::{table}, %s::jsonb) RETURNING id"
    )


def _to_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} cannot be stored")
