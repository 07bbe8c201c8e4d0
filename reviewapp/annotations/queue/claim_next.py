"""Give a person the next item of a filter: found, locked and held in one statement, whose SQL is kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import compiled_queries, leases
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import keys
from reviewapp.annotations.queue.querysets import candidates
from reviewapp.annotations.queue.search import Lane, look_for, nearest
from reviewapp.asked import Sql, stand_in
from reviewapp.bounded_cache import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet

_COLUMNS = tuple(compiled_queries.KINDS)
_ROW = {
    name: stand_in(kind, compiled_queries.FREE + at) for at, (name, kind) in enumerate(compiled_queries.KINDS.items())
}
_UNTIL = stand_in(datetime, compiled_queries.FREE + len(compiled_queries.KINDS))
_NAMES = {
    **compiled_queries.NAMES,
    **{value: name for name, value in _ROW.items()},
    _UNTIL: "until",
}
# Of a search, so many are looked at for one that nobody is just being given.
_MOST_NEAR = 20


def claim(chosen: QueueFilter, person: User, after: Annotation | None, *, now: datetime) -> int | None:
    """Take the first item behind `after` for `person`, else, from the top, the first but `after`; returns its key.

    None when nothing is free. Pass `after` as it was loaded before the decision: deciding moves it in most orders.
    """
    found = _first(chosen, person, after, now=now, wrapped=False)
    if found is None and after is not None:
        found = _first(chosen, person, after, now=now, wrapped=True)
    return found


def _first(chosen: QueueFilter, person: User, after: Annotation | None, *, now: datetime, wrapped: bool) -> int | None:
    if not chosen.q:
        found = _claiming(compiled_queries.kind(chosen), after is not None, wrapped).run(
            compiled_queries.meant(chosen, person)
            | {"since": now, "until": now + leases.LASTS}
            | {name: getattr(after, name, None) for name in _COLUMNS}
        )
        if not found or found[0][1]:
            return int(found[0][0]) if found else None
    # A search, or somebody took it at this very moment.
    free = candidates(chosen, person, None if wrapped else after, now=now)
    free = free.exclude(pk=after.pk) if after and wrapped else free
    near = _near(chosen, person, None if wrapped else after, now=now) if chosen.q else []
    taken = leases.claim_next(free.filter(pk__in=near) if chosen.q else free, person, now=now)
    if taken is None and len(near) == _MOST_NEAR:
        # That many were taken by others meanwhile.
        taken = leases.claim_next(free, person, now=now)
    return taken.pk if taken else None


def _near(chosen: QueueFilter, person: User, after: Annotation | None, *, now: datetime) -> list[int]:
    """Return the keys of the first that a search finds for `person`, which may be `after` itself once more."""
    lane = Lane(build=_free, kind=compiled_queries.kind(chosen), going=chosen.order, shape=keys, most=_MOST_NEAR)
    meant = compiled_queries.meant(chosen, person) | {"since": now}
    place = [getattr(after, name.lstrip("-")) for name in chosen.order] if after else []
    return [key for (key,) in nearest(lane, look_for(chosen, person), meant, start=place)]


def _free(kind: QueueFilter, person: User) -> AnnotationQuerySet:
    return candidates(kind, person, now=compiled_queries.SINCE)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _claiming(kind: QueueFilter, behind: bool, wrapped: bool) -> Sql:
    person = get_user_model()(pk=compiled_queries.PERSON)
    after: Any = Annotation(pk=_ROW["id"]) if behind else None
    for name, value in _ROW.items() if behind else ():
        after.__dict__[name] = value
    free = candidates(kind, person, None if wrapped else after, now=compiled_queries.SINCE)
    free = free.exclude(pk=_ROW["id"]) if wrapped else free
    return leases.claiming(free, _NAMES, person=compiled_queries.PERSON, until=_UNTIL, now=compiled_queries.SINCE)
