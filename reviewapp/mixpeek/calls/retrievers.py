"""The calls about retrievers and their runs: /v1/retrievers and below.

https://docs.mixpeek.com/api-reference/retrievers/execute-retriever, and its neighbours for the
other calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.exceptions import NotApplied, Refused
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import (
    ExecutionRecord,
    ExecutionSummary,
    Json,
    RecordPage,
    RetrieverRecord,
    Spelling,
)
from reviewapp.mixpeek.wire import Call

MAX_PAGE_SIZE = 1000
MAX_RESULTS = 500
_EDITABLE_FIELDS = ("name", "description", "tags")


def list_page(
    *,
    limit: int,
    offset: int = 0,
    cursor: str | None = None,
) -> Call[RecordPage[RetrieverRecord]]:
    """`POST /v1/retrievers/list`, paged by cursor where the server gave one, else by offset."""
    parse_page = partial(
        record_parser.parse_page,
        parse_row=record_parser.parse_retriever,
        total_key="total",
    )
    return Call(
        method="POST",
        path="/v1/retrievers/list",
        query=_list_query(limit, offset, cursor),
        body=wire.encode_body({}),
        reader=parse_page,
    )


def get(retriever_id: str) -> Call[RetrieverRecord]:
    """`GET /v1/retrievers/{retriever_id}`; the id may also be a name."""
    path = wire.build_path("/v1/retrievers/{retriever_id}", retriever_id=retriever_id)
    parse = partial(record_parser.parse_retriever, expected_id=retriever_id)
    return Call(method="GET", path=path, reader=parse)


def patch(
    retriever_id: str,
    changes: Mapping[str, object],
    *,
    spelling: Spelling | None,
    change_reason: str = "",
) -> Call[RetrieverRecord]:
    """`PATCH /v1/retrievers/{retriever_id}` with `changes`; the name goes under `spelling`."""
    check_edited_fields(changes)
    if "name" in changes and spelling is None:
        message = "How this server spells the name is not known yet."
        raise Refused(message, fields={"name": "spelling unknown"})

    values = dict(changes)
    if spelling and "name" in values:
        values[spelling] = values.pop("name")
    return Call(
        method="PATCH",
        path=wire.build_path("/v1/retrievers/{retriever_id}", retriever_id=retriever_id),
        body=wire.encode_body(values),
        reader=partial(record_parser.parse_retriever, expected_id=retriever_id),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def check_edited_fields(changes: Mapping[str, object]) -> None:
    """Raise `Refused` for no changes, unknown fields, nulls, a blank name or a wrong type."""
    wire.check_changes(changes, allowed=_EDITABLE_FIELDS, never_null=_EDITABLE_FIELDS)

    name = changes.get("name", "-")
    if not isinstance(name, str) or not name.strip():
        message = "A retriever needs a name."
        raise Refused(message, fields={"name": "must be a text that is not blank"})

    if not isinstance(changes.get("description", ""), str):
        message = "The description must be a text."
        raise Refused(message, fields={"description": "must be a text"})

    tags = changes.get("tags", ())
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        message = "The tags must be a list of texts."
        raise Refused(message, fields={"tags": "must be a list of texts"})


def raise_unless_applied(record: RetrieverRecord, changes: Mapping[str, object]) -> None:
    """Raise `NotApplied` unless `record` has every change; tags are compared as sets."""
    current = {"name": record.name, "description": record.description, "tags": record.tags}
    missing = {}
    for key, value in changes.items():
        is_applied = current[key] == value
        if key == "tags" and isinstance(value, list | tuple):
            is_applied = set(record.tags) == set(value)
        if not is_applied:
            missing[key] = f"is still {current[key]!r}"
    if missing:
        fields = ", ".join(missing)
        raise NotApplied(
            f"Mixpeek accepted the change but did not make it: {fields}.",
            fields=missing,
        )


def execute(
    retriever_id: str,
    inputs: Json,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    page_number: int | None = None,
    return_presigned_urls: bool = False,
) -> Call[ExecutionRecord]:
    """`POST /v1/retrievers/{retriever_id}/execute`, paged by cursor, or by `page_number` from 1."""
    values: Json = {"inputs": inputs}
    pagination = _result_pagination(limit, cursor, page_number)
    if pagination:
        values["pagination"] = pagination

    query = {"return_presigned_urls": "true"} if return_presigned_urls else None
    return Call(
        method="POST",
        path=wire.build_path("/v1/retrievers/{retriever_id}/execute", retriever_id=retriever_id),
        query=query,
        body=wire.encode_body(values),
        reader=partial(record_parser.parse_execution, retriever_id=retriever_id),
        writes=True,
        slow=True,
    )


def _result_pagination(limit: int | None, cursor: str | None, page_number: int | None) -> Json:
    size = None if limit is None else wire.check_range("limit", limit, 1, MAX_RESULTS)
    if page_number is not None:
        if cursor is not None:
            raise Refused(
                "Page by cursor or by number, not both.",
                fields={"cursor": "not with page_number"},
            )
        number = wire.check_range("page_number", page_number, 1)
        return {"method": "offset", "page_number": number, **wire.without_none(page_size=size)}

    values = wire.without_none(limit=size, cursor=cursor)
    if not values:
        return {}
    return {"method": "cursor", **values}


def list_executions(
    retriever_id: str,
    *,
    limit: int,
    offset: int = 0,
) -> Call[RecordPage[ExecutionSummary]]:
    """`POST /v1/retrievers/{retriever_id}/executions/list`."""
    return Call(
        method="POST",
        path=wire.build_path(
            "/v1/retrievers/{retriever_id}/executions/list",
            retriever_id=retriever_id,
        ),
        query=_list_query(limit, offset, None),
        body=wire.encode_body({}),
        reader=partial(record_parser.parse_execution_page, retriever_id=retriever_id),
    )


def get_execution(retriever_id: str, execution_id: str) -> Call[ExecutionRecord]:
    """`GET /v1/retrievers/{retriever_id}/executions/{execution_id}`."""
    template = "/v1/retrievers/{retriever_id}/executions/{execution_id}"
    path = wire.build_path(template, retriever_id=retriever_id, execution_id=execution_id)
    parse = partial(record_parser.parse_execution, retriever_id=retriever_id)
    return Call(method="GET", path=path, reader=parse)


def _list_query(limit: int, offset: int, cursor: str | None) -> dict[str, str | int]:
    size = wire.check_range("limit", limit, 1, MAX_PAGE_SIZE)
    if cursor is not None:
        return {"limit": size, "cursor": cursor}
    return {"limit": size, "offset": wire.check_range("offset", offset, 0)}
