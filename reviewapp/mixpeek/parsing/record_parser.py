"""Make records from the JSON of answers, in either dialect (see `records` for the words)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from reviewapp.mixpeek.parsing import bounds
from reviewapp.mixpeek.parsing.error_parser import plain
from reviewapp.mixpeek.parsing.json_reader import Fields
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
    Page,
    RetrieverRecord,
    RevisionRecord,
    Spelling,
    VersionRecord,
    VersionsRecord,
    WebhookRecord,
)
from reviewapp.mixpeek.response import Malformed

T = TypeVar("T")
_DOCUMENTS = ("documents", "results", "final_results")
_IDS = ("annotation_id", "retriever_id", "pipeline_id", "execution_id", "document_id", "webhook_id", "event_id")


def annotation(body: Fields, *, asked: str = "") -> AnnotationRecord:
    """Read an annotation; `asked` is the id in the path, for servers that do not repeat it."""
    return AnnotationRecord(
        annotation_id=_annotation_id(body, asked),
        document_id=body.identifier("document_id"),
        namespace_id=body.needed("namespace_id"),
        label=body.needed("label"),
        confidence=body.number("confidence"),
        reasoning=body.bounded_text("reasoning") if body.raw.get("reasoning") is not None else None,
        payload=body.bounded_mapping("payload"),
        metadata=body.bounded_mapping("metadata") if body.has("metadata") else None,
        collection_id=body.text_or_none("collection_id"),
        retriever_id=body.text_or_none("retriever_id"),
        execution_id=body.text_or_none("execution_id"),
        stage_name=body.text_or_none("stage_name"),
        actor_id=body.text("actor_id", "system"),
        actor_type=body.text("actor_type", "system"),
        created_at=body.instant("created_at"),
        updated_at=body.instant("updated_at"),
        version=body.version("version"),
        revisions=_revisions(body),
    )


def _annotation_id(body: Fields, asked: str) -> str:
    """Return the id of an annotation; raises `Malformed` for the answer about another one than was asked for."""
    own = _own_id(body, "annotation_id", asked)
    if asked and own != asked:
        raise Malformed(f"it is about {plain(own)}")
    return own


def _own_id(body: Fields, key: str, asked: str) -> str:
    """Return the id of a record, or the one in the path, for servers that do not repeat it."""
    return body.identifier(key) if body.text(key) or not asked else asked


def _revisions(body: Fields) -> tuple[RevisionRecord, ...]:
    """Return the edits that can be read, the newest up to a bound: without the others, history begins later."""
    revisions, _ = _readable(body.values("revisions"), _revision, place="revisions")
    newest_first = sorted(revisions, key=lambda revision: revision.version, reverse=True)
    kept: list[RevisionRecord] = []
    room: float = bounds.MOST_BODY
    for revision in newest_first[: bounds.MOST_REVISIONS]:
        room -= bounds.size(revision.prior)
        if room < 0:
            break
        kept.append(revision)
    return tuple(reversed(kept))


def _revision(body: Fields) -> RevisionRecord:
    prior = body.bounded_mapping("prior")
    _check_prior(body.inside("prior"))
    return RevisionRecord(
        version=body.needed_version("version"),
        prior=prior,
        edited_at=body.instant("edited_at"),
        edited_by=body.text("edited_by")[: bounds.LONGEST_ID],
        edited_by_type=body.text("edited_by_type")[: bounds.LONGEST_ID],
    )


def _check_prior(prior: Fields) -> None:
    """Raise `Malformed` unless the values that an edit replaced are such as an annotation has."""
    if prior.has("label"):
        prior.needed("label")
    prior.number("confidence")
    prior.bounded_text("reasoning")
    prior.mapping("payload")
    prior.mapping("metadata")


def versions(body: Fields, *, asked: str = "") -> VersionsRecord:
    """Read the list of an annotation's versions."""
    return VersionsRecord(
        annotation_id=body.text("annotation_id", asked),
        current_version=body.needed_version("current_version"),
        versions=tuple(
            VersionRecord(
                version=row.needed_version("version"),
                current=row.flag("current"),
                edited_at=row.instant("edited_at"),
                edited_by=row.text("edited_by"),
                edited_by_type=row.text("edited_by_type"),
                changed_fields=row.texts("changed_fields"),
            )
            for row in body.rows("versions")
        ),
    )


def bulk(body: Fields, *, asked: Sequence[str]) -> tuple[BulkResult, ...]:
    """Read what became of each update; results that name no annotation are in the order asked, if all are there."""
    rows = [row for row in body.rows("results") if row.text("operation", "update") == "update"]
    in_order = asked if len(rows) == len(asked) else [""] * len(rows)
    return tuple(
        BulkResult(
            annotation_id=row.text("annotation_id") or expected,
            success=row.flag("success"),
            error=row.text("error"),
        )
        for row, expected in zip(rows, in_order, strict=True)
    )


