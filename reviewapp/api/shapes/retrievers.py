"""Mixpeek's shapes of retrievers and their runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reviewapp.api.shapes.fields import Flag, Instant, Number, Object, Text, Whole, optional, shape
from reviewapp.api.shapes.refusals import PaginationResponse

MOST_OFFSET, MOST_PER_PAGE, DEFAULT_PER_PAGE, MOST_ROWS = 10_000, 1000, 10, 500


def texts(**options: Any) -> Any:
    """Return a field for a list of texts that may be left out."""
    return serializers.ListField(child=Text(), **{"required": False, "allow_null": True} | options)


Pager = shape(
    "Pager",
    "Mixpeek's common pager: `limit` wins over `page_size`, a cursor over `offset`, that over `page`.",
    limit=Whole(required=False, min_value=1, max_value=MOST_PER_PAGE),
    page_size=Whole(required=False, min_value=1, max_value=MOST_PER_PAGE),
    offset=Whole(required=False, min_value=0, max_value=MOST_OFFSET),
    page=Whole(required=False, min_value=1, max_value=MOST_OFFSET),
    cursor=Text(required=False),
    next_cursor=Text(required=False),
    after=Text(required=False),
    include_total=Flag(required=False, default=False),
)
Sort = shape(
    "SortOption",
    "One order.",
    field=Text(min_length=1),
    direction=serializers.ChoiceField(choices=["asc", "desc"], required=False, allow_null=True),
)
ListRetrieversRequest = shape(
    "ListRetrieversRequest",
    'What to look for. Filters are `{field: value}` or `{field: {"$in": [...]}}` on retriever_id, retriever_name, '
    "tags and collection_ids; orders are by retriever_name, retriever_id, version, created_at and updated_at.",
    search=optional(Text, max_length=200),
    filters=optional(Object),
    sort=Sort(required=False, allow_null=True),
    sorts=Sort(many=True, required=False, allow_null=True),
    case_sensitive=optional(Flag),
)
PatchRetrieverRequest = shape(
    "PatchRetrieverRequest",
    "What to change. `tags` is the whole list as it is to be; what others add meanwhile stays. Mixpeek's other keys "
    "(stages, input_schema, visibility, ...) are refused: they are not changed through this gateway.",
    retriever_name=Text(required=False, allow_null=True, min_length=1),
    description=optional(Text),
    tags=texts(),
)
_RETRIEVER: dict[str, Any] = {
    "retriever_id": Text(),
    "retriever_name": Text(),
    "description": optional(Text),
    "tags": texts(),
    "stages": serializers.ListField(child=Object()),
    "input_schema": Object(),
    "collection_ids": texts(),
    "collection_identifiers": texts(),
    "budget_limits": optional(Object),
    "version": Whole(),
    "created_at": optional(Instant),
    "updated_at": optional(Instant),
    "fusion": optional(Object),
}
Retriever = shape("RetrieverResponse", "A retriever, with edits that are not delivered yet on top.", **_RETRIEVER)
PatchedRetriever = shape("PatchRetrieverResponse", "The retriever as it stands.", retriever=Retriever())
Warning_ = shape("ListWarning", "What a list could not tell.", resource=Text(), reason=Text(), next_step=Text())
RetrieverList = shape(
    "ListRetrieversResponse",
    "One page.",
    results=Retriever(many=True),
    total=Whole(),
    pagination=PaginationResponse(allow_null=True),
    warnings=Warning_(many=True, allow_null=True),
)
Pagination = shape(
    "ExecutePagination",
    "`cursor` (the default) goes on within the same run; `offset` makes a run for each page.",
    method=serializers.ChoiceField(choices=["cursor", "offset"], required=False),
    limit=Whole(required=False, min_value=1, max_value=MOST_ROWS),
    cursor=optional(Text),
    page_size=Whole(required=False, min_value=1, max_value=MOST_ROWS),
    page_number=Whole(required=False, min_value=1, max_value=MOST_ROWS),
    include_total=optional(Flag),
)
ExecuteQuery = shape("ExecuteQuery", "Twins of the body's switches.", return_presigned_urls=optional(Flag))
ExecuteRetrieverRequest = shape(
    "ExecuteRetrieverRequest",
    "A run, and which page of what it found. `filters`, `expand`, `stream`, `skip_cache`, `return_vectors` and "
    "`explain` are accepted as long as they ask for nothing; this gateway does not pass them on.",
    inputs=optional(Object),
    pagination=Pagination(required=False, allow_null=True),
    limit=optional(Whole, min_value=1, max_value=MOST_ROWS),
    page_size=optional(Whole, min_value=1, max_value=MOST_ROWS),
    return_presigned_urls=optional(Flag),
    filters=optional(Object),
    expand=texts(),
    stream=optional(Flag),
    skip_cache=optional(Flag),
    return_vectors=optional(Flag),
    explain=optional(Flag),
)
NOT_PASSED_ON = ("filters", "expand", "stream", "skip_cache", "return_vectors", "explain")
Execution = shape(
    "ExecuteRetrieverResponse",
    "One page of a run. 200 can be a failure: look at `status` and `error`.",
    execution_id=Text(),
    status=Text(),
    retriever_id=Text(),
    documents=serializers.ListField(child=Object()),
    pagination=Object(),
    stage_statistics=Object(),
    budget=Object(),
    warnings=texts(),
    degraded=serializers.ListField(child=Object()),
    error=optional(Text),
    total_time_ms=optional(Number),
)
