"""A page of annotations: by filters, now or as of an instant, and how many match in all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.db.models import Count

from reviewapp.annotations.mirror.versions import as_of
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.querysets import AnnotationQuerySet
from reviewapp.api.annotations.render import (
    RENDERED_COLUMNS,
    RenderedAnnotation,
    render_annotations,
)
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.postgres.statement import Statement, sql_file
from reviewapp.retrievers.models import Retriever

# As in `AnnotationQuerySet.annotated`.
_ANNOTATED = "annotation.label > '' AND NOT annotation.status = 'gone'"
# What each filter selects.
_CONDITIONS = {
    "document_id": "annotation.document_id = %(document_id)s",
    "collection_id": "annotation.collection_id = %(collection_id)s",
    "actor_id": "annotation.actor_id = %(actor_id)s",
    "retriever_id": """
        annotation.retriever_id = (
            SELECT id FROM retrievers_retriever WHERE retriever_id = %(retriever_id)s
        )
    """,
    "label": "annotation.label = %(label)s",
    "as_of": "annotation.created_at <= %(as_of)s",
}
# Those with an index of few annotations for each value.
_INDEXED = frozenset({"document_id", "retriever_id"})
# The label at a moment: of the newest of our queued changes made before it, else what the first
# edit after it replaced, else upstream's.
_LABEL_AS_OF = """
    COALESCE(
        (SELECT c.fields->>'label' FROM outbox_change c
         WHERE c.ref = annotation.ref AND c.state = 'queued'
           AND c.fields ? 'label' AND c.created_at <= %(as_of)s
         ORDER BY c.id DESC LIMIT 1),
        (SELECT r->'prior'->>'label' FROM jsonb_array_elements(annotation.revisions) r
         WHERE r->'prior' ? 'label' AND (r->>'edited_at')::timestamptz > %(as_of)s
         ORDER BY (r->>'version')::int LIMIT 1),
        annotation.upstream->>'label'
    ) = %(label)s
"""
# Up to this number, matches are counted for every request. Counting a million takes a hundred times
# as long as listing thirty, so a larger count is cached for half a minute; rows never are.
_MAX_EXACT_COUNT = 2_000
_COUNT_CACHE_SECONDS = 30
_counts: BoundedCache[int] = BoundedCache(most_bytes=MIB)


@dataclass(frozen=True)
class ListedAnnotation:
    """An annotation with the related names that are rendered, and whether it has queued changes."""

    annotation: Annotation
    has_queued: bool

    @classmethod
    def from_row(cls, *values: Any) -> Self:
        """Return a row of `list.sql`: `RENDERED_COLUMNS`, the names, whether there are changes."""
        *columns, retriever_id, username, has_queued = values
        annotation = Annotation.from_db("default", RENDERED_COLUMNS, columns)
        if annotation.retriever_id is not None:
            retriever = (annotation.retriever_id, retriever_id)
            annotation.retriever = Retriever.from_db("default", ("id", "retriever_id"), retriever)
        if annotation.reviewer_id is not None:
            reviewer = (annotation.reviewer_id, username)
            annotation.reviewer = get_user_model().from_db("default", ("id", "username"), reviewer)
        return cls(annotation, has_queued)


_LIST = sql_file(__file__, "list.sql", ListedAnnotation.from_row)
_COUNT = sql_file(__file__, "count.sql", int)


def list_annotations(
    filters: Mapping[str, Any],
    *,
    skip: int,
    limit: int,
) -> tuple[list[RenderedAnnotation], int]:
    """Return up to `limit` annotations after the first `skip`, and the number of matches.

    They are in the order in which they were mirrored.
    """
    values = {name: value for name, value in filters.items() if value is not None}
    rows = list_statement(values, skip=skip, limit=limit).rows(**values, skip=skip)

    total = skip + len(rows)
    is_last_page = 0 < len(rows) < limit
    if not is_last_page:
        total = max(count_annotations(values), total)

    refs_with_queued = [row.annotation.ref for row in rows if row.has_queued]
    annotations = render_annotations([row.annotation for row in rows], refs=refs_with_queued)

    moment: datetime | None = values.get("as_of")
    if moment is None:
        return annotations, total

    earlier = []
    for annotation in annotations:
        state = as_of(annotation.state, moment)
        if state:
            earlier.append(RenderedAnnotation(row=annotation.row, state=state))
    return earlier, total


def count_by_label(filters: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of annotations by label, of those whose columns have these values."""
    matching = Annotation.objects.annotated().filter(**filters).order_by("label")
    return dict(matching.values_list("label").annotate(total=Count("id")))


def with_related(rows: AnnotationQuerySet) -> AnnotationQuerySet:
    """Load the related names as well, without the columns that only the queue reads."""
    return rows.select_related("retriever", "reviewer").defer(
        "search",
        "words",
        "proposed",
        "excerpt",
        "title",
        "retriever__stages",
        "retriever__input_schema",
    )


def list_statement(
    values: Collection[str],
    *,
    skip: int,
    limit: int,
) -> Statement[ListedAnnotation]:
    """Return the statement for a page of the annotations that have these values, by name."""
    order = "annotation.id"
    if skip and not _INDEXED.isdisjoint(values):
        # All that is skipped has to be read: rather what matches, off an index, sorted by an
        # expression that no index has, than along the list everything up to there.
        order = "annotation.id + 0"

    columns = ", ".join(f"annotation.{column}" for column in RENDERED_COLUMNS)
    return _LIST.with_pieces(
        columns=columns,
        condition=_condition(values),
        order=order,
        limit=str(limit),
    )


def count_statement(values: Collection[str], *, limit: int | None = None) -> Statement[int]:
    """Return the statement that counts the annotations that have these values, up to `limit`."""
    most = "ALL"
    if limit is not None:
        most = str(limit)
    return _COUNT.with_pieces(condition=_condition(values), limit=most)


def _condition(names: Collection[str]) -> str:
    """Return the condition of all annotations that have the named values."""
    conditions = [_ANNOTATED]
    for name in names:
        if name == "label" and "as_of" in names:
            conditions.append(_LABEL_AS_OF)
        else:
            conditions.append(_CONDITIONS[name])
    return " AND ".join(conditions)


def count_annotations(values: Mapping[str, Any]) -> int:
    """Return the number of matches; above `_MAX_EXACT_COUNT` it may be half a minute old."""
    conditions = sorted((name, str(value)) for name, value in values.items())
    key = sha256(repr(conditions).encode()).hexdigest()
    cached = _counts.get(key)
    if cached is not None:
        return cached

    (total,) = count_statement(values, limit=_MAX_EXACT_COUNT + 1).rows(**values)
    if total > _MAX_EXACT_COUNT:
        (total,) = count_statement(values).rows(**values)
        _counts.set(key, total, seconds=_COUNT_CACHE_SECONDS)
    return total
