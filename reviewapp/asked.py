"""Run frequent QuerySets as prepared statements, compiled once for each process.

Django takes milliseconds to compile a QuerySet that joins a few tables into always the same SQL,
and PostgreSQL as long to plan it. So a frequent query is compiled once, with placeholder values for
its parameters:

    @asked
    def about(ref: str) -> QuerySet[Change]:
        return Change.objects.filter(ref=ref).order_by("-id")[:1]

    about(ref="annotations/7")     # a list of objects, or of the values of `.values_list()`

The best plan must not depend on the parameters, so this is not for a search for words. Constants
(`status = 'waiting'`) stay in the text, where the planner sees them: from the sixth execution on,
it may plan for unknown values, and would take a rare state for a frequent one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, update_wrapper
from types import SimpleNamespace
from typing import Any, Generic, ParamSpec, TypeVar, cast
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from psycopg.sql import Literal

P = ParamSpec("P")
Row = TypeVar("Row")
# The size of one compiled query in memory, for caches of them: 30 to 50 KiB were measured.
QUESTION_BYTES = 64 * 1024
_FIRST = -7_000_001
# Values that never occur: no key is negative, nothing is that old, and nobody types that character.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda number: _FIRST - number,
    float: lambda number: _FIRST - 0.5 - number,
    str: lambda number: f"\ue000{number}",
    datetime: lambda number: datetime(1, 1, 2, tzinfo=UTC) + timedelta(days=number),
    UUID: lambda number: UUID(int=number),
}
_PLAIN = (int, float, str, date, UUID)
_PLACEHOLDER = re.compile("%[%s]")


def stand_in(kind: type, number: int) -> Any:
    """Return the placeholder value for the parameter `number` of a query.

    Its type is int, float, str, datetime or UUID.
    """
    return _STAND_INS[kind](number)


@dataclass(frozen=True, kw_only=True)
class Sql:
    """A statement with placeholder values among its parameters; `names` has the name of each."""

    text: str
    parameters: tuple[Any, ...]
    names: Mapping[Any, str]

    @property
    def bytes(self) -> int:
        """Return its approximate size in memory."""
        return 4 * len(self.text) + 4096

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows, with these values in place of the placeholder values."""
        text, arguments = self._with_constants
        bound = []
        for argument in arguments:
            if isinstance(argument, _Name):
                bound.append(values[argument])
            else:
                bound.append(argument)
        return rows(text, bound)

    @cached_property
    def _with_constants(self) -> tuple[str, list[Any]]:
        """The statement with its constants in the text, and the names or values left to bind."""
        arguments: list[Any] = []
        parameters = iter(self.parameters)

        def replace(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return match[0]
            value = next(parameters)
            if not isinstance(value, _PLAIN):
                arguments.append(value)
                return match[0]
            if value not in self.names:
                return Literal(value).as_string().replace("%", "%%")
            arguments.append(_Name(self.names[value]))
            return match[0]

        return _PLACEHOLDER.sub(replace, self.text), arguments


class _Name(str):
    """The name of a parameter, among values to bind."""


def rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """Return all rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


class Question(Generic[Row]):
    """A compiled QuerySet with placeholder values, which returns the rows of the QuerySet."""

    def __init__(self, queryset: QuerySet[Any, Row], names: Mapping[Any, str]) -> None:
        self._queryset: Any = queryset
        self._compiler: Any = queryset.query.get_compiler("default")
        text, parameters = self._compiler.as_sql()
        self._sql = Sql(text=text, parameters=tuple(parameters), names=names)
        converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])
        self._compiler.get_converters = lambda _: converters

    def ask(self, **values: Any) -> list[Row]:
        """Return the rows for these values, by parameter name. One query."""
        found = self._sql.run(values)
        compiler = copy(self._compiler)
        compiler.execute_sql = lambda *_, **__: [found]
        query = copy(self._queryset.query)
        query.get_compiler = lambda *_, **__: compiler
        # The attributes of a QuerySet that Django's iterables use.
        seen = SimpleNamespace(
            db="default",
            query=query,
            model=self._queryset.model,
            _fields=self._queryset._fields,
            _known_related_objects=self._queryset._known_related_objects,
        )
        return list(self._queryset._iterable_class(seen))


def asked(build: Callable[P, QuerySet[Any, Row]]) -> Callable[P, list[Row]]:
    """Compile the QuerySet that `build` returns at the first call; call it with keywords."""
    compiled: list[Question[Row]] = []

    def ask(*args: P.args, **values: P.kwargs) -> list[Row]:
        if not compiled:
            compiled.append(_compile(build))
        return compiled[0].ask(**values)

    return cast("Callable[P, list[Row]]", update_wrapper(ask, build))


def _compile(build: Callable[..., QuerySet[Any, Row]]) -> Question[Row]:
    hints = inspect.get_annotations(build, eval_str=True)
    stand_ins = {}
    names = {}
    for number, name in enumerate(inspect.signature(build).parameters):
        value = stand_in(hints[name], number)
        stand_ins[name] = value
        names[value] = name
    return Question(build(**stand_ins), names)
