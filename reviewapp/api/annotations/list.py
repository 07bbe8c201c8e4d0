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
from reviewapp.api.annotations.render import Shown, show
from reviewapp.asked import QUESTION_BYTES, Question, stand_in
from reviewapp.bounded_cache import MIB, BoundedCache, bounded_cache
from reviewapp.outbox.models import Change

_COLUMNS = {
    "document_id": "document_id",
    "collection_id": "collection_id",
    "actor_id": "actor_id",
    "retriever_id": "retriever__retriever_id",
}
_COMPARED = {*_COLUMNS, "label"}
# So many are counted each time. To count a million takes a hundred times as long as to list thirty of them: a number
# that large is counted twice a minute, and in between is a little behind; whatever is listed never is.
_COUNTED = 2_000
_COUNT_HOLDS = 30
_counts: BoundedCache[int] = BoundedCache(most_bytes=MIB)

# The label at an instant: of the newest of our queued changes made before it, else what the first edit after it
# replaced, else upstream's.
_LABEL_AS_OF = """
COALESCE(
    (SELECT c.fields->>'label' FROM outbox_change c
     WHERE c.ref = annotations_annotation.ref AND c.state = 'queued' AND c.fields ? 'label' AND c.created_at <= %s
     ORDER BY c.id DESC LIMIT 1),
    (SELECT r->'prior'->>'label' FROM jsonb_array_elements(annotations_annotation.revisions) r
     WHERE r->'prior' ? 'label' AND (r->>'edited_at')::timestamptz > %s
     ORDER BY (r->>'version')::int LIMIT 1),
    annotations_annotation.upstream->>'label'
)
"""


def page(filters: Mapping[str, Any], *, skip: int, limit: int) -> tuple[list[Shown], int]:
    """Return up to `limit` annotations after the first `skip`, in the order they came to us, and how many match."""
    instant: datetime | None = filters.get("as_of")
    if instant is None and skip == 0:
        given = {name: value for name, value in filters.items() if value is not None and name in _COMPARED}
        rows = _first_page(tuple(sorted(given)), limit).ask(**given)
    else:
        rows = list(_listed(filters)[skip : skip + limit])
    total = skip + len(rows) if 0 < len(rows) < limit else max(_count(filters), skip + len(rows))
    found = show(rows)
    if instant is None:
        return found, total
    then = [(each, as_of(each.state, instant)) for each in found]
    return [Shown(row=each.row, state=state) for each, state in then if state], total


def _listed(filters: Mapping[str, Any]) -> QuerySet[Annotation]:
    queued = Change.objects.filter(ref=OuterRef("ref"), state=Change.State.QUEUED)
    return with_names(_matching(filters)).annotate(has_queued=Exists(queued)).order_by("id")


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _first_page(names: tuple[str, ...], limit: int) -> Question[Annotation]:
    given = {name: stand_in(str, at) for at, name in enumerate(names)}
    return Question(_listed(given)[:limit], {value: name for name, value in given.items()})


def by_label_of(filters: Mapping[str, Any]) -> dict[str, int]:
    """Return how many annotations have which label, of those whose columns have these values."""
    matching = Annotation.objects.annotated().filter(**filters).order_by("label")
    return dict(matching.values_list("label").annotate(found=Count("id")))


def with_names(rows: AnnotationQuerySet) -> AnnotationQuerySet:
    """Return the rows with the names of what they refer to, without the columns that only the queue reads."""
    return rows.select_related("retriever", "reviewer").defer(
        "search", "words", "proposed", "excerpt", "title", "retriever__stages", "retriever__input_schema"
    )


def _matching(filters: Mapping[str, Any]) -> AnnotationQuerySet:
    rows = Annotation.objects.annotated()
    for name, column in _COLUMNS.items():
        if filters.get(name) is not None:
            rows = rows.filter(**{column: filters[name]})
    label, instant = filters.get("label"), filters.get("as_of")
    if instant is None:
        return rows if label is None else rows.filter(label=label)
    rows = rows.filter(created_at__lte=instant)
    if label is None:
        return rows
    return rows.annotate(label_then=RawSQL(_LABEL_AS_OF, [instant, instant])).filter(label_then=label)  # noqa: S611


def _count(filters: Mapping[str, Any]) -> int:
    """Return how many match; of more than `_COUNTED` that is as of half a minute ago at most."""
    said = sorted((name, str(value)) for name, value in filters.items() if value is not None)
    key = sha256(repr(said).encode()).hexdigest()
    found = _counts.get(key)
    if found is None:
        matching = _matching(filters).order_by()
        found = matching[: _COUNTED + 1].count()
        if found > _COUNTED:
            found = matching.count()
            _counts.set(key, found, seconds=_COUNT_HOLDS)
    return found
