"""Fetch the documents of annotations that have no result to show yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.mirror.from_upstream import MAX_STORED_ID_LENGTH
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import DocumentBatch, LeftOut
from reviewapp.retrievers.documents.snapshot import digest, snapshot
from reviewapp.retrievers.models import MissingDocument, Result
from reviewapp.storable import storable_text
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress_output import Progress

_PAGE = 500


def pull(client: Client, progress: Progress, counts: Counts) -> None:
    """Store a snapshot of each such document and attach it to its annotations.

    Documents already fetched are not requested again, so an interrupted pull continues by itself.
    Raises `MixpeekError`.
    """
    without_result = Annotation.objects.filter(result__isnull=True)
    pending = without_result.exclude(status=Annotation.Status.GONE).order_by("pk")
    last_key = 0
    processed = 0

    while True:
        batch = pending.filter(pk__gt=last_key).values_list("pk", "document_id")
        rows = list(batch[:_PAGE])
        if not rows:
            return

        document_ids = list(dict.fromkeys(document_id for _, document_id in rows))
        documents = _fetch(client, document_ids)
        results = []
        for document in documents.found:
            body = snapshot(document.body)
            result = Result(
                document_id=document.document_id,
                collection_id=(document.collection_id or "")[:MAX_STORED_ID_LENGTH],
                snapshot=body,
                digest=digest(body),
            )
            results.append(result)
        with acting(None, note="pull"):
            absorb.attach_results(Result.objects.bulk_create(results))
            _record_missing(documents, document_ids)
        counts.new += len(documents.found)
        counts.gone += len(documents.not_found)
        counts.leave_out(documents.left_out)

        last_key = rows[-1][0]
        processed += len(rows)
        progress.reach(processed, None)


def _record_missing(documents: DocumentBatch, requested_ids: Collection[str]) -> None:
    """Store what Mixpeek answered for each requested document that did not come."""
    now = timezone.now()
    missing = {}
    for document_id in documents.not_found:
        missing[document_id] = MissingDocument(document_id=document_id, requested_at=now)
    # An answer may also hold documents that nobody requested, or that have no id.
    requested = set(requested_ids)
    unreadable = [record for record in documents.left_out if record.name in requested]
    for record in unreadable:
        problem = storable_text(record.reason)
        missing[record.name] = MissingDocument(
            document_id=record.name, problem=problem, requested_at=now
        )
    MissingDocument.objects.bulk_create(
        missing.values(),
        update_conflicts=True,
        unique_fields=["document_id"],
        update_fields=["problem", "requested_at"],
    )

    found = [document.document_id for document in documents.found]
    MissingDocument.objects.filter(document_id__in=found).delete()


def _fetch(client: Client, document_ids: Sequence[str]) -> DocumentBatch:
    """Return the documents; halve the batch when a reply cannot be read, leave out a bad one."""
    try:
        batch = client.batch_get_documents(document_ids, return_presigned_urls=False)
    except NotFound:
        raise
    except (Refused, Unreadable) as error:
        if len(document_ids) == 1:
            left_out = LeftOut(name=document_ids[0], reason=error.message)
            return DocumentBatch(left_out=(left_out,))

        middle = len(document_ids) // 2
        first = _fetch(client, document_ids[:middle])
        second = _fetch(client, document_ids[middle:])
        return DocumentBatch(
            found=first.found + second.found,
            not_found=first.not_found + second.not_found,
            left_out=first.left_out + second.left_out,
        )

    left_out_ids = {record.name for record in batch.left_out}
    not_found = [id_ for id_ in batch.not_found if id_ not in left_out_ids]
    return replace(batch, not_found=tuple(not_found))
