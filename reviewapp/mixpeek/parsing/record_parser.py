"""Build records from the JSON of answers, in either dialect of the API.

Each function raises `Malformed` for JSON that is no such record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from reviewapp.mixpeek.parsing import bounds
from reviewapp.mixpeek.parsing.error_parser import single_line
from reviewapp.mixpeek.parsing.json_reader import JsonObject
from reviewapp.mixpeek.records import (
    AnnotationRecord,
    BlobRecord,
    BulkResult,
    DocumentRecord,
    ExecutionRecord,
    ExecutionSummary,
    FeedEvent,
    FeedPage,
    LeftOut,
    RecordPage,
    RetrieverRecord,
    RevisionRecord,
    Spelling,
    WebhookRecord,
)
from reviewapp.mixpeek.response import Malformed

T = TypeVar("T")
_DOCUMENT_KEYS = ("documents", "results", "final_results")
_BLOB_KEYS = ("document_blobs", "source_blobs")
_PAGE_KEYS = ("results", "pagination")
_WARNING_KEYS = ("message", "resource", "id", "reason", "next_step")
_ID_KEYS = (
    "annotation_id",
    "retriever_id",
    "pipeline_id",
    "execution_id",
    "document_id",
    "webhook_id",
    "event_id",
)


def parse_annotation(body: JsonObject, *, expected_id: str = "") -> AnnotationRecord:
    """Parse an annotation; `expected_id` is the id in the path, for servers that omit it."""
    annotation_id = _own_id(body, "annotation_id", expected_id)
    if expected_id and annotation_id != expected_id:
        raise Malformed(f"it is about {single_line(annotation_id)}")

    reasoning = None
    if body.raw.get("reasoning") is not None:
        reasoning = body.bounded_text("reasoning")

    metadata = None
    if body.has("metadata"):
        metadata = body.bounded_mapping("metadata")

    return AnnotationRecord(
        annotation_id=annotation_id,
        document_id=body.required_id("document_id"),
        namespace_id=body.required_text("namespace_id"),
        label=body.required_text("label"),
        confidence=body.number("confidence"),
        reasoning=reasoning,
        payload=body.bounded_mapping("payload"),
        metadata=metadata,
        collection_id=body.text_or_none("collection_id"),
        retriever_id=body.text_or_none("retriever_id"),
        execution_id=body.text_or_none("execution_id"),
        stage_name=body.text_or_none("stage_name"),
        actor_id=body.text("actor_id", "system"),
        actor_type=body.text("actor_type", "system"),
        created_at=body.timestamp("created_at"),
        updated_at=body.timestamp("updated_at"),
        version=body.version("version"),
        revisions=parse_revisions(body),
    )


def _own_id(body: JsonObject, key: str, expected_id: str) -> str:
    if expected_id and not body.text(key):
        return expected_id
    return body.required_id(key)


def parse_revisions(body: JsonObject) -> tuple[RevisionRecord, ...]:
    """Return the newest revisions that can be read, up to a bound, oldest first."""
    readable, _ = _parse_list(body.array("revisions"), parse_revision, path="revisions")
    newest_first = sorted(readable, key=lambda revision: revision.version, reverse=True)

    revisions: list[RevisionRecord] = []
    remaining: float = bounds.MAX_BODY_LENGTH
    for revision in newest_first[: bounds.MAX_REVISIONS]:
        remaining -= bounds.json_length(revision.prior)
        if remaining < 0:
            break
        revisions.append(revision)
    return tuple(reversed(revisions))


def parse_revision(body: JsonObject) -> RevisionRecord:
    """Parse one edit of an annotation."""
    prior = body.bounded_mapping("prior")

    # The replaced values must have the types of an annotation's fields.
    prior_values = body.nested("prior")
    if prior_values.has("label"):
        prior_values.required_text("label")
    prior_values.number("confidence")
    prior_values.bounded_text("reasoning")
    prior_values.mapping("payload")
    prior_values.mapping("metadata")

    return RevisionRecord(
        version=body.required_version("version"),
        prior=prior,
        edited_at=body.timestamp("edited_at"),
        edited_by=body.text("edited_by")[: bounds.MAX_ID_LENGTH],
        edited_by_type=body.text("edited_by_type")[: bounds.MAX_ID_LENGTH],
    )


def parse_bulk_results(body: JsonObject, *, expected_ids: Sequence[str]) -> tuple[BulkResult, ...]:
    """Parse the result of each update of a bulk write.

    Results without an annotation's id are in the order of `expected_ids`, if there is one for each.
    """
    results = body.nested_list("results")
    updates = [row for row in results if row.text("operation", "update") == "update"]
    ids_by_position: Sequence[str] = [""] * len(updates)
    if len(updates) == len(expected_ids):
        ids_by_position = expected_ids

    bulk_results = []
    for row, expected_id in zip(updates, ids_by_position, strict=True):
        result = BulkResult(
            annotation_id=row.text("annotation_id") or expected_id,
            success=row.boolean("success"),
            error=row.text("error"),
        )
        bulk_results.append(result)
    return tuple(bulk_results)


def parse_retriever(body: JsonObject, *, expected_id: str = "") -> RetrieverRecord:
    """Parse a retriever, bare or wrapped in `{"retriever": ...}`."""
    is_wrapped = body.has("retriever")
    if is_wrapped:
        body = body.nested("retriever")

    spelling: Spelling = "retriever_name"
    if body.has("name") and not body.has("retriever_name"):
        spelling = "name"

    id_key = body.first_present("retriever_id", "pipeline_id")
    retriever_id = _own_id(body, id_key, expected_id)
    name = body.required_text(spelling)
    body.bounded_text(spelling)

    version = body.version("version")
    if version is None:
        version = 1

    collection_key = body.first_present("collection_ids", "collection_identifiers")
    return RetrieverRecord(
        retriever_id=retriever_id,
        name=name,
        description=body.bounded_text("description"),
        tags=_bounded_texts(body, "tags"),
        stages=body.mappings("stages"),
        input_schema=body.mapping("input_schema"),
        collection_ids=_bounded_texts(body, collection_key),
        budget_limits=body.mapping("budget_limits"),
        metadata=body.mapping("metadata"),
        version=version,
        created_at=body.timestamp("created_at"),
        updated_at=body.timestamp("updated_at"),
        created_by=body.text("created_by")[: bounds.MAX_ID_LENGTH],
        updated_by=body.text("updated_by")[: bounds.MAX_ID_LENGTH],
        spelling=spelling,
        absent=frozenset(key for key in ("description", "tags") if not body.has(key)),
        body=body.bounded_body(),
        complete=not is_wrapped,
    )


def _bounded_texts(body: JsonObject, key: str) -> tuple[str, ...]:
    texts = body.texts(key)
    if len(texts) > bounds.MAX_STRINGS:
        raise Malformed(f"it has {len(texts):,} {key}, more than {bounds.MAX_STRINGS:,}")
    return texts


def parse_execution(body: JsonObject, *, retriever_id: str) -> ExecutionRecord:
    """Parse an execution and its documents, whichever of three keys holds them."""
    documents_key = body.first_present(*_DOCUMENT_KEYS)
    documents = body.mappings(documents_key)[: bounds.MAX_ROWS]

    pagination = body.nested("pagination")
    cursor = pagination.text_or_none(pagination.first_present("cursor", "next_cursor"))
    has_next = pagination.boolean("has_next", default=bool(cursor))
    next_cursor = None
    if has_next:
        next_cursor = cursor

    total_returned = body.count("total_returned")
    if total_returned is None:
        total_returned = len(documents)

    # The run was paid for, so its documents are accepted even if the rest is too large to store.
    rest = {key: value for key, value in body.raw.items() if key not in _DOCUMENT_KEYS}
    if bounds.json_length(rest) > bounds.MAX_BODY_LENGTH:
        rest = {}

    return ExecutionRecord(
        execution_id=body.required_id("execution_id"),
        retriever_id=body.text("retriever_id") or retriever_id,
        status=body.required_text("status").lower(),
        inputs=body.bounded_mapping("inputs"),
        query_summary=body.bounded_text("query_summary"),
        documents=documents,
        error=_to_sentence(body.raw.get("error")),
        warnings=parse_warnings(body) + enrichment_warnings(body),
        degraded=body.mappings("degraded")[: bounds.MAX_WARNINGS],
        next_cursor=next_cursor,
        has_next=has_next,
        total=pagination.count("total"),
        total_returned=total_returned,
        documents_retained=body.boolean("documents_retained", default=True),
        budget=body.mapping("budget"),
        stage_statistics=body.mapping("stage_statistics"),
        created_at=body.timestamp("created_at"),
        completed_at=body.timestamp("completed_at"),
        body=rest,
    )


def parse_execution_summary(body: JsonObject, *, retriever_id: str) -> ExecutionSummary:
    """Parse one row of a retriever's list of executions."""
    return ExecutionSummary(
        execution_id=body.required_id("execution_id"),
        retriever_id=body.text("retriever_id") or retriever_id,
        status=body.required_text("status").lower(),
        created_at=body.timestamp("created_at"),
        completed_at=body.timestamp("completed_at"),
        duration_ms=body.number("duration_ms"),
        credits_used=body.number("credits_used"),
        total_processed=body.count("total_processed"),
        total_returned=body.count("total_returned"),
        query_summary=body.bounded_text("query_summary"),
        body=body.bounded_body(),
    )


