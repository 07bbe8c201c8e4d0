"""What a search finds, before anything is put in order: how much it is decides how the database should go about it.

Nothing but the words tells how rare they are, and a plan that is right for a rare word is wrong for a frequent one. The
planner knows the frequent words; of the others the index of words is asked for the first thousand rows.

The first of what a search finds, in the order of a list, however rare the words and however long the list.

To sort all that matches means to open all of it, and to go along the list until enough of it matches means to open all
that does not. So the list is looked through in stretches: the end of one is read off the list's index, and what lies in
it is where that index and the index of words meet. Only what is in both is opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import QuerySet, Value

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.querysets import matches
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import framed, narrowed
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet


Build = Callable[[QueueFilter, "User"], "AnnotationQuerySet"]
# What is wanted of the annotations, in rows that have a column `id`.
Shape = Callable[["AnnotationQuerySet"], QuerySet[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A list (`build` of a `compiled_queries.kind`) in an order, of which `most` rows in a `shape` are wanted."""

    build: Build
    kind: QueueFilter
    going: tuple[str, ...]
    shape: Shape
    most: int


def nearest(lane: Lane, found: Found, values: Mapping[str, Any], *, start: Sequence[Any] = ()) -> list[Any]:
    """Return the first rows of the lane that match, of those beyond `start` (a place in its order) when given.

    `values` are what the stand-ins stand for. One query, or two for each stretch that is looked through.
    """
    if not found.more:
        return _all(lane, bool(start)).ask(**values, **_named("start", start), keys=found.known)
    rows: list[Any] = []
    for stretch in found.stretches():
        starts = _named("start", start)
        ends = _end(lane, bool(start), stretch.span).ask(**values, **starts) if stretch.span else []
        between = _between(lane, bool(start), bool(ends), stretch)
        rows += between.ask(**values, **starts, **_named("end", ends[0] if ends else ()))
        if len(rows) >= lane.most or not ends:
            break
        start = ends[0]
    return rows[: lane.most]


def _named(side: str, place: Sequence[Any]) -> dict[str, Any]:
    return {f"{side}{at}": value for at, value in enumerate(place)}


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _end(lane: Lane, beyond: bool, span: int) -> Question[Any]:
    """Where a stretch ends; nothing where the list does before. Read off an index alone, whoever asks."""
    rows, names = _starting(lane, beyond, framed)
    columns = [name.lstrip("-") for name in lane.going]
    return Question(rows.order_by(*lane.going).values_list(*columns)[span - 1 : span], names)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _between(lane: Lane, beyond: bool, ending: bool, stretch: Stretch) -> Question[Any]:
    rows, names = _starting(lane, beyond)
    if ending:
        end = compiled_queries.place(lane.going, at=len(lane.going))
        rows, names = rows.filter(pagination.until(lane.going, end)), names | _stand_for("end", end)
    rows = rows.searching(compiled_queries.WORDS, opening=stretch.opening)
    # Along the list's index each row would be opened on the way.
    order = lane.going if stretch.opening else [pagination.sorting(lane.going)]
    return Question(lane.shape(rows.order_by(*order))[: lane.most], names)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _all(lane: Lane, beyond: bool) -> Question[Any]:
    rows, names = _starting(lane, beyond)
    return Question(
        lane.shape(rows.keyed(compiled_queries.KEYS).order_by(pagination.sorting(lane.going)))[: lane.most], names
    )


def _starting(lane: Lane, beyond: bool, build: Build | None = None) -> tuple[AnnotationQuerySet, dict[Any, str]]:
    rows, names = (
        (build or lane.build)(lane.kind, get_user_model()(pk=compiled_queries.PERSON)),
        dict(compiled_queries.NAMES),
    )
    if not beyond:
        return rows, names
    start = compiled_queries.place(lane.going)
    return rows.filter(pagination.past(lane.going, start)), names | _stand_for("start", start)


def _stand_for(side: str, place: Sequence[Any]) -> dict[Any, str]:
    return {value: f"{side}{at}" for at, value in enumerate(place)}


# A search opens every row that it counts.
COUNTED = 100
# So many rows are fetched and sorted; of more, some are soon met in the order of the list.
_FEW = 1_000
# Of a frequent word, so many rows are opened to count with, and so many of the list's to find those it shows.
_SAMPLE, _OPENED = 400, 1_000
# What else is looked through for it, a stretch after the other: as many rows of the list's index, then all the rest.
_STRETCHES = (5_000, 20_000, 80_000, 320_000)
# Opening a row costs as much as reading so many off an index.
_OPENING = 100
_A_PAGE = 31

_HOW_MANY = """
EXPLAIN (FORMAT JSON) SELECT FROM annotations_annotation WHERE search @@ websearch_to_tsquery('simple', %s)
UNION ALL SELECT FROM annotations_annotation
"""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """How far along a list to look at once (None: to its end), and whether by `opening` each row on the way."""

    span: int | None
    opening: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search met first under the filters, whichever chip: `keys`, and whether there is `more`.

    Words are `frequent` when the list is soon full of them: then `opened` rows of it are looked at first.
    """

    keys: list[int]
    more: bool
    frequent: bool
    opened: int = _OPENED
    spans: tuple[int, ...] = _STRETCHES

    @property
    def counted(self) -> str:
        """The keys of what is counted, as `keyed` wants them."""
        return ",".join(map(str, self.keys[:COUNTED]))

    @property
    def known(self) -> str:
        """All keys, written in the same way."""
        return ",".join(map(str, self.keys))

    @property
    def at_least(self) -> bool:
        """Whether there is more than what is counted."""
        return self.more or len(self.keys) > COUNTED

    def stretches(self) -> Iterator[Stretch]:
        """Yield the ways to look for the first of it in the order of a list, to be gone until there is enough."""
        if self.frequent:
            yield Stretch(span=self.opened, opening=True)
        for span in self.spans:
            yield Stretch(span=span, opening=False)
        yield Stretch(span=None, opening=False)


def look_for(chosen: QueueFilter, person: User) -> Found:
    """Look for the words of `chosen` among what its filters leave. Two queries."""
    frequent = _is_frequent(chosen.q)
    kind = replace(compiled_queries.kind(chosen), show=Show.ALL, sort="")
    rows = _first(kind, frequent).ask(**compiled_queries.meant(chosen, person))
    if frequent:
        return Found(keys=[key for key, matches in rows if matches], more=len(rows) == _SAMPLE, frequent=True)
    return Found(keys=[key for key, _ in rows[:_FEW]], more=len(rows) > _FEW, frequent=False)


@bounded_cache(most_bytes=8 * MIB, size=lambda _: QUESTION_BYTES)
def _first(kind: QueueFilter, frequent: bool) -> Question[Any]:
    rows = narrowed(Annotation.objects.all(), kind)
    if frequent:
        return Question(rows.values_list("pk", matches(compiled_queries.WORDS))[:_SAMPLE], compiled_queries.NAMES)
    met = rows.searching(compiled_queries.WORDS).values_list("pk", Value(True))
    return Question(met[: _FEW + 1], compiled_queries.NAMES)


def _is_frequent(words: str) -> bool:
    """Return whether rows in the order of a list are opened sooner than all that match are put into that order.

    Only the planner's guess, and wrong where it has no statistics yet: what is found is the same either way.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY, [words])
        ((found,),) = cursor.fetchall()
    plan = json.loads(found) if isinstance(found, str) else found
    matching, every = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return bool(matching * matching > _A_PAGE * every * _OPENING)
