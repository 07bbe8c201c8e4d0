"""Claim the next item of a filter for a person: find, lock and lease it in one statement."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import compiled_queries, leases
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import select_keys
from reviewapp.annotations.queue.querysets import candidates
from reviewapp.annotations.queue.search import ListQuery, find_matches, search_page
from reviewapp.asked import Sql, stand_in
from reviewapp.bounded_cache import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet

_COLUMNS = tuple(compiled_queries.COLUMN_TYPES)
_ROW = {
    name: stand_in(column_type, number)
    for number, (name, column_type) in enumerate(
        compiled_queries.COLUMN_TYPES.items(), start=compiled_queries.FIRST_FREE_NUMBER
    )
}
_UNTIL = stand_in(datetime, compiled_queries.FIRST_FREE_NUMBER + len(compiled_queries.COLUMN_TYPES))
_PARAMETER_NAMES = {
    **compiled_queries.PARAMETER_NAMES,
    **{placeholder: name for name, placeholder in _ROW.items()},
    _UNTIL: "until",
}
# How many results of a search are tried for one that no other claim has locked.
_MAX_SEARCHED = 20


def claim_next_annotation(
    filters: QueueFilter,
    person: User,
    after: Annotation | None,
    *,
    now: datetime,
) -> int | None:
    """Lease the first free item after `after` to `person`, or the first of all; return its key.

    Returns None if no item is free. Pass `after` as it was loaded before its decision, because the
    decision moves it in most orders.
    """
    key = _claim_first(filters, person, after, now=now, from_top=False)
    if key is None and after is not None:
        key = _claim_first(filters, person, after, now=now, from_top=True)
    return key


def _claim_first(
    filters: QueueFilter,
    person: User,
    after: Annotation | None,
    *,
    now: datetime,
    from_top: bool,
) -> int | None:
    """Claim the first free item after `after`; or, `from_top`, the first of all except `after`."""
    if not filters.q:
        params = compiled_queries.parameters(filters, person)
        params |= {"since": now, "until": now + leases.LEASE_DURATION}
        params |= {name: getattr(after, name, None) for name in _COLUMNS}

        key_filters = compiled_queries.with_placeholders(filters)
        statement = _claim_statement(key_filters, after is not None, from_top)
        rows = statement.run(params)
        if not rows:
            return None

        key, is_leased = rows[0]
        if is_leased:
            return int(key)

    # The filter has search words, or another person leased the item at this moment.
    start = None if from_top else after
    free = candidates(filters, person, start, now=now)
    if after and from_top:
        free = free.exclude(pk=after.pk)
    if not filters.q:
        leased = leases.claim_next(free, person, now=now)
        if leased:
            return leased.pk
        return None

    keys = _search_keys(filters, person, start, now=now)
    leased = leases.claim_next(free.filter(pk__in=keys), person, now=now)
    if leased is None and len(keys) == _MAX_SEARCHED:
        # All of them were leased to others meanwhile: search without the limit.
        leased = leases.claim_next(free, person, now=now)
    if leased:
        return leased.pk
    return None


def _search_keys(
    filters: QueueFilter,
    person: User,
    after: Annotation | None,
    *,
    now: datetime,
) -> list[int]:
    """Return the keys of the first results of a search after `after`, which may be among them."""
    query = ListQuery(
        build=_free_candidates,
        filters=compiled_queries.with_placeholders(filters),
        ordering=filters.order,
        select=select_keys,
        limit=_MAX_SEARCHED,
    )
    params = compiled_queries.parameters(filters, person)
    params["since"] = now
    position = []
    if after:
        position = [getattr(after, name.lstrip("-")) for name in filters.order]

    rows = search_page(query, find_matches(filters, person), params, after=position)
    return [key for (key,) in rows]


def _free_candidates(filters: QueueFilter, person: User) -> AnnotationQuerySet:
    return candidates(filters, person, now=compiled_queries.SINCE)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _claim_statement(filters: QueueFilter, has_after: bool, from_top: bool) -> Sql:
    person = get_user_model()(pk=compiled_queries.PERSON)
    after: Any = None
    if has_after:
        after = Annotation(pk=_ROW["id"])
        for name, placeholder in _ROW.items():
            after.__dict__[name] = placeholder

    start = None if from_top else after
    free = candidates(filters, person, start, now=compiled_queries.SINCE)
    if from_top:
        free = free.exclude(pk=_ROW["id"])
    return leases.build_claim_statement(
        free,
        _PARAMETER_NAMES,
        person=compiled_queries.PERSON,
        until=_UNTIL,
        now=compiled_queries.SINCE,
    )
