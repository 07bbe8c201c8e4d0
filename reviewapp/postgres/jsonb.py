"""Read values and rows that a statement selected as jsonb (`to_jsonb(change)`).

jsonb spells times, UUIDs and the floats NaN and Infinity as text, and 1.0 as 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db.models import (
    DateTimeField,
    Field,
    FloatField,
    ForeignKey,
    GeneratedField,
    Model,
    UUIDField,
)

SomeModel = TypeVar("SomeModel", bound=Model)

_Column = tuple[str, str, Callable[[Any], Any] | None]

_SPELLED_AS_TEXT = (DateTimeField, FloatField, UUIDField)


def model_from_json(model: type[SomeModel], row: Mapping[str, Any]) -> SomeModel:
    """Return the object of a row, whose keys are columns of the model.

    A column that was left out is deferred, as after `QuerySet.defer`.
    """
    names = []
    values = []
    for name, column, read in _columns(model):
        if column not in row:
            continue
        value = row[column]
        if value is not None and read is not None:
            value = read(value)
        names.append(name)
        values.append(value)
    return model.from_db("default", names, values)


def time_from_json(value: str | None) -> datetime | None:
    """Return a time, None for null."""
    if value is None:
        return None
    return datetime.fromisoformat(value)


def float_from_json(value: float | str | None) -> float | None:
    """Return a float, None for null."""
    if value is None:
        return None
    return float(value)


@cache
def _columns(model: type[Model]) -> list[_Column]:
    """Return the attribute, the column and the reader (None to take it as it is) of each field."""
    columns: list[_Column] = []
    for field in model._meta.concrete_fields:
        valued: Field[Any, Any] | None = field
        if isinstance(field, GeneratedField):
            valued = field.output_field
        elif isinstance(field, ForeignKey):
            valued = field.target_field

        read: Callable[[Any], Any] | None = None
        if isinstance(valued, _SPELLED_AS_TEXT):
            read = valued.to_python
        column = str(field.column)
        columns.append((field.attname, column, read))
    return columns
