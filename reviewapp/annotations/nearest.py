"""The first of what a search finds, in the order of a list, however rare the words and however long the list.

To sort all that matches means to open all of it, and to go along the list until enough of it matches means to open all
that does not. So the list is looked through in stretches: the end of one is read off the list's index, and what lies in
it is where that index and the index of words meet. Only what is in both is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from reviewapp import keyset
from reviewapp.annotations import compiled
from reviewapp.annotations.filters import QueueFilter
from reviewapp.annotations.queue import framed
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.found import Found, Stretch
    from reviewapp.annotations.queries import AnnotationQuerySet

Build = Callable[[QueueFilter, "User"], "AnnotationQuerySet"]
# What is wanted of the annotations, in rows that have a column `id`.
Shape = Callable[["AnnotationQuerySet"], QuerySet[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A list (`build` of a `compiled.kind`) in an order, of which `most` rows in a `shape` are wanted."""

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
        end = compiled.place(lane.going, at=len(lane.going))
        rows, names = rows.filter(keyset.until(lane.going, end)), names | _stand_for("end", end)
    rows = rows.searching(compiled.WORDS, opening=stretch.opening)
    # Along the list's index each row would be opened on the way.
    order = lane.going if stretch.opening else [keyset.sorting(lane.going)]
    return Question(lane.shape(rows.order_by(*order))[: lane.most], names)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _all(lane: Lane, beyond: bool) -> Question[Any]:
    rows, names = _starting(lane, beyond)
    return Question(lane.shape(rows.keyed(compiled.KEYS).order_by(keyset.sorting(lane.going)))[: lane.most], names)


def _starting(lane: Lane, beyond: bool, build: Build | None = None) -> tuple[AnnotationQuerySet, dict[Any, str]]:
    rows, names = (build or lane.build)(lane.kind, get_user_model()(pk=compiled.PERSON)), dict(compiled.NAMES)
    if not beyond:
        return rows, names
    start = compiled.place(lane.going)
    return rows.filter(keyset.past(lane.going, start)), names | _stand_for("start", start)


def _stand_for(side: str, place: Sequence[Any]) -> dict[Any, str]:
    return {value: f"{side}{at}" for at, value in enumerate(place)}