def retriever(body: Fields, *, asked: str = "") -> RetrieverRecord:
    """Read a retriever, bare or wrapped in `{"retriever": ...}`."""
    wrapped = body.has("retriever")
    body = body.inside("retriever") if wrapped else body
    spelling: Spelling = "retriever_name" if body.has("retriever_name") or not body.has("name") else "name"
    return RetrieverRecord(
        retriever_id=_own_id(body, body.first("retriever_id", "pipeline_id"), asked),
        name=_name(body, spelling),
        description=body.bounded_text("description"),
        tags=_few(body, "tags"),
        stages=body.objects("stages"),
        input_schema=body.mapping("input_schema"),
        collection_ids=_few(body, body.first("collection_ids", "collection_identifiers")),
        budget_limits=body.mapping("budget_limits"),
        metadata=body.mapping("metadata"),
        version=_or(body.version("version"), 1),
        created_at=body.instant("created_at"),
        updated_at=body.instant("updated_at"),
        created_by=body.text("created_by")[: bounds.LONGEST_ID],
        updated_by=body.text("updated_by")[: bounds.LONGEST_ID],
        spelling=spelling,
        absent=frozenset(key for key in ("description", "tags") if not body.has(key)),
        body=body.bounded_body(),
        complete=not wrapped,
    )


def _few(body: Fields, key: str) -> tuple[str, ...]:
    texts = body.texts(key)
    if len(texts) > bounds.MOST_TEXTS:
        raise Malformed(f"it has {len(texts):,} {key}, more than {bounds.MOST_TEXTS:,}")
    return texts


def _name(body: Fields, key: str) -> str:
    name = body.needed(key)
    body.bounded_text(key)
    return name


def execution(body: Fields, *, retriever_id: str) -> ExecutionRecord:
    """Read a run and its documents, whichever of the three names they come under."""
    pages = body.inside("pagination")
    documents = body.objects(body.first(*_DOCUMENTS))[: bounds.MOST_ROWS]
    rest = {name: value for name, value in body.raw.items() if name not in _DOCUMENTS}
    cursor = pages.text_or_none(pages.first("cursor", "next_cursor"))
    return ExecutionRecord(
        execution_id=body.identifier("execution_id"),
        retriever_id=body.text("retriever_id") or retriever_id,
        status=body.needed("status").lower(),
        inputs=body.bounded_mapping("inputs"),
        query_summary=body.bounded_text("query_summary"),
        documents=documents,
        error=_sentence(body.raw.get("error")),
        warnings=warnings(body) + _skipped(body),
        degraded=body.objects("degraded")[: bounds.MOST_REMARKS],
        next_cursor=cursor if pages.flag("has_next", default=bool(cursor)) else None,
        has_next=pages.flag("has_next", default=bool(cursor)),
        total=pages.count("total"),
        total_returned=_or(body.count("total_returned"), len(documents)),
        documents_retained=body.flag("documents_retained", default=True),
        budget=body.mapping("budget"),
        stage_statistics=body.mapping("stage_statistics"),
        created_at=body.instant("created_at"),
        completed_at=body.instant("completed_at"),
        # A run was paid for: its documents are taken in, whatever else came with them.
        body=rest if bounds.size(rest) <= bounds.MOST_BODY else {},
    )


def execution_summary(body: Fields, *, retriever_id: str) -> ExecutionSummary:
    """Read one row of a retriever's list of runs."""
    return ExecutionSummary(
        execution_id=body.identifier("execution_id"),
        retriever_id=body.text("retriever_id") or retriever_id,
        status=body.needed("status").lower(),
        created_at=body.instant("created_at"),
        completed_at=body.instant("completed_at"),
        duration_ms=body.number("duration_ms"),
        credits_used=body.number("credits_used"),
        total_processed=body.count("total_processed"),
        total_returned=body.count("total_returned"),
        query_summary=body.bounded_text("query_summary"),
        body=body.bounded_body(),
    )


def document(body: Fields) -> DocumentRecord:
    """Read a document and gather its files from the places where servers keep them."""
    internal = body.inside("_internal")
    places = ((body, "document_blobs"), (body, "source_blobs"))
    inner = ((internal, "document_blobs"), (internal, "source_blobs"))
    blobs = [_blob(row) for holder, key in places + inner for row in holder.rows(key)]
    return DocumentRecord(
        document_id=body.needed("document_id"),
        collection_id=body.text_or_none("collection_id"),
        body=body.raw,
        blobs=_each_once(blobs)[: bounds.MOST_BLOBS],
    )


def _blob(body: Fields) -> BlobRecord:
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


def _each_once(blobs: Iterable[BlobRecord]) -> tuple[BlobRecord, ...]:
    found: dict[tuple[str, str, str], BlobRecord] = {}
    for blob in blobs:
        key = (blob.field, blob.role, blob.url)
        # The same file may stand in two places with its presigned URL in only one of them.
        if key not in found or (blob.presigned_url and not found[key].presigned_url):
            found[key] = blob
    return tuple(found.values())


def documents(body: Fields) -> Page[DocumentRecord]:
    """Read the documents of a batch; which ones are missing is for the caller to see."""
    if not body.has("documents"):
        raise Malformed("the answer has no documents")
    items, left_out = _readable(body.values("documents"), document, place="documents")
    return Page(items=items, left_out=left_out)


