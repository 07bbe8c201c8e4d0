"""The calls about annotations: /v1/annotations and below.

https://mixpeek.com/docs/api-reference/annotations/list-annotations, and its neighbours for the
other calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TypedDict, Unpack

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import AnnotationRecord, BulkResult, Json, RecordPage
from reviewapp.mixpeek.wire import Call

MAX_PAGE_SIZE = 500
MAX_BULK_UPDATES = 1000
EDITABLE_FIELDS = ("label", "confidence", "reasoning", "payload", "metadata")


class Filters(TypedDict, total=False):
    """Filters of a list of annotations: equal values, all of which must match."""

    document_id: str | None
    collection_id: str | None
    label: str | None
    actor_id: str | None
    retriever_id: str | None
    as_of: datetime | None


class Extras(TypedDict, total=False):
    """The optional fields of a new annotation."""

    collection_id: str | None
    confidence: float | None
    reasoning: str | None
    payload: Json | None
    metadata: Json | None
    retriever_id: str | None
    execution_id: str | None
    stage_name: str | None


def list_page(
    *, skip: int, limit: int, **filters: Unpack[Filters]
) -> Call[RecordPage[AnnotationRecord]]:
    """`POST /v1/annotations/list`: filters in the body (all must match), pager in the query."""
    _raise_for_unknown_keys(filters, Filters)
    body = wire.without_none(**filters)
    as_of = filters.get("as_of")
    if as_of is not None:
        if as_of.utcoffset() is None:
            raise Refused("as_of needs a time zone.", fields={"as_of": "needs a time zone"})
        body["as_of"] = as_of.isoformat()

    parse_page = partial(
        record_parser.parse_page,
        parse_row=record_parser.parse_annotation,
        total_key="total_count",
    )
    return Call(
        method="POST",
        path="/v1/annotations/list",
        query={
            "skip": wire.check_range("skip", skip, 0),
            "limit": wire.check_range("limit", limit, 1, MAX_PAGE_SIZE),
        },
        body=wire.encode_body(body),
        reader=parse_page,
    )


def get(annotation_id: str) -> Call[AnnotationRecord]:
    """`GET /v1/annotations/{annotation_id}`."""
    path = wire.build_path("/v1/annotations/{annotation_id}", annotation_id=annotation_id)
    parse = partial(record_parser.parse_annotation, expected_id=annotation_id)
    return Call(method="GET", path=path, reader=parse)


def create(
    *,
    document_id: str,
    label: str,
    change_reason: str = "",
    **extras: Unpack[Extras],
) -> Call[AnnotationRecord]:
    """`POST /v1/annotations` with the fields that are not None."""
    _raise_for_unknown_keys(extras, Extras)
    values = wire.without_none(document_id=document_id, label=label, **extras)
    return Call(
        method="POST",
        path="/v1/annotations",
        body=wire.encode_body(values),
        reader=record_parser.parse_annotation,
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def patch(
    annotation_id: str,
    changes: Mapping[str, object],
    *,
    change_reason: str = "",
) -> Call[AnnotationRecord]:
    """`PATCH /v1/annotations/{annotation_id}` with `changes` as they are; None is sent as null."""
    wire.check_changes(changes, allowed=EDITABLE_FIELDS, never_null=("label",))
    return Call(
        method="PATCH",
        path=wire.build_path("/v1/annotations/{annotation_id}", annotation_id=annotation_id),
        body=wire.encode_body(changes),
        reader=partial(record_parser.parse_annotation, expected_id=annotation_id),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def bulk(
    updates: Mapping[str, Mapping[str, object]],
    *,
    change_reason: str = "",
) -> Call[tuple[BulkResult, ...]]:
    """`POST /v1/annotations/bulk` with the changes of each annotation, by id, metadata excepted."""
    allowed = tuple(name for name in EDITABLE_FIELDS if name != "metadata")
    wire.check_range("updates", len(updates), 1, MAX_BULK_UPDATES)
    items = []
    for annotation_id, changes in updates.items():
        wire.check_changes(changes, allowed=allowed, never_null=("label",))
        items.append({"annotation_id": annotation_id, **changes})
    return Call(
        method="POST",
        path="/v1/annotations/bulk",
        body=wire.encode_body({"update": items}),
        reader=partial(record_parser.parse_bulk_results, expected_ids=list(updates)),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def get_version(annotation_id: str, version: int) -> Call[AnnotationRecord]:
    """`GET /v1/annotations/{annotation_id}/versions/{version}`."""
    number = str(wire.check_range("version", version, 1))
    template = "/v1/annotations/{annotation_id}/versions/{version}"
    path = wire.build_path(template, annotation_id=annotation_id, version=number)
    parse = partial(record_parser.parse_annotation, expected_id=annotation_id)
    return Call(method="GET", path=path, reader=parse)


def _raise_for_unknown_keys(values: Mapping[str, object], known: type[Filters | Extras]) -> None:
    unknown = {key: "is not known" for key in values if key not in known.__annotations__}
    if unknown:
        raise Refused(f"Mixpeek does not know these: {', '.join(unknown)}.", fields=unknown)
