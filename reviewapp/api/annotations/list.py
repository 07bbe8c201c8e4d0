"""A page of annotations: by filters, now or as of an instant, and how many match in all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from reviewapp.annotations.mirror.versions import as_of
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.querysets import AnnotationQuerySet
from reviewapp.api.annotations.render import RenderedAnnotation, render_annotations
from reviewapp.asked import QUESTION_BYTES, Question, stand_in
from reviewapp.bounded_cache import MIB, BoundedCache, bounded_cache
from reviewapp.outbox.models import Change

_COLUMNS = {
    "document_id": "document_id",
    "collection_id": "collection_id",
    "actor_id": "actor_id",
    "retriever_id": "retriever__retriever_id",
}
_FILTERS = {*_COLUMNS, "label"}
# Up to this number, matches are counted for every request. Counting a million takes a hundred times
# as long as listing thirty, so a larger count is cached for half a minute; rows never are.
_MAX_EXACT_COUNT = 2_000
_COUNT_CACHE_SECONDS = 30
_counts: BoundedCache[int] = BoundedCache(most_bytes=MIB)

# The label at a moment: of the newest of our queued changes made before it, else what the first
# edit after it replaced, else upstream's.
_LABEL_AS_OF = """
COALESCE(
    (SELECT c.fields->>'label' FROM outbox_change c
     WHERE c.ref = annotations_annotation.ref AND c.state = 'queued'
       AND c.fields ? 'label' AND c.created_at <= %s
     ORDER BY c.id DESC LIMIT 1),
    (SELECT r->'prior'->>'label' FROM jsonb_array_elements(annotations_annotation.revisions) r
     WHERE r->'prior' ? 'label' AND (r->>'edited_at')::timestamptz > %s
     ORDER BY (r->>'version')::int LIMIT 1),
    annotations_annotation.upstream->>'label'
)
"""


def list_annotations(
    filters: Mapping[str, Any],
    *,
    skip: int,
    limit: int,
) -> tuple[list[RenderedAnnotation], int]:
    """Return up to `limit` annotations after the first `skip`, and the number of matches.

    They are in the order in which they were mirrored.
    """
    moment: datetime | None = filters.get("as_of")
    if moment is None and skip == 0:
        values = {}
        for name, value in filters.items():
            if value is not None and name in _FILTERS:
                values[name] = value
        rows = _first_page(tuple(sorted(values)), limit).ask(**values)
    else:
        rows = list(_select(filters)[skip : skip + limit])

    total = skip + len(rows)
    is_last_page = 0 < len(rows) < limit
    if not is_last_page:
        total = max(_count(filters), total)

    annotations = render_annotations(rows)
    if moment is None:
        return annotations, total

    earlier = []
    for annotation in annotations:
        state = as_of(annotation.state, moment)
        if state:
            earlier.append(RenderedAnnotation(row=annotation.row, state=state))
    return earlier, total


def _select(filters: Mapping[str, Any]) -> QuerySet[Annotation]:
    queued = Change.objects.filter(ref=OuterRef("ref"), state=Change.State.QUEUED)
    return with_related(_matching(filters)).annotate(has_queued=Exists(queued)).order_by("id")


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _first_page(names: tuple[str, ...], limit: int) -> Question[Annotation]:
    placeholders = {name: stand_in(str, index) for index, name in enumerate(names)}
    names_by_placeholder = {value: name for name, value in placeholders.items()}
    return Question(_select(placeholders)[:limit], names_by_placeholder)


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


def _matching(filters: Mapping[str, Any]) -> AnnotationQuerySet:
    rows = Annotation.objects.annotated()
    for name, column in _COLUMNS.items():
        if filters.get(name) is not None:
            rows = rows.filter(**{column: filters[name]})

    label = filters.get("label")
    moment = filters.get("as_of")
    if moment is not None:
        rows = rows.filter(created_at__lte=moment)
    if label is None:
        return rows
    if moment is None:
        return rows.filter(label=label)

    label_then = RawSQL(_LABEL_AS_OF, [moment, moment])  # noqa: S611
    return rows.annotate(label_then=label_then).filter(label_then=label)


def _count(filters: Mapping[str, Any]) -> int:
    """Return the number of matches; above `_MAX_EXACT_COUNT` it may be half a minute old."""
    conditions = sorted((name, str(value)) for name, value in filters.items() if value is not None)
    key = sha256(repr(conditions).encode()).hexdigest()
    cached = _counts.get(key)
    if cached is not None:
        return cached

    matching = _matching(filters).order_by()
    total = matching[: _MAX_EXACT_COUNT + 1].count()
    if total > _MAX_EXACT_COUNT:
        total = matching.count()
        _counts.set(key, total, seconds=_COUNT_CACHE_SECONDS)
    return total
