"""Fetch the documents of annotations that have nothing to show yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.mirror.from_upstream import LONGEST_ID
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import DocumentBatch, DocumentRecord, LeftOut
from reviewapp.retrievers.documents.snapshot import digest, snapshot
from reviewapp.retrievers.models import Result
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress import Progress

_PAGE = 500


def pull(client: Client, report: Progress, counts: Counts) -> None:
    """Keep a snapshot of each such document and show it on its annotations; raises `MixpeekError`.

    What has been fetched is not asked for again, so an interrupted pull goes on by itself.
    """
    bare = Annotation.objects.filter(result__isnull=True).exclude(status=Annotation.Status.GONE).order_by("pk")
    last, passed = 0, 0
    while rows := list(bare.filter(pk__gt=last).values_list("pk", "document_id")[:_PAGE]):
        asked = list(dict.fromkeys(document_id for _, document_id in rows))
        batch = _fetched(client, asked)
        with acting(None, note="pull"):
            absorb.attach(Result.objects.bulk_create(map(_result, batch.found)))
        counts.new += len(batch.found)
        counts.gone += len(batch.not_found)
        counts.leave_out(batch.left_out)
        last, passed = rows[-1][0], passed + len(rows)
        report.reach(passed, None)


def _fetched(client: Client, document_ids: Sequence[str]) -> DocumentBatch:
    """Return the documents, in ever smaller batches where an answer cannot be read; one alone is left out."""
    try:
        batch = client.batch_get_documents(document_ids, return_presigned_urls=False)
    except NotFound:
        raise
    except (Refused, Unreadable) as error:
        if len(document_ids) == 1:
            return DocumentBatch(left_out=(LeftOut(name=document_ids[0], reason=error.message),))
        middle = len(document_ids) // 2
        first, second = _fetched(client, document_ids[:middle]), _fetched(client, document_ids[middle:])
        return DocumentBatch(
            found=first.found + second.found,
            not_found=first.not_found + second.not_found,
            left_out=first.left_out + second.left_out,
        )
    named = {record.name for record in batch.left_out}
    return replace(batch, not_found=tuple(name for name in batch.not_found if name not in named))


def _result(document: DocumentRecord) -> Result:
    kept = snapshot(document.body)
    return Result(
        document_id=document.document_id,
        collection_id=(document.collection_id or "")[:LONGEST_ID],
        snapshot=kept,
        digest=digest(kept),
    )
