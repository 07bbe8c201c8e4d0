"""Mixpeek as Python methods.

The methods raise the errors of `exceptions`, and ValueError for a `change_reason` that is no safe
header value: a mistake of ours.

Build one client per process and share it between threads (`Transport` says why that is safe).
Nothing here retries, sleeps or logs. Paths in the docstrings are under the base URL; the vendor's
pages are at https://docs.mixpeek.com/docs/llms.txt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import requests

from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import documents as document_calls
from reviewapp.mixpeek.calls import feed as feed_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.calls import webhooks as webhook_calls
from reviewapp.mixpeek.calls.annotations import Extras, Filters
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.mixpeek.paging import iterate_rows
from reviewapp.mixpeek.rate_hooks import Pace
from reviewapp.mixpeek.records import (
    AnnotationRecord,
    BulkResult,
    DocumentBatch,
    ExecutionRecord,
    ExecutionSummary,
    FeedPage,
    Json,
    LeftOut,
    RecordPage,
    RetrieverRecord,
    Spelling,
    WebhookRecord,
)
from reviewapp.mixpeek.transport import Observer, Timeout, Transport


class Client:
    """A client for one Mixpeek, one API key and one namespace.

    `base_url` with or without `/v1`; `timeout` and `execute_timeout` are (connect, read) in
    seconds, and a whole call may last little longer than both together; `pool_size` is the number
    of open connections, best the number of threads. A `session` of your own brings its own
    adapters. `observe` is called with method, status and seconds of each request; `pace` limits the
    rate. Raises ValueError for settings that can never work. Use as a context manager, or `close()`
    it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        namespace: str,
        timeout: Timeout = (5, 30),
        execute_timeout: Timeout = (5, 120),
        pool_size: int = 10,
        session: requests.Session | None = None,
        observe: Observer | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transport = Transport(
            base_url=base_url,
            api_key=api_key,
            namespace=namespace,
            timeout=timeout,
            slow_timeout=execute_timeout,
            pool_size=pool_size,
            session=session,
            observe=observe,
            pace=pace,
        )
        # Any thread that reads a retriever sets it, always to the same value: no lock needed.
        self._spelling: Spelling | None = None

    def __repr__(self) -> str:
        base_url = self._transport.base_url
        namespace = self._transport.namespace
        return f"Client(base_url={base_url!r}, namespace={namespace!r}, api_key='***')"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all open connections."""
        self._transport.close()

    @property
    def longest_call(self) -> float:
        """The longest a request can take, in seconds, executions excepted.

        A claim must last longer than the requests made under it.
        """
        return self._transport.longest_call

    def list_annotations(
        self,
        *,
        skip: int = 0,
        limit: int = 50,
        **filters: Unpack[Filters],
    ) -> RecordPage[AnnotationRecord]:
        """Return one page of annotations that match all filters: `POST /v1/annotations/list`.

        `skip` from 0, `limit` 1 to 500; filters document_id, collection_id, label, actor_id,
        retriever_id, and `as_of` (aware), which rebuilds each annotation as it was at that time.
        Mixpeek promises no order. Raises `NamespaceUnresolved` for an unknown namespace, whose list
        would look empty.
        """
        return self._transport.send(annotation_calls.list_page(skip=skip, limit=limit, **filters))

    def get_annotation(self, annotation_id: str) -> AnnotationRecord:
        """Return the current annotation: `GET /v1/annotations/{id}`. Raises `NotFound`."""
        return self._transport.send(annotation_calls.get(annotation_id))

    def create_annotation(
        self,
        *,
        document_id: str,
        label: str,
        change_reason: str = "",
        **extras: Unpack[Extras],
    ) -> AnnotationRecord:
        """Create an annotation and return it: `POST /v1/annotations`.

        `label` 1 to 100 characters, `confidence` 0 to 1, `reasoning` up to 5,000, payload,
        metadata, collection_id, retriever_id, execution_id, stage_name; None is not sent. Mixpeek
        has no idempotency: after an `Unavailable` with `maybe_applied`, list by document before
        trying again. `change_reason` as for `patch_annotation`.
        """
        call = annotation_calls.create(
            document_id=document_id,
            label=label,
            change_reason=change_reason,
            **extras,
        )
        return self._transport.send(call)

    def patch_annotation(
        self,
        annotation_id: str,
        changes: Mapping[str, object],
        *,
        change_reason: str = "",
    ) -> AnnotationRecord:
        """Set the fields in `changes` and return the annotation: `PATCH /v1/annotations/{id}`.

        Keys: label, confidence, reasoning, payload, metadata (whole objects, they replace). None is
        sent as null; what Mixpeek does with it is unknown, so compare the reply. Raises `Refused`
        without a request for no changes, other keys or a null label. The last write wins upstream:
        read before, and expect the next version.

        `change_reason`, up to 200 characters of ASCII, is sent as `X-Change-Reason` unless blank;
        Mixpeek stores it as the `reason` of its audit event (from the official SDK's
        `AuditEventResponse`, so not proven for every write). Raises ValueError when it is no safe
        header value.
        """
        call = annotation_calls.patch(annotation_id, changes, change_reason=change_reason)
        return self._transport.send(call)

    def bulk_annotations(
        self,
        updates: Mapping[str, Mapping[str, object]],
        *,
        change_reason: str = "",
    ) -> tuple[BulkResult, ...]:
        """Change up to 1,000 annotations by id, each separately: `POST /v1/annotations/bulk`.

        Keys as for `patch_annotation` but without metadata. Returns the result of each annotation
        that Mixpeek mentions; only a list read afterwards proves it. `change_reason`, as for
        `patch_annotation`, is the same for all.
        """
        return self._transport.send(annotation_calls.bulk(updates, change_reason=change_reason))

    def annotation_at_version(self, annotation_id: str, version: int) -> AnnotationRecord:
        """Return one version, from 1: `GET /v1/annotations/{id}/versions/{version}`."""
        return self._transport.send(annotation_calls.get_version(annotation_id, version))

    def list_retrievers(
        self,
        *,
        left_out: list[LeftOut] | None = None,
    ) -> tuple[RetrieverRecord, ...]:
        """Return all retrievers of the namespace: `POST /v1/retrievers/list`, page by page.

        Records that cannot be read are added to `left_out` instead.
        """

        def fetch(offset: int, cursor: str | None) -> RecordPage[RetrieverRecord]:
            call = retriever_calls.list_page(limit=100, offset=offset, cursor=cursor)
            return self._transport.send(call)

        rows = iterate_rows(
            fetch,
            identity=lambda row: row.retriever_id,
            limit=100,
            left_out=left_out,
        )
        records = tuple(rows)
        if records:
            self._spelling = records[0].spelling
        return records

    def get_retriever(self, retriever_id: str) -> RetrieverRecord:
        """Return one retriever by its id or name: `GET /v1/retrievers/{id}`."""
        record = self._transport.send(retriever_calls.get(retriever_id))
        self._spelling = record.spelling
        return record

    def patch_retriever(
        self,
        retriever_id: str,
        changes: Mapping[str, object],
        *,
        change_reason: str = "",
    ) -> RetrieverRecord:
        """Rename, describe or tag a retriever and return it: `PATCH /v1/retrievers/{id}`.

        Keys: name (not blank), description, tags (replaces the list; [] empties it). 1. Read how
        this server spells the name, if unknown. 2. Send that spelling alone. 3. Read again if the
        answer left fields out; an error of that read has `maybe_applied`. 4. Raise `NotApplied`
        unless every change is there. Raises `Refused` without a request for no changes, other keys
        or nulls. `change_reason` as for `patch_annotation`.
        """
        retriever_calls.check_edited_fields(changes)
        if "name" in changes and self._spelling is None:
            self.get_retriever(retriever_id)

        call = retriever_calls.patch(
            retriever_id,
            changes,
            spelling=self._spelling,
            change_reason=change_reason,
        )
        record = self._transport.send(call)
        if record.absent:
            try:
                record = self.get_retriever(record.retriever_id)
            except MixpeekError as error:
                error.maybe_applied = True
                raise
        retriever_calls.raise_unless_applied(record, changes)
        return record

    def execute_retriever(
        self,
        retriever_id: str,
        inputs: Json,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        page_number: int | None = None,
        return_presigned_urls: bool = False,
    ) -> ExecutionRecord:
        """Run a retriever and return one page of its results: `POST /v1/retrievers/{id}/execute`.

        `inputs` by the names in its input_schema; `limit` 1 to 500 documents. The next page is the
        same call with `cursor=record.next_cursor`, or with `page_number` from 1 on. A failed run is
        returned too, with `failed` and `error`; look also at `warnings` and `degraded`. Uses the
        execute timeout.
        """
        call = retriever_calls.execute(
            retriever_id,
            inputs,
            limit=limit,
            cursor=cursor,
            page_number=page_number,
            return_presigned_urls=return_presigned_urls,
        )
        return self._transport.send(call)

    def executions(
        self,
        retriever_id: str,
        *,
        left_out: list[LeftOut] | None = None,
    ) -> Iterator[ExecutionSummary]:
        """Yield each execution of a retriever once: `POST /v1/retrievers/{id}/executions/list`.

        Records that cannot be read are added to `left_out`. Mixpeek refuses offsets beyond 10,000,
        so a longer list ends in `Refused` after that many rows.
        """

        def fetch(offset: int, _cursor: str | None) -> RecordPage[ExecutionSummary]:
            call = retriever_calls.list_executions(retriever_id, limit=100, offset=offset)
            return self._transport.send(call)

        return iterate_rows(
            fetch,
            identity=lambda row: row.execution_id,
            limit=100,
            left_out=left_out,
        )

    def get_execution(self, retriever_id: str, execution_id: str) -> ExecutionRecord:
        """Return a stored run, mostly without its rows.

        `GET /v1/retrievers/{id}/executions/{execution_id}`
        """
        return self._transport.send(retriever_calls.get_execution(retriever_id, execution_id))

    def batch_get_documents(
        self,
        document_ids: Sequence[str],
        *,
        return_presigned_urls: bool = True,
    ) -> DocumentBatch:
        """Return documents by id, 1,000 a request: `POST /v1/documents/batch-get`.

        Presigned URLs work for about an hour and must not be stored. No ids make no request.
        """
        calls = document_calls.batch_get(document_ids, return_presigned_urls=return_presigned_urls)
        pages = [self._transport.send(call) for call in calls]
        return document_calls.merge_pages(document_ids, pages)

    def events(self, event_type: str, *, cursor: str | None = None, limit: int = 100) -> FeedPage:
        """Return the events after `cursor` in our namespace, oldest first: `GET /v1/events`.

        One `event_type`; `limit` 1 to 1,000. A cursor is valid for one event type only. Without a
        cursor the feed begins 90 days ago. Raises `NotFound` for a server without a feed.
        """
        call = feed_calls.events(event_type, cursor=cursor, limit=limit)
        return self._transport.send(call)

    def list_webhooks(self) -> tuple[WebhookRecord, ...]:
        """Return all webhooks of the organization: `POST /v1/organizations/webhooks/list`."""

        def fetch(offset: int, cursor: str | None) -> RecordPage[WebhookRecord]:
            call = webhook_calls.list_page(limit=100, offset=offset, cursor=cursor)
            return self._transport.send(call)

        return tuple(iterate_rows(fetch, identity=lambda row: row.webhook_id, limit=100))

    def put_webhook(
        self,
        *,
        name: str,
        url: str,
        event_types: Sequence[str],
        signing_secret: str | None = None,
        headers: Mapping[str, str] | None = None,
        webhook_id: str | None = None,
    ) -> WebhookRecord:
        """Register a webhook, or replace the one with `webhook_id`.

        `POST` or `PUT /v1/organizations/webhooks`. The webhook is active afterwards. With a
        `signing_secret` each delivery is signed (`X-Mixpeek-Signature`); `headers` are sent with
        each delivery. The secret is never returned.
        """
        body = webhook_calls.build_webhook(
            name=name,
            url=url,
            event_types=event_types,
            signing_secret=signing_secret,
            headers=headers or {},
        )
        if webhook_id is None:
            return self._transport.send(webhook_calls.create(body))
        return self._transport.send(webhook_calls.replace(webhook_id, body))
