"""The calls about annotations: /v1/annotations and below.

https://mixpeek.com/docs/api-reference/annotations/list-annotations, and its neighbours for the other calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TypedDict, Unpack

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import AnnotationRecord, BulkResult, Json, Page, VersionsRecord
from reviewapp.mixpeek.wire import Call

MOST_PER_PAGE, MOST_IN_BULK = 500, 1000
CHANGEABLE = ("label", "confidence", "reasoning", "payload", "metadata")


class Filters(TypedDict, total=False):
    """What a list of annotations can be narrowed by: equal values, all of which must match."""

    document_id: str | None
    collection_id: str | None
    label: str | None
    actor_id: str | None
    retriever_id: str | None
    as_of: datetime | None


class Extras(TypedDict, total=False):
    """What a new annotation may carry besides its document and label."""

    collection_id: str | None
    confidence: float | None
    reasoning: str | None
    payload: Json | None
    metadata: Json | None
    retriever_id: str | None
    execution_id: str | None
    stage_name: str | None


def listing(*, skip: int, limit: int, **filters: Unpack[Filters]) -> Call[Page[AnnotationRecord]]:
    """`POST /v1/annotations/list`: filters in the body (all must match), pager in the query."""
    _only(filters, Filters)
    as_of = filters.get("as_of")
    if as_of is not None and as_of.utcoffset() is None:
        raise Refused("as_of needs a time zone.", fields={"as_of": "needs a time zone"})
    body = wire.given(**filters) | ({"as_of": as_of.isoformat()} if as_of else {})
    return Call(
        method="POST",
        path="/v1/annotations/list",
        query={
            "skip": wire.within("skip", skip, 0),
            "limit": wire.within("limit", limit, 1, MOST_PER_PAGE),
        },
        body=wire.body(body),
        reader=partial(record_parser.page, row=record_parser.annotation, total_key="total_count"),
    )


def one(annotation_id: str) -> Call[AnnotationRecord]:
    """`GET /v1/annotations/{annotation_id}`."""
    path = wire.path("/v1/annotations/{annotation_id}", annotation_id=annotation_id)
    return Call(method="GET", path=path, reader=partial(record_parser.annotation, asked=annotation_id))


def create(
    *, document_id: str, label: str, change_reason: str = "", **extras: Unpack[Extras]
) -> Call[AnnotationRecord]:
    """`POST /v1/annotations` with what is given and nothing else."""
    _only(extras, Extras)
    values = wire.given(document_id=document_id, label=label, **extras)
    return Call(
        method="POST",
        path="/v1/annotations",
        body=wire.body(values),
        reader=record_parser.annotation,
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def patch(annotation_id: str, changes: Mapping[str, object], *, change_reason: str = "") -> Call[AnnotationRecord]:
    """`PATCH /v1/annotations/{annotation_id}` with `changes` as they are, None meaning null."""
    wire.changes(changes, allowed=CHANGEABLE, never_null=("label",))
    return Call(
        method="PATCH",
        path=wire.path("/v1/annotations/{annotation_id}", annotation_id=annotation_id),
        body=wire.body(changes),
        reader=partial(record_parser.annotation, asked=annotation_id),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def bulk(updates: Mapping[str, Mapping[str, object]], *, change_reason: str = "") -> Call[tuple[BulkResult, ...]]:
    """`POST /v1/annotations/bulk` with the changes of each annotation, by id; metadata cannot be set so."""
    allowed = tuple(name for name in CHANGEABLE if name != "metadata")
    wire.within("updates", len(updates), 1, MOST_IN_BULK)
    for asked in updates.values():
        wire.changes(asked, allowed=allowed, never_null=("label",))
    items = [{"annotation_id": annotation_id, **asked} for annotation_id, asked in updates.items()]
    return Call(
        method="POST",
        path="/v1/annotations/bulk",
        body=wire.body({"update": items}),
        reader=partial(record_parser.bulk, asked=list(updates)),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def versions(annotation_id: str) -> Call[VersionsRecord]:
    """`GET /v1/annotations/{annotation_id}/versions`."""
    path = wire.path("/v1/annotations/{annotation_id}/versions", annotation_id=annotation_id)
    return Call(method="GET", path=path, reader=partial(record_parser.versions, asked=annotation_id))


def at_version(annotation_id: str, version: int) -> Call[AnnotationRecord]:
    """`GET /v1/annotations/{annotation_id}/versions/{version}`."""
    number = str(wire.within("version", version, 1))
    template = "/v1/annotations/{annotation_id}/versions/{version}"
    path = wire.path(template, annotation_id=annotation_id, version=number)
    return Call(method="GET", path=path, reader=partial(record_parser.annotation, asked=annotation_id))


def _only(given: Mapping[str, object], kind: type[Filters | Extras]) -> None:
    strange = {key: "is not known" for key in given if key not in kind.__annotations__}
    if strange:
        raise Refused(f"Mixpeek does not know these: {', '.join(strange)}.", fields=strange)
