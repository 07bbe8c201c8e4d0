"""The filters of the queue as pieces of SQL: which annotations each of them selects.

Every query of the queue puts its WHERE together from these pieces: the list, the counts of the
chips, the progress, the next item, the one before, and the search. A piece is constant text about
the table `annotations_annotation`; the values that differ from one request to the next are the
named parameters of `parameters`. States and bands are written into the text, so that the planner
knows how frequent they are and which partial index fits, for whatever values it plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Age, Band, QueueFilter, Show, Sort
from reviewapp.annotations.queue.search_query import search_query

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

WAITING = "annotations_annotation.status = 'waiting'"

# What the person has neither skipped nor deferred.
NOT_SET_ASIDE = """
NOT EXISTS (
    SELECT FROM annotations_setaside
    WHERE annotations_setaside.annotation_id = annotations_annotation.id
    AND annotations_setaside.person_id = %(person)s
)
"""

DEFERRED = """
annotations_annotation.id IN (
    SELECT annotation_id FROM annotations_setaside
    WHERE person_id = %(person)s AND kind = 'deferred'
)
"""

SKIPPED = """
annotations_annotation.id IN (
    SELECT annotation_id FROM annotations_setaside
    WHERE person_id = %(person)s AND kind = 'skipped'
)
"""

DRAFTED = """
annotations_annotation.id IN (
    SELECT annotation_id FROM annotations_draft WHERE person_id = %(person)s
)
"""

# By a person, here or upstream, or marked as "can't tell".
DECIDED = "annotations_annotation.status IN ('decided', 'undecidable')"

# With the person's standing decision, also if it is gone upstream since.
DECIDED_BY_PERSON = """
annotations_annotation.reviewer_id = %(person)s AND annotations_annotation.decided_at IS NOT NULL
"""

NEEDING_ATTENTION = """
EXISTS (
    SELECT FROM outbox_change
    WHERE outbox_change.ref = annotations_annotation.ref
    AND outbox_change.state IN ('conflict', 'refused')
)
"""

UNDELIVERED = """
EXISTS (
    SELECT FROM outbox_change
    WHERE outbox_change.ref = annotations_annotation.ref
    AND outbox_change.state = 'queued'
)
"""

# Neither open on another person's page nor loaded there as the next item. The lease of each item is
# looked up: in a join all current leases are read, which the planner takes for one or none, since
# they all end later than those that it counted.
FREE = """
(
    SELECT annotations_lease.until <= %(now)s OR annotations_lease.holder_id = %(person)s
    FROM annotations_lease
    WHERE annotations_lease.annotation_id = annotations_annotation.id
) IS NOT FALSE
"""

# Not open on another person's page.
FREE_OR_PREFETCHED = """
(
    SELECT annotations_lease.until <= %(now)s OR annotations_lease.holder_id = %(person)s
        OR annotations_lease.is_prefetched
    FROM annotations_lease
    WHERE annotations_lease.annotation_id = annotations_annotation.id
) IS NOT FALSE
"""

# Open on another person's page.
HELD_BY_OTHERS = """
EXISTS (
    SELECT FROM annotations_lease
    WHERE annotations_lease.annotation_id = annotations_annotation.id
    AND annotations_lease.until > %(now)s
    AND annotations_lease.holder_id <> %(person)s
    AND NOT annotations_lease.is_prefetched
)
"""

# As a sub-select, the planner never knows the words and uses their index whatever they are. If it
# knew frequent ones, it would read the table instead: it does not know what opening the words of a
# row costs, which are stored apart.
MATCHING_WORDS = "annotations_annotation.search @@ (SELECT %(words)s::tsquery)"

# The same, but the database opens each row instead of using the index of words.
MATCHING_WORDS_WHEN_OPENED = f"CASE WHEN {MATCHING_WORDS} THEN true ELSE false END"

AMONG_KEYS = "annotations_annotation.id = ANY(%(keys)s::bigint[])"

_SHOWS: Mapping[Show, tuple[str, ...]] = {
    Show.WAITING: (WAITING, NOT_SET_ASIDE),
    Show.MINE: (DECIDED_BY_PERSON,),
    Show.DEFERRED: (WAITING, DEFERRED),
    Show.DRAFTS: (DRAFTED,),
    Show.DECIDED: (DECIDED,),
    Show.CONFLICT: (NEEDING_ATTENTION,),
    Show.UNDELIVERED: (UNDELIVERED,),
    Show.ALL: (),
}
_UNDECIDED_SHOWS = frozenset({Show.WAITING, Show.DEFERRED})

_STATUSES: Mapping[str, str] = {
    Annotation.Status.WAITING: WAITING,
    Annotation.Status.DECIDED: "annotations_annotation.status = 'decided'",
    Annotation.Status.UNDECIDABLE: "annotations_annotation.status = 'undecidable'",
    Annotation.Status.GONE: "annotations_annotation.status = 'gone'",
}

# `sureness` is the confidence, -1 where there is none.
_BANDS: Mapping[str, str] = {
    Band.NONE: "annotations_annotation.sureness = -1",
    Band.LOW: "annotations_annotation.sureness >= 0 AND annotations_annotation.sureness < 0.5",
    Band.MIDDLE: "annotations_annotation.sureness >= 0.5 AND annotations_annotation.sureness < 0.8",
    Band.HIGH: "annotations_annotation.sureness >= 0.8",
}

# An age includes its lower bound.
_CREATED = "annotations_annotation.created_at"
AGES: Mapping[Age, str] = {
    Age.DAY: f"{_CREATED} > now() - interval '1 day'",
    Age.WEEK: f"{_CREATED} <= now() - interval '1 day' AND {_CREATED} > now() - interval '7 days'",
    Age.MONTH: f"{_CREATED} <= now() - interval '7 days'"
    f" AND {_CREATED} > now() - interval '30 days'",
    Age.OLDER: f"{_CREATED} <= now() - interval '30 days'",
    Age.UNKNOWN: f"{_CREATED} IS NULL",
}

_RETRIEVER = "annotations_annotation.retriever_id = %(retriever)s"
_LABEL = "annotations_annotation.label = %(label)s"
_REVIEWER = "annotations_annotation.reviewer_id = %(reviewer)s"


def all_of(pieces: Iterable[str]) -> str:
    """Return the condition that all of the pieces hold; "true" without any."""
    return " AND ".join(f"({piece})" for piece in pieces) or "true"


def selected(filters: QueueFilter) -> list[str]:
    """Return the pieces of everything in `filters` except the chip and the search words."""
    pieces = []
    if filters.retriever:
        pieces.append(_RETRIEVER)
    if filters.label:
        pieces.append(_LABEL)
    if filters.status:
        pieces.append(_STATUSES[filters.status])
    if filters.reviewer:
        pieces.append(_REVIEWER)
    if filters.band:
        pieces.append(_BANDS[filters.band])
    if filters.age:
        pieces.append(AGES[Age(filters.age)])
    return pieces


def searched(filters: QueueFilter) -> list[str]:
    """Return the piece of the search words, if there are any."""
    if filters.q:
        return [MATCHING_WORDS]
    return []


def of_chip(show: Show, *, has_reviewer: bool) -> list[str]:
    """Return the pieces of a chip; `has_reviewer` if a reviewer is selected, too."""
    pieces = list(_SHOWS[show])
    if has_reviewer and show in _UNDECIDED_SHOWS:
        # No undecided item has a reviewer, and PostgreSQL would search all of them for one.
        pieces.append("false")
    return pieces


def in_list(filters: QueueFilter) -> list[str]:
    """Return the pieces of all filters except the search words."""
    chip = of_chip(filters.show, has_reviewer=bool(filters.reviewer))
    return [*selected(filters), *chip]


def in_index(filters: QueueFilter) -> list[str]:
    """Return the pieces of `in_list` that an index alone answers: without what was set aside."""
    if filters.show == Show.WAITING:
        return [*selected(filters), WAITING]
    return in_list(filters)


def free(filters: QueueFilter, *, takes_prefetched: bool = False) -> list[str]:
    """Return the pieces of what a person may be given: what is listed and no other person holds.

    `takes_prefetched` adds what other people's pages have only loaded as their next item.
    Waiting has only what is waiting and not set aside by this person, and so has All without a
    status or reviewer; the other chips are lists to walk through.
    """
    is_free = FREE_OR_PREFETCHED if takes_prefetched else FREE
    pieces = [*in_list(filters), is_free]
    if filters.show == Show.ALL and not (filters.status or filters.reviewer):
        pieces += [WAITING, NOT_SET_ASIDE]
    return pieces


def is_of_one_person(filters: QueueFilter) -> bool:
    """Return whether only one person's decisions are left, in another order than they were made.

    Their index finds them all, and they are best sorted: along an index of the order PostgreSQL
    would open everybody's items, and decided items often stand together at its end.
    """
    is_by_one_person = filters.show == Show.MINE or bool(filters.reviewer)
    return is_by_one_person and filters.active_sort != Sort.DECIDED


def parameters(
    filters: QueueFilter,
    person: User,
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Return the values of the named parameters; only what is held by others needs `now`."""
    return {
        "person": person.pk,
        "retriever": filters.retriever,
        "label": filters.label,
        "reviewer": filters.reviewer,
        "words": search_query(filters.q) if filters.q else "",
        "now": now,
    }
