"""SQL statements with named parameters whose rows become objects of a named type.

The frequent queries are `.sql` files beside the module that uses them:

    _CHANGES = sql_file(__file__, "changes.sql", ChangeRow)

    _CHANGES.rows(ref="annotations/7")      # list[ChangeRow]

The parameters are written `%(ref)s`, a percent sign `%%`. A row is made by calling the type with
the columns in their order, so the file selects them in the order of the type's fields. A jsonb
column arrives as the Python value. The driver prepares a statement that a connection runs twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

Row = TypeVar("Row")
SomeModel = TypeVar("SomeModel", bound=Model)

# What every reader needs, by the apps that read it.
_frequent_reads: list[Callable[[], object]] = []

_JSONB = 3802  # the type's number in PostgreSQL's catalogue
_COMMENT = re.compile(r"--[^\n]*$", re.MULTILINE)


class Statement(Generic[Row]):
    """A statement, `text`, and the type of its rows."""

    def __init__(self, text: str, row: Callable[..., Row]) -> None:
        self.text = text
        self.row = row
        self._json_columns: tuple[int, ...] | None = None

    def rows(self, **parameters: Any) -> list[Row]:
        """Run the statement and return all its rows, in their order."""
        with connection.cursor() as cursor:
            cursor.execute(self.text, parameters)
            if self._json_columns is None:
                self._json_columns = _json_columns(cursor.description)
            fetched = cursor.fetchall()

        rows = []
        for values in fetched:
            decoded = list(values)
            for column in self._json_columns:
                if decoded[column] is not None:
                    decoded[column] = json.loads(decoded[column])
            rows.append(self.row(*decoded))
        return rows

    def first(self, **parameters: Any) -> Row | None:
        """Run the statement and return its first row, None if it has none."""
        return next(iter(self.rows(**parameters)), None)

    def with_pieces(self, **pieces: str) -> Statement[Row]:
        """Return the statement with these constant pieces of SQL in place of each `{name}`.

        Values of a request are never a piece: they are parameters.
        """
        return Statement(self.text.format(**pieces), self.row)


def sql_file(module_file: str, name: str, row: Callable[..., Row]) -> Statement[Row]:
    """Return the statement in the file `name` in the folder of `module_file`.

    Comments are left out and blanks made one, since the driver reads the text each time.
    """
    text = Path(module_file).with_name(name).read_text(encoding="utf-8")
    return Statement(" ".join(_COMMENT.sub("", text).split()), row)


def register_frequent_read(read: Callable[[], object]) -> None:
    """Add a read that every reader needs, so that `prepare_connection` prepares its statements."""
    _frequent_reads.append(read)


def prepare_connection() -> None:
    """Open this thread's connection and prepare the statements of all frequent reads in it."""
    # The driver prepares a statement when it runs for the second time.
    for _ in range(2):
        for read in _frequent_reads:
            read()


def model_builder(model: type[SomeModel], columns: Sequence[str]) -> Callable[..., SomeModel]:
    """Return a function that builds an object of `model` from a row with these columns."""

    def build(*values: Any) -> SomeModel:
        return model.from_db("default", columns, values)

    return build


def as_json(value: object) -> str:
    """Return a row or rows, by column, as the JSON that `jsonb_to_record` and its like read."""
    return json.dumps(value, default=_to_text)


def _to_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} cannot be stored")


def _json_columns(description: Any) -> tuple[int, ...]:
    columns = enumerate(description or ())
    return tuple(number for number, column in columns if column.type_code == _JSONB)
