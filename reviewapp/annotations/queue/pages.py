"""The list of the queue, page by page, and the item before another in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.querysets import AnnotationQuerySet
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.querysets import in_queue
from reviewapp.annotations.queue.search import Lane, look_for, nearest
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation
    from reviewapp.annotations.queue.search import Found


def listed(chosen: QueueFilter, person: User, *, cursor: str = "", found: Found | None = None) -> pagination.Page[Any]:
    """Return one page of the rows (`for_list`) that `chosen` shows to `person`; raises `BadCursor`.

    One query, and a few more for a search: `found` is what it finds, if that has been looked for already.
    """

    def fetch(going: tuple[str, ...], values: list[Any], most: int) -> list[Any]:
        if not all(
            _fits(value, compiled_queries.KINDS[name.lstrip("-")]) for name, value in zip(going, values, strict=False)
        ):
            raise pagination.BadCursor(cursor)
        meant = compiled_queries.meant(chosen, person)
        if chosen.q:
            lane = Lane(build=in_queue, kind=compiled_queries.kind(chosen), going=going, shape=_rows, most=most)
            return nearest(lane, found or look_for(chosen, person), meant, start=values)
        starts = {f"start{at}": value for at, value in enumerate(values)}
        return _listing(compiled_queries.kind(chosen), going, bool(values), most).ask(**meant, **starts)

    return pagination.paged(fetch, order=chosen.order, cursor=cursor)


def _rows(found: AnnotationQuerySet) -> Any:
    return found.for_list()


def _fits(value: object, kind: type) -> bool:
    return not isinstance(value, bool) and (isinstance(value, kind) or (kind is float and isinstance(value, int)))


@bounded_cache(most_bytes=8 * MIB, size=lambda _: QUESTION_BYTES)
def _listing(kind: QueueFilter, going: tuple[str, ...], beyond: bool, most: int) -> Question[Any]:
    rows, names = in_queue(kind, get_user_model()(pk=compiled_queries.PERSON)), dict(compiled_queries.NAMES)
    if beyond:
        values = compiled_queries.place(going)
        names |= {value: f"start{at}" for at, value in enumerate(values)}
        rows = rows.filter(pagination.past(going, values))
    return Question(rows.for_list().order_by(*going)[:most], names)


def previous_before(chosen: QueueFilter, person: User, annotation: Annotation) -> Annotation | None:
    """Return the item before `annotation` in the list as it is shown, None at its start."""
    before = pagination.beyond(in_queue(chosen, person), order=chosen.order, row=annotation, backwards=True)
    if not chosen.q:
        return before.first()
    going = pagination.turned(chosen.order)
    lane = Lane(build=in_queue, kind=compiled_queries.kind(chosen), going=going, shape=keys, most=1)
    place = [getattr(annotation, name.lstrip("-")) for name in going]
    near = nearest(lane, look_for(chosen, person), compiled_queries.meant(chosen, person), start=place)
    return before.filter(pk__in=[key for (key,) in near]).first()


def keys(found: AnnotationQuerySet) -> Any:
    """Return rows of nothing but the key."""
    return found.values_list("id")