def _readable(
    values: Sequence[Any], read: Callable[[Fields], T], *, place: str
) -> tuple[tuple[T, ...], tuple[LeftOut, ...]]:
    """Return what can be read of a list, and what cannot: one bad record spoils no page."""
    items, left_out = [], []
    for at, value in enumerate(values):
        try:
            items.append(read(Fields(value, f"{place}[{at}]")))
        except Malformed as error:
            left_out.append(LeftOut(name=_name_of(value) or f"{place}[{at}]", reason=plain(str(error))))
    return tuple(items), tuple(left_out)


def _name_of(value: Any) -> str:
    """Return the id of a record that cannot be read, as far as it has one."""
    named = value if isinstance(value, dict) else {}
    ids = (named.get(key) for key in _IDS)
    return plain(next((name for name in ids if isinstance(name, str) and name), ""))[: bounds.LONGEST_ID]


def page(body: Fields, row: Callable[[Fields], T], *, total_key: str) -> Page[T]:
    """Read one page of a list: rows under `results`, the total under `total_key` or in `pagination`.

    A list call answered by something that is neither a page nor empty is malformed, not an empty list.
    """
    known = ("results", total_key, "pagination")
    if body.raw and not any(body.has(key) for key in known):
        raise Malformed("the answer is not a page of results")
    rows = body.values("results")
    items, left_out = _readable(rows, row, place="results")
    pages = body.inside("pagination")
    totals = (body.count(total_key), pages.count("total"))
    return Page(
        items=items,
        # Servers leave the total at its default, 0, when they did not count.
        total=next((total for total in totals if total is not None and total >= len(rows)), None),
        next=pages.text_or_none("next_cursor"),
        warnings=warnings(body),
        left_out=left_out,
    )


def execution_page(body: Fields, *, retriever_id: str) -> Page[ExecutionSummary]:
    """Read one page of runs; its `pagination` is `{total, limit, offset, has_next}`, unlike all the others."""
    rows = page(body, lambda row: execution_summary(row, retriever_id=retriever_id), total_key="total")
    pages = body.inside("pagination")
    following = _or(pages.count("offset"), 0) + rows.rows
    more = pages.flag("has_next") and bool(rows.rows)
    return replace(rows, next=following if more else None)


def warnings(body: Fields) -> tuple[str, ...]:
    """Read `warnings` as sentences: texts as they are, objects by their resource, reason and next step."""
    found = body.raw.get("warnings")
    entries = found[: bounds.MOST_REMARKS] if isinstance(found, list) else [found]
    return tuple(sentence for sentence in map(_sentence, entries) if sentence)


def _sentence(value: object) -> str:
    if isinstance(value, dict):
        keys = ("message", "resource", "id", "reason", "next_step")
        sentence = ": ".join(str(value[key]) for key in keys if value.get(key)) or str(value)
    else:
        sentence = "" if value is None else str(value)
    return sentence[: bounds.LONGEST_TEXT]


def _skipped(body: Fields) -> tuple[str, ...]:
    if not body.flag("enrichment_skipped"):
        return ()
    reason = _sentence(body.raw.get("enrichment_skip_reason")) or "no reason given"
    return (f"Enrichment was skipped: {reason}",)


def feed(body: Fields) -> FeedPage:
    """Read a stretch of the change feed; without a `next_cursor`, the last event's own says where to go on."""
    if not body.has("results"):
        raise Malformed("the answer is not a page of events")
    items, left_out = _readable(body.values("results"), _event, place="results")
    following = body.text_or_none("next_cursor") or (items[-1].cursor if items else None)
    if left_out and following is None:
        raise Malformed(f"{left_out[0].reason}, and nothing says where to go on")
    if following is not None and len(following) > bounds.LONGEST_CURSOR:
        raise Malformed(f"its cursor is longer than {bounds.LONGEST_CURSOR:,} characters")
    return FeedPage(items=items, cursor=following, has_more=body.flag("has_more"), left_out=left_out)


def _event(body: Fields) -> FeedEvent:
    return FeedEvent(
        seq=body.needed_integer("seq"),
        cursor=body.needed("cursor"),
        event_type=body.needed("event_type"),
        resource_type=body.text("resource_type"),
        operation=body.text("operation", "other"),
        payload=body.mapping("payload"),
        namespace_id=body.text_or_none("namespace_id"),
        trace_id=body.text("trace_id"),
        created_at=body.instant("created_at"),
    )


def webhook(body: Fields) -> WebhookRecord:
    """Read a registered webhook."""
    return WebhookRecord(
        webhook_id=body.needed("webhook_id"),
        name=body.needed("webhook_name"),
        event_types=body.texts("event_types"),
        channels=body.objects("channels"),
        is_active=body.flag("is_active", default=True),
        delivery_health=body.mapping("delivery_health"),
    )


def _or(number: int | None, default: int) -> int:
    return default if number is None else number
