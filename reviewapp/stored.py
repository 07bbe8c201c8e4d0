"""Rows that are written all the time: an INSERT for a model, said once in a process and planned
once in a connection.

A row goes to the database as one JSON value, which is how it can be part of a larger statement:

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
    """Store a new row, which has its key then; signals are not sent."""
    ((row.pk,),) = rows(_insert(type(row)), [as_json(row)])


@cache
def columns(model: type[Model]) -> str:
    """Return the columns that an INSERT gives, which are all but the key and what the database
    works out itself.
    """
    return ", ".join(f'"{field.column}"' for field in _given(model))


def as_json(row: Model) -> str:
    """Return a new row as the database reads it, by column."""
    return json.dumps(
        {field.column: field.pre_save(row, add=True) for field in _given(type(row))},
        default=_written,
    )


@cache
def _given(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    fields = model._meta.concrete_fields
    return tuple(field for field in fields if not field.primary_key and not field.generated)


@cache
def _insert(model: type[Model]) -> str:
    table, names = model._meta.db_table, columns(model)
    return (
        f"INSERT INTO {table} ({names}) SELECT {names} "  # noqa: S608 - names of a model of ours
        f"FROM jsonb_populate_record(NULL::{table}, %s::jsonb) RETURNING id"
    )


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} cannot be stored")