def parse_document(body: JsonObject) -> DocumentRecord:
    """Parse a document and collect its files from the places where servers put them."""
    rows: list[JsonObject] = []
    for holder in (body, body.nested("_internal")):
        for key in _BLOB_KEYS:
            rows += holder.nested_list(key)

    blobs: dict[tuple[str, str, str], BlobRecord] = {}
    for blob in map(parse_blob, rows):
        identity = (blob.field, blob.role, blob.url)
        # The same file may be listed twice, with its presigned URL in only one of the places.
        if identity not in blobs or (blob.presigned_url and not blobs[identity].presigned_url):
            blobs[identity] = blob

    return DocumentRecord(
        document_id=body.required_text("document_id"),
        collection_id=body.text_or_none("collection_id"),
        body=body.raw,
        blobs=tuple(blobs.values())[: bounds.MAX_BLOBS],
    )


def parse_blob(body: JsonObject) -> BlobRecord:
    """Parse one file of a document."""
    return BlobRecord(
        field=body.text("field"),
        url=body.text("url"),
        role=body.text("role", "source"),
        type=body.text("type", "other"),
        filename=body.text("filename"),
        content_type=body.text("content_type"),
        size_bytes=body.integer("size_bytes"),
        presigned_url=body.text("presigned_url"),
        unavailable_reason=body.text("unavailable_reason"),
    )


