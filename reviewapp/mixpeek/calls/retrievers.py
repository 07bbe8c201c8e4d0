"""The calls about retrievers and their runs: /v1/retrievers and below.

https://docs.mixpeek.com/api-reference/retrievers/execute-retriever, and its neighbours for the other calls.
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
    Page,
    RetrieverRecord,
    Spelling,
)
from reviewapp.mixpeek.wire import Call

MOST_PER_PAGE = 1000
MOST_RESULTS = 500
CHANGEABLE = ("name", "description", "tags")


def listing(*, limit: int, offset: int = 0, cursor: str | None = None) -> Call[Page[RetrieverRecord]]:
    """`POST /v1/retrievers/list`, paged by cursor where the server gave one, else by offset."""
    return Call(
        method="POST",
        path="/v1/retrievers/list",
        query=_pager(limit, offset, cursor),
        body=wire.body({}),
        reader=partial(record_parser.page, row=record_parser.retriever, total_key="total"),
    )


def one(retriever_id: str) -> Call[RetrieverRecord]:
    """`GET /v1/retrievers/{retriever_id}`; the id may also be a name."""
    path = wire.path("/v1/retrievers/{retriever_id}", retriever_id=retriever_id)
    return Call(method="GET", path=path, reader=partial(record_parser.retriever, asked=retriever_id))


def patch(
    retriever_id: str, changes: Mapping[str, object], *, spelling: Spelling | None, change_reason: str = ""
) -> Call[RetrieverRecord]:
    """`PATCH /v1/retrievers/{retriever_id}` with `changes`, our `name` sent as `spelling`, which a rename needs."""
    check(changes)
    if "name" in changes and spelling is None:
        raise Refused("How this server spells the name is not known yet.", fields={"name": "spelling unknown"})
    sent = {spelling if key == "name" and spelling else key: value for key, value in changes.items()}
    return Call(
        method="PATCH",
        path=wire.path("/v1/retrievers/{retriever_id}", retriever_id=retriever_id),
        body=wire.body(sent),
        reader=partial(record_parser.retriever, asked=retriever_id),
        writes=True,
        headers=wire.reason_header(change_reason),
    )


def check(changes: Mapping[str, object]) -> None:
    """Raise `Refused` for changes that no retriever can take: none, other fields, nulls, or no text for a name."""
    wire.changes(changes, allowed=CHANGEABLE, never_null=CHANGEABLE)
    name, tags = changes.get("name", "-"), changes.get("tags", ())
    if not isinstance(name, str) or not name.strip():
        raise Refused("A retriever needs a name.", fields={"name": "must be a text that is not blank"})
    if not isinstance(changes.get("description", ""), str):
        raise Refused("The description must be a text.", fields={"description": "must be a text"})
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise Refused("The tags must be a list of texts.", fields={"tags": "must be a list of texts"})


def prove(record: RetrieverRecord, changes: Mapping[str, object]) -> None:
    """Raise `NotApplied` unless `record` holds every change; the order and the repetition of tags do not count."""
    held = {"name": record.name, "description": record.description, "tags": record.tags}
    missing = {key: f"is still {held[key]!r}" for key in changes if not _same(held[key], changes[key])}
    if missing:
        fields = ", ".join(missing)
        raise NotApplied(f"Mixpeek accepted the change but did not make it: {fields}.", fields=missing)


def _same(held: object, asked: object) -> bool:
    if isinstance(held, tuple) and isinstance(asked, list | tuple):
        return set(held) == set(asked)
    return held == asked


def execute(
    retriever_id: str,
    inputs: Json,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    page_number: int | None = None,
    return_presigned_urls: bool = False,
) -> Call[ExecutionRecord]:
    """`POST /v1/retrievers/{retriever_id}/execute`, paged by cursor, or by offset when `page_number` is given."""
    paging = _result_pager(limit, cursor, page_number)
    values = {"inputs": inputs} | ({"pagination": paging} if paging else {})
    return Call(
        method="POST",
        path=wire.path("/v1/retrievers/{retriever_id}/execute", retriever_id=retriever_id),
        query={"return_presigned_urls": "true"} if return_presigned_urls else None,
        body=wire.body(values),
        reader=partial(record_parser.execution, retriever_id=retriever_id),
        writes=True,
        slow=True,
    )


def _result_pager(limit: int | None, cursor: str | None, page_number: int | None) -> Json:
    size = None if limit is None else wire.within("limit", limit, 1, MOST_RESULTS)
    if page_number is not None:
        if cursor is not None:
            raise Refused("Page by cursor or by number, not both.", fields={"cursor": "not with page_number"})
        number = wire.within("page_number", page_number, 1)
        return {"method": "offset", "page_number": number, **wire.given(page_size=size)}
    given = wire.given(limit=size, cursor=cursor)
    return {"method": "cursor", **given} if given else {}


def executions(retriever_id: str, *, limit: int, offset: int = 0) -> Call[Page[ExecutionSummary]]:
    """`POST /v1/retrievers/{retriever_id}/executions/list`."""
    return Call(
        method="POST",
        path=wire.path("/v1/retrievers/{retriever_id}/executions/list", retriever_id=retriever_id),
        query=_pager(limit, offset, None),
        body=wire.body({}),
        reader=partial(record_parser.execution_page, retriever_id=retriever_id),
    )


def execution(retriever_id: str, execution_id: str) -> Call[ExecutionRecord]:
    """`GET /v1/retrievers/{retriever_id}/executions/{execution_id}`."""
    template = "/v1/retrievers/{retriever_id}/executions/{execution_id}"
    path = wire.path(template, retriever_id=retriever_id, execution_id=execution_id)
    return Call(method="GET", path=path, reader=partial(record_parser.execution, retriever_id=retriever_id))


def _pager(limit: int, offset: int, cursor: str | None) -> dict[str, str | int]:
    size = wire.within("limit", limit, 1, MOST_PER_PAGE)
    if cursor is not None:
        return {"limit": size, "cursor": cursor}
    return {"limit": size, "offset": wire.within("offset", offset, 0)}
