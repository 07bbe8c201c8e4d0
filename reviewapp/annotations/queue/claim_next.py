"""Claim the next item of a filter for a person: find, lock and lease it in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.leases import LEASE_DURATION, release_above_limit
from reviewapp.annotations.queue.list_query import KEYS, ListQuery
from reviewapp.annotations.queue.ordering import after_start, order_by, position_parameters
from reviewapp.annotations.queue.search import find_matches, search_page
from reviewapp.postgres.statement import sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation


@dataclass(frozen=True)
class Claim:
    """The first free item, whether it could be leased, and how many others the person holds."""

    annotation_id: int
    is_leased: bool
    others: int


_CLAIM = sql_file(__file__, "claim_next.sql", Claim)
_EXCEPT_CURRENT = "annotations_annotation.id <> %(current)s"
_EXCEPT_OTHERS = "annotations_annotation.id <> ALL(%(excluded)s::bigint[])"
# How many results of a search are tried for one that no other claim has locked.
_MAX_SEARCHED = 20
_MAX_ATTEMPTS = 20


def claim_next_annotation(
    filters: QueueFilter,
    person: User,
    after: Annotation | None,
    *,
    now: datetime,
    only_waiting: bool = False,
) -> int | None:
    """Lease the first free item after `after` to `person`, or the first of all; return its key.

    Items that other pages have only loaded as their next one come last. Returns None if no item is
    free; `only_waiting` passes over decided ones. Pass `after` as it was loaded before its
    decision, because the decision moves it in most orders.
    """
    for takes_prefetched in (False, True):
        pieces = conditions.free(filters, takes_prefetched=takes_prefetched)
        if only_waiting and conditions.WAITING not in pieces:
            pieces.append(conditions.WAITING)
        params = _parameters(filters, person, after, now=now)
        params["takes_prefetched"] = takes_prefetched
        key = _claim_behind(filters, person, pieces, params, after)
        if key is not None:
            return key
    return None


def prefetch_next_annotation(
    filters: QueueFilter,
    person: User,
    after: Annotation,
    *,
    now: datetime,
    excluded: Sequence[int] = (),
) -> int | None:
    """Lease the item that `claim_next_annotation` would give next, to be loaded ahead of time.

    `excluded` are the keys of items whose decisions are still on their way. Returns None if no
    waiting item is free.
    """
    pieces = conditions.free(filters)
    if conditions.WAITING not in pieces:
        return None
    params = _parameters(filters, person, after, now=now)
    params["prefetches"] = True
    if excluded:
        pieces = [*pieces, _EXCEPT_OTHERS]
        params["excluded"] = list(excluded)
    return _claim_behind(filters, person, pieces, params, after)


def _parameters(
    filters: QueueFilter, person: User, current: Annotation | None, *, now: datetime
) -> dict[str, Any]:
    params = conditions.parameters(filters, person, now=now)
    return params | {
        "until": now + LEASE_DURATION,
        "current": current.pk if current else None,
        "prefetches": False,
        "takes_prefetched": False,
    }


def _claim_behind(
    filters: QueueFilter,
    person: User,
    pieces: Sequence[str],
    params: Mapping[str, Any],
    after: Annotation | None,
) -> int | None:
    """Claim the first item behind `after`, or from the top if there is none."""
    if after is None:
        return _claim_first(filters, person, pieces, params)

    pieces = [*pieces, _EXCEPT_CURRENT]
    position = [getattr(after, name.lstrip("-")) for name in filters.order]
    key = _claim_first(filters, person, pieces, params, after=position)
    if key is None:
        key = _claim_first(filters, person, pieces, params)
    return key


def _claim_first(
    filters: QueueFilter,
    person: User,
    pieces: Sequence[str],
    params: Mapping[str, Any],
    *,
    after: Sequence[Any] = (),
) -> int | None:
    """Claim the first item after a position, or the first of all."""
    if not filters.q:
        return _claim_matching(filters, person, pieces, params, after=after)

    query = ListQuery(
        statement=KEYS,
        filters=filters,
        pieces=pieces,
        parameters=params,
        ordering=filters.order,
        limit=_MAX_SEARCHED,
    )
    keys = search_page(query, find_matches(filters, person), after=after)
    among_keys = [*pieces, conditions.AMONG_KEYS]
    key = _claim_matching(filters, person, among_keys, {**params, "keys": keys})
    if key is None and len(keys) == _MAX_SEARCHED:
        # All of them were leased to others meanwhile: search without the limit.
        matching = [*pieces, conditions.MATCHING_WORDS]
        key = _claim_matching(filters, person, matching, params, after=after)
    return key


def _claim_matching(
    filters: QueueFilter,
    person: User,
    pieces: Sequence[str],
    params: Mapping[str, Any],
    *,
    after: Sequence[Any] = (),
) -> int | None:
    """Claim the first item of which all pieces hold."""
    start: dict[str, Any] = {}
    if after:
        pieces = [*pieces, after_start(filters.order)]
        start = position_parameters("start", filters.order, after)

    is_sorted = conditions.is_of_one_person(filters)
    statement = _CLAIM.with_pieces(
        condition=conditions.all_of(pieces),
        order=order_by(filters.order, is_sorted=is_sorted),
    )
    for _ in range(_MAX_ATTEMPTS):
        claim = statement.first(**params, **start)
        if claim is None:
            return None
        if claim.is_leased:
            release_above_limit(person, others=claim.others)
            return claim.annotation_id
        # Another person leased it at this moment; the next attempt sees that lease.
    return None