def parse_documents(body: JsonObject) -> RecordPage[DocumentRecord]:
    """Parse the documents of a batch; the caller looks for the ids that are missing."""
    if not body.has("documents"):
        raise Malformed("the answer has no documents")
    items, left_out = _parse_list(body.array("documents"), parse_document, path="documents")
    return RecordPage(items=items, left_out=left_out)


def _parse_list(
    values: Sequence[Any],
    parse: Callable[[JsonObject], T],
    *,
    path: str,
) -> tuple[tuple[T, ...], tuple[LeftOut, ...]]:
    """Return the records of a list and those that cannot be read: one bad record spoils no page."""
    items = []
    left_out = []
    for index, value in enumerate(values):
        item_path = f"{path}[{index}]"
        try:
            items.append(parse(JsonObject(value, item_path)))
        except Malformed as error:
            name = _id_of_unreadable(value) or item_path
            left_out.append(LeftOut(name=name, reason=single_line(str(error))))
    return tuple(items), tuple(left_out)


def _id_of_unreadable(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    for key in _ID_KEYS:
        record_id = value.get(key)
        if isinstance(record_id, str) and record_id:
            return single_line(record_id)[: bounds.MAX_ID_LENGTH]
    return ""


def parse_page(
    body: JsonObject,
    parse_row: Callable[[JsonObject], T],
    *,
    total_key: str,
) -> RecordPage[T]:
    """Parse one page of a list: rows under `results`, the total under `total_key` or `pagination`.

    Raises `Malformed` for an answer that is neither a page nor empty: it is no empty list.
    """
    is_page = not body.raw.keys().isdisjoint({*_PAGE_KEYS, total_key})
    if body.raw and not is_page:
        raise Malformed("the answer is not a page of results")

    rows = body.array("results")
    items, left_out = _parse_list(rows, parse_row, path="results")
    pagination = body.nested("pagination")

    total = None
    for count in (body.count(total_key), pagination.count("total")):
        # Servers leave the total at its default, 0, when they did not count.
        if count is not None and count >= len(rows):
            total = count
            break

    return RecordPage(
        items=items,
        total=total,
        next=pagination.text_or_none("next_cursor"),
        warnings=parse_warnings(body),
        left_out=left_out,
    )


def parse_execution_page(body: JsonObject, *, retriever_id: str) -> RecordPage[ExecutionSummary]:
    """Parse one page of executions.

    Its `pagination` is `{total, limit, offset, has_next}`, unlike that of all other lists.
    """
    parse_row = partial(parse_execution_summary, retriever_id=retriever_id)
    page = parse_page(body, parse_row, total_key="total")

    pagination = body.nested("pagination")
    offset = pagination.count("offset") or 0
    has_next = pagination.boolean("has_next")
    if has_next and page.rows:
        return replace(page, next=offset + page.rows)
    return replace(page, next=None)


def parse_warnings(body: JsonObject) -> tuple[str, ...]:
    """Parse `warnings` as sentences: a text as it is, an object by its resource and reason."""
    warnings = body.raw.get("warnings")
    if not isinstance(warnings, list):
        warnings = [warnings]
    sentences = []
    for warning in warnings[: bounds.MAX_WARNINGS]:
        sentence = _to_sentence(warning)
        if sentence:
            sentences.append(sentence)
    return tuple(sentences)


def _to_sentence(value: object) -> str:
    if value is None:
        return ""
    sentence = ""
    if isinstance(value, dict):
        sentence = ": ".join(str(value[key]) for key in _WARNING_KEYS if value.get(key))
    return (sentence or str(value))[: bounds.MAX_TEXT_LENGTH]


def enrichment_warnings(body: JsonObject) -> tuple[str, ...]:
    """Return why the documents were not enriched, as a warning; none if they were."""
    if not body.boolean("enrichment_skipped"):
        return ()
    reason = _to_sentence(body.raw.get("enrichment_skip_reason")) or "no reason given"
    return (f"Enrichment was skipped: {reason}",)


def parse_feed(body: JsonObject) -> FeedPage:
    """Parse a page of the change feed; `next_cursor` defaults to that of the last event."""
    if not body.has("results"):
        raise Malformed("the answer is not a page of events")
    items, left_out = _parse_list(body.array("results"), parse_event, path="results")

    cursor = body.text_or_none("next_cursor")
    if not cursor:
        cursor = items[-1].cursor if items else None
    if left_out and cursor is None:
        raise Malformed(f"{left_out[0].reason}, and nothing says where to go on")
    if cursor is not None and len(cursor) > bounds.MAX_CURSOR_LENGTH:
        raise Malformed(f"its cursor is longer than {bounds.MAX_CURSOR_LENGTH:,} characters")

    has_more = body.boolean("has_more")
    return FeedPage(items=items, cursor=cursor, has_more=has_more, left_out=left_out)


def parse_event(body: JsonObject) -> FeedEvent:
    """Parse one event of the change feed."""
    return FeedEvent(
        seq=body.required_integer("seq"),
        cursor=body.required_text("cursor"),
        event_type=body.required_text("event_type"),
        resource_type=body.text("resource_type"),
        operation=body.text("operation", "other"),
        payload=body.mapping("payload"),
        namespace_id=body.text_or_none("namespace_id"),
        trace_id=body.text("trace_id"),
        created_at=body.timestamp("created_at"),
    )


def parse_webhook(body: JsonObject) -> WebhookRecord:
    """Parse a registered webhook."""
    return WebhookRecord(
        webhook_id=body.required_text("webhook_id"),
        name=body.required_text("webhook_name"),
        event_types=body.texts("event_types"),
        channels=body.mappings("channels"),
        is_active=body.boolean("is_active", default=True),
        delivery_health=body.mapping("delivery_health"),
    )
