"""Mixpeek's shapes of retrievers and their runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reviewapp.api.serializers.common import PaginationResponse
from reviewapp.api.serializers.fields import (
    Flag,
    Instant,
    Number,
    Object,
    Shape,
    Text,
    Whole,
    optional,
    shape,
)

MAX_OFFSET, MAX_PER_PAGE, DEFAULT_PER_PAGE, MAX_ROWS_RETURNED = 10_000, 1000, 10, 500


def texts(**options: Any) -> Any:
    """Return a field for a list of texts that may be left out."""
    return serializers.ListField(child=Text(), **{"required": False, "allow_null": True} | options)


def objects(**options: Any) -> Any:
    """Return a field for a list of objects that may be left out."""
    return serializers.ListField(
        child=Object(),
        **{"required": False, "allow_null": True} | options,
    )


Pager = shape(
    "Pager",
    "Mixpeek's common pager: `limit` wins over `page_size`, a cursor over `offset`, that over "
    "`page`.",
    limit=Whole(required=False, min_value=1, max_value=MAX_PER_PAGE),
    page_size=Whole(required=False, min_value=1, max_value=MAX_PER_PAGE),
    offset=Whole(required=False, min_value=0, max_value=MAX_OFFSET),
    page=Whole(required=False, min_value=1, max_value=MAX_OFFSET),
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
    'What to look for. Filters are `{field: value}` or `{field: {"$in": [...]}}` on '
    "retriever_id, retriever_name, "
    "tags and collection_ids; orders are by retriever_name, retriever_id, version, created_at "
    "and updated_at.",
    search=optional(Text, max_length=200),
    filters=optional(Object),
    sort=Sort(required=False, allow_null=True),
    sorts=Sort(many=True, required=False, allow_null=True),
    case_sensitive=optional(Flag),
)
PatchRetrieverRequest = shape(
    "PatchRetrieverRequest",
    "What to change. `tags` is the whole list as it is to be; what others add meanwhile stays. "
    "Mixpeek's other keys "
    "(stages, input_schema, visibility, ...) are refused: they are not changed through this "
    "gateway.",
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
    "input_schema": optional(Object),
    "collection_ids": texts(),
    "collection_identifiers": texts(),
    "budget_limits": optional(Object),
    "feature_dependencies": objects(),
    "metadata": optional(Object),
    "display_config": optional(Object, help_text="How its public page shows it."),
    "version": Whole(),
    "created_at": optional(Instant),
    "updated_at": optional(Instant),
    "created_by": optional(Text),
    "updated_by": optional(Text),
    "visibility": optional(Text),
    "is_published": optional(Flag, help_text="On a public page or in the marketplace."),
    "marketplace_listing_id": optional(Text),
    "fusion": optional(Text, help_text="learned, rrf, dbsf, ..."),
}
Retriever = shape(
    "RetrieverResponse",
    "A retriever as Mixpeek sent it, fields that are not listed here included, with edits that "
    "are not delivered yet "
    "on top.",
    **_RETRIEVER,
)
PatchedRetriever = shape(
    "PatchRetrieverResponse",
    "The retriever as it stands.",
    retriever=Retriever(),
)
Warning_ = shape(
    "ListWarning",
    "What a list could not tell.",
    resource=Text(),
    reason=Text(),
    next_step=Text(),
)
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
    limit=Whole(required=False, min_value=1, max_value=MAX_ROWS_RETURNED),
    cursor=optional(Text),
    page_size=Whole(required=False, min_value=1, max_value=MAX_ROWS_RETURNED),
    page_number=Whole(required=False, min_value=1, max_value=MAX_ROWS_RETURNED),
    include_total=optional(Flag),
)
ExecuteQuery = shape(
    "ExecuteQuery",
    "Twins of the body's switches.",
    return_presigned_urls=optional(Flag),
)
ExecuteRetrieverRequest = shape(
    "ExecuteRetrieverRequest",
    "A run, and which page of what it found. `filters`, `expand`, `stream`, `skip_cache`, "
    "`return_vectors` and "
    "`explain` are accepted as long as they ask for nothing; this gateway does not pass them on.",
    inputs=optional(Object),
    pagination=Pagination(required=False, allow_null=True),
    limit=optional(Whole, min_value=1, max_value=MAX_ROWS_RETURNED),
    page_size=optional(Whole, min_value=1, max_value=MAX_ROWS_RETURNED),
    return_presigned_urls=optional(Flag),
    filters=optional(Object),
    expand=texts(),
    stream=optional(Flag),
    skip_cache=optional(Flag),
    return_vectors=optional(Flag),
    explain=optional(Flag),
)
NOT_PASSED_ON = ("filters", "expand", "stream", "skip_cache", "return_vectors", "explain")


def execution_fields(**more: Any) -> dict[str, Shape]:
    """Return fresh fields of a run as Mixpeek answers it; a field belongs to one shape."""
    return {
        "execution_id": Text(),
        "status": Text(),
        "retriever_id": Text(),
        "documents": serializers.ListField(child=Object()),
        "pagination": optional(Object),
        "stage_statistics": optional(Object),
        "budget": optional(Object),
        "warnings": texts(help_text="Mixpeek's, then what this gateway has to add."),
        "degraded": objects(),
        "limits": objects(),
        "facets": objects(),
        "completeness": optional(Object),
        "interpretation": optional(Object),
        "diagnostics": optional(Object),
        "error": optional(Text),
        "cache_hit": optional(Flag),
        "cached_at": optional(Number),
        "consistency_mode": optional(Text),
        "enrichment_skipped": optional(Flag),
        "enrichment_skipped_stages": texts(),
        "enrichment_skip_reason": optional(Text),
        "optimization_applied": optional(Flag),
        "optimization_summary": optional(Object),
        "learned_fusion_context": optional(Object),
        "written_to": optional(Object),
        "explain_plan": optional(Object),
        **more,
    }


Execution = shape(
    "ExecuteRetrieverResponse",
    "One page of a run as Mixpeek sent it, fields that are not listed here included. 200 can be "
    "a failure: look at "
    "`status` and `error`.",
    **execution_fields(),
)
ExecutionDetail = shape(
    "ExecutionDetail",
    "A run of the past as Mixpeek tells it, mostly without its rows.",
    **execution_fields(
        created_at=optional(Instant),
        completed_at=optional(Instant),
        current_stage=optional(Text),
        stages_completed=optional(Whole),
        total_stages=optional(Whole),
        documents_retained=optional(
            Flag,
            help_text="False: `documents` is empty because none were stored.",
        ),
        total_returned=optional(Whole),
        trace_id=optional(Text),
    ),
)
ListExecutionsRequest = shape(
    "ListExecutionsRequest",
    'What to look for. Filters are `{field: value}` or `{field: {"$in": [...]}}` on '
    "execution_id and status; "
    "orders are by created_at, completed_at, duration_ms, total_returned, status and execution_id.",
    filters=optional(Object),
    sorts=Sort(many=True, required=False, allow_null=True),
    status=optional(Text),
)
ExecutionSummary = shape(
    "RetrieverExecutionSummary",
    "A run in the list, as Mixpeek sent it.",
    execution_id=Text(),
    status=Text(),
    created_at=Instant(),
    completed_at=optional(Instant),
    duration_ms=Number(),
    credits_used=Number(),
    total_processed=Whole(),
    total_returned=Whole(),
    cache_hit_rate=optional(Number),
    inputs_hash=optional(Text),
    query_summary=optional(Text),
    trace_id=optional(Text),
)
ExecutionPagination = shape(
    "PaginationMetadata",
    "Where this page stands.",
    total=Whole(),
    limit=Whole(),
    offset=Whole(),
    has_next=Flag(),
    next_cursor=optional(
        Text,
        help_text="Ours: goes on after the last row, whatever is run meanwhile.",
    ),
)
ExecutionList = shape(
    "ListExecutionsResponse",
    "One page.",
    results=ExecutionSummary(many=True),
    pagination=ExecutionPagination(),
)
