"""The pages of the queue's list, and the item before another one in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.querysets import AnnotationQuerySet
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.querysets import in_queue
from reviewapp.annotations.queue.search import ListQuery, find_matches, search_page
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation
    from reviewapp.annotations.queue.search import Matches


def load_queue_page(
    filters: QueueFilter,
    person: User,
    *,
    cursor: str = "",
    found: Matches | None = None,
) -> pagination.Page[Any]:
    """Return one page of the rows (`for_list`) that `filters` show to `person`.

    One query, and a few more for a search; pass `found` if the matches were already looked up.
    Raises `BadCursor`.
    """

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[Any]:
        for name, value in zip(ordering, values, strict=False):
            if not _has_type(value, compiled_queries.COLUMN_TYPES[name.lstrip("-")]):
                raise pagination.BadCursor(cursor)

        params = compiled_queries.parameters(filters, person)
        key_filters = compiled_queries.with_placeholders(filters)
        if filters.q:
            query = ListQuery(
                build=in_queue,
                filters=key_filters,
                ordering=ordering,
                select=_select_list_rows,
                limit=limit,
            )
            matches = found or find_matches(filters, person)
            return search_page(query, matches, params, after=values)

        for number, value in enumerate(values):
            params[f"start{number}"] = value
        return _page_query(key_filters, ordering, bool(values), limit).ask(**params)

    return pagination.paginate(fetch, order=filters.order, cursor=cursor)


def previous_annotation(
    filters: QueueFilter,
    person: User,
    annotation: Annotation,
) -> Annotation | None:
    """Return the item before `annotation` in the list; None for the first one."""
    before = pagination.rows_after(
        in_queue(filters, person),
        order=filters.order,
        row=annotation,
        backwards=True,
    )
    if not filters.q:
        return before.first()

    ordering = pagination.reverse_ordering(filters.order)
    query = ListQuery(
        build=in_queue,
        filters=compiled_queries.with_placeholders(filters),
        ordering=ordering,
        select=select_keys,
        limit=1,
    )
    matches = find_matches(filters, person)
    params = compiled_queries.parameters(filters, person)
    position = [getattr(annotation, name.lstrip("-")) for name in ordering]
    rows = search_page(query, matches, params, after=position)
    return before.filter(pk__in=[key for (key,) in rows]).first()


def select_keys(rows: AnnotationQuerySet) -> Any:
    """Select only the primary key."""
    return rows.values_list("id")


def _select_list_rows(rows: AnnotationQuerySet) -> Any:
    return rows.for_list()


def _has_type(value: object, expected: type) -> bool:
    if isinstance(value, bool):
        return False
    if expected is float:
        return isinstance(value, int | float)
    return isinstance(value, expected)


@bounded_cache(most_bytes=8 * MIB, size=lambda _: QUESTION_BYTES)
def _page_query(
    filters: QueueFilter,
    ordering: tuple[str, ...],
    has_start: bool,
    limit: int,
) -> Question[Any]:
    rows = in_queue(filters, get_user_model()(pk=compiled_queries.PERSON))
    names = dict(compiled_queries.PARAMETER_NAMES)

    if has_start:
        placeholders = compiled_queries.position_placeholders(ordering)
        for number, placeholder in enumerate(placeholders):
            names[placeholder] = f"start{number}"
        rows = rows.filter(pagination.after_q(ordering, placeholders))

    return Question(rows.for_list().order_by(*ordering)[:limit], names)
