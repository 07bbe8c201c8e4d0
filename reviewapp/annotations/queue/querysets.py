"""The annotations that a person may be given next, and why there may be none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField
from django.db.models.expressions import OrderBy, RawSQL
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.ordering import after_start, columns, position_parameters
from reviewapp.postgres.statement import sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet

MAX_QUEUE_COUNT = 1000

_NAMED_PARAMETER = re.compile(r"%\((\w+)\)s")


def candidates(
    filters: QueueFilter,
    person: User,
    after: Annotation | None = None,
    *,
    now: datetime | None = None,
) -> AnnotationQuerySet:
    """Return the items that `person` may be given, in the filter's order, those after `after`.

    These are the items that the filter shows and nobody else holds. Pass `after` as it was loaded
    before its decision, because the decision moves it in most orders.
    """
    pieces = [*conditions.free(filters), *conditions.searched(filters)]
    params = conditions.parameters(filters, person, now=now or timezone.now())
    if after is None:
        return _in_order(_select(pieces, params), filters)

    pieces.append(after_start(filters.order))
    position = [getattr(after, name.lstrip("-")) for name in filters.order]
    params |= position_parameters("start", filters.order, position)
    return _in_order(_select(pieces, params).exclude(pk=after.pk), filters)


def _select(pieces: Iterable[str], params: Mapping[str, Any]) -> AnnotationQuerySet:
    """Return the annotations of which all pieces of SQL hold."""
    condition = conditions.all_of(pieces)
    values = [params[name] for name in _NAMED_PARAMETER.findall(condition)]
    text = _NAMED_PARAMETER.sub("%s", condition)
    expression = RawSQL(text, values, output_field=BooleanField())  # noqa: S611 - constant text
    return Annotation.objects.filter(expression)


def _in_order(rows: AnnotationQuerySet, filters: QueueFilter) -> AnnotationQuerySet:
    if not conditions.is_of_one_person(filters):
        return rows.order_by(*filters.order)

    row = RawSQL(f"ROW({columns(filters.order)})", [])  # noqa: S611 - constant text
    is_descending = filters.order[0].startswith("-")
    return rows.order_by(OrderBy(row, descending=is_descending))


@dataclass(frozen=True)
class Emptiness:
    """The reasons why there is nothing to do.

    `held` counts items that others hold, of which the first is free at `free_at`; `deferred` and
    `skipped` count items that the person set aside. Counts stop at `MAX_QUEUE_COUNT`.
    """

    held: int
    free_at: datetime | None
    deferred: int
    skipped: int
    narrowed: bool
    nothing_pulled: bool


_EMPTY = sql_file(__file__, "empty.sql", Emptiness)


def explain_empty_queue(filters: QueueFilter, person: User) -> Emptiness:
    """Return why there is nothing for `person` under `filters`. Call it only if that is so."""
    waiting = [
        *conditions.selected(filters),
        *conditions.searched(filters),
        conditions.WAITING,
    ]
    held = [*waiting, conditions.NOT_SET_ASIDE, conditions.HELD_BY_OTHERS]

    statement = _EMPTY.with_pieces(
        cap=str(MAX_QUEUE_COUNT),
        held=conditions.all_of(held),
        deferred=conditions.all_of([*waiting, conditions.DEFERRED]),
        skipped=conditions.all_of([*waiting, conditions.SKIPPED]),
    )
    params = conditions.parameters(filters, person, now=timezone.now())
    (emptiness,) = statement.rows(**params, is_narrowed=filters.is_narrowed)
    return emptiness
