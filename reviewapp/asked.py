"""QuerySets that are asked all the time: turned into SQL once for a process, planned once for a
connection.

Django takes milliseconds to turn a QuerySet that joins a few tables into SQL that is always the
same, and PostgreSQL as long to plan it. So a question is written down once, with stand-ins for what
changes from one time to the next:

    @asked
    def about(ref: str) -> QuerySet[Change]:
        return Change.objects.filter(ref=ref).order_by("-id")[:1]

    about(ref="annotations/7")     # a list: objects, or what `.values_list()` says

Only for questions whose plan does not hang on the values: a search for words must not be asked like
this. What is the same every time (`status = 'waiting'`) stays in the text, where the planner sees
it: from the sixth time on it may plan for values it does not know, and then takes a state that no
row has for one that most rows have.
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
# What one compiled question takes in memory, for caches of them: 30 to 50 KiB were measured.
QUESTION_BYTES = 64 * 1024
_FIRST = -7_000_001
# Nobody can mean these: no key is negative, nothing is that old, and nobody types that character.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda at: _FIRST - at,
    float: lambda at: _FIRST - 0.5 - at,
    str: lambda at: f"\ue000{at}",
    datetime: lambda at: datetime(1, 1, 2, tzinfo=UTC) + timedelta(days=at),
    UUID: lambda at: UUID(int=at),
}
_PLAIN = (int, float, str, date, UUID)
_PLACE = re.compile("%[%s]")


def stand_in(kind: type, at: int) -> Any:
    """Return the stand-in for the `at`th value of a question, which is an int, a float, a str, a
    datetime or a UUID.
    """
    return _STAND_INS[kind](at)


@dataclass(frozen=True, kw_only=True)
class Sql:
    """A statement with stand-ins among its parameters, and which of them stands for what."""

    text: str
    parameters: tuple[Any, ...]
    names: Mapping[Any, str]

    @property
    def bytes(self) -> int:
        """Return about how much memory it takes."""
        return 4 * len(self.text) + 4096

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows, with these values in the places of their stand-ins."""
        text, places = self._settled
        return rows(
            text, [values[place] if isinstance(place, _Name) else place for place in places]
        )

    @cached_property
    def _settled(self) -> tuple[str, list[Any]]:
        """The statement with what never changes written into it, and the names or values of what is
        left to bind.
        """
        left: list[Any] = []
        parameters = iter(self.parameters)

        def place(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return found[0]
            value = next(parameters)
            if not isinstance(value, _PLAIN):
                left.append(value)
                return found[0]
            if value not in self.names:
                return Literal(value).as_string().replace("%", "%%")
            left.append(_Name(self.names[value]))
            return found[0]

        return _PLACE.sub(place, self.text), left


class _Name(str):
    """The name of a value that is given each time, among values that are not."""


def rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """Return all rows of a statement that is prepared in each connection at its first use."""
    ours: Any = connection
    with ours.prepared_cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


class Question(Generic[Row]):
    """A QuerySet with stand-ins, ready to be asked; what it yields is what the QuerySet would."""

    def __init__(self, queryset: QuerySet[Any, Row], names: Mapping[Any, str]) -> None:
        self._queryset: Any = queryset
        self._compiler: Any = queryset.query.get_compiler("default")
        text, parameters = self._compiler.as_sql()
        self._sql = Sql(text=text, parameters=tuple(parameters), names=names)
        converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])
        self._compiler.get_converters = lambda _: converters

    def ask(self, **values: Any) -> list[Row]:
        """Return the rows; each value takes the place of the stand-in that `names` calls so. One
        query.
        """
        found = self._sql.run(values)
        compiler = copy(self._compiler)
        compiler.execute_sql = lambda *_, **__: [found]
        query = copy(self._queryset.query)
        query.get_compiler = lambda *_, **__: compiler
        # What Django's iterables look at.
        seen = SimpleNamespace(
            db="default",
            query=query,
            model=self._queryset.model,
            _fields=self._queryset._fields,
            _known_related_objects=self._queryset._known_related_objects,
        )
        return list(self._queryset._iterable_class(seen))


def asked(build: Callable[P, QuerySet[Any, Row]]) -> Callable[P, list[Row]]:
    """Have the QuerySet that `build` returns compiled at its first use; its parameters are given by
    name.
    """
    kept: list[Question[Row]] = []

    def ask(*args: P.args, **values: P.kwargs) -> list[Row]:
        if not kept:
            kept.append(_question(build))
        return kept[0].ask(**values)

    return cast("Callable[P, list[Row]]", update_wrapper(ask, build))


def _question(build: Callable[..., QuerySet[Any, Row]]) -> Question[Row]:
    hints = inspect.get_annotations(build, eval_str=True)
    kinds: Sequence[tuple[str, type]] = [
        (name, hints[name]) for name in inspect.signature(build).parameters
    ]
    stand_ins = {name: stand_in(kind, at) for at, (name, kind) in enumerate(kinds)}
    return Question(build(**stand_ins), {value: name for name, value in stand_ins.items()})
