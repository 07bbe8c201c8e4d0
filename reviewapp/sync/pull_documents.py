"""Fetch the documents of annotations that have nothing to show yet."""

from __future__ import annotations

from reviewapp.annotations import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.audit.trace import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import DocumentRecord
from reviewapp.retrievers.models import Result
from reviewapp.retrievers.snapshot import digest, snapshot
from reviewapp.sync.progress import Progress
from reviewapp.sync.tally import Counts

_PAGE = 500


def pull(client: Client, report: Progress, counts: Counts) -> None:
    """Keep a snapshot of each such document and show it on its annotations; raises `MixpeekError`.

    What has been fetched is not asked for again, so an interrupted pull goes on by itself.
    """
    bare = Annotation.objects.filter(result__isnull=True).exclude(status=Annotation.Status.GONE).order_by("pk")
    last, passed = 0, 0
    while rows := list(bare.filter(pk__gt=last).values_list("pk", "document_id")[:_PAGE]):
        asked = list(dict.fromkeys(document_id for _, document_id in rows))
        batch = client.batch_get_documents(asked, return_presigned_urls=False)
        with acting(None, note="pull"):
            absorb.attach(Result.objects.bulk_create(map(_result, batch.found)))
        counts.new += len(batch.found)
        counts.gone += len(batch.not_found)
        last, passed = rows[-1][0], passed + len(rows)
        report.reach(passed, None)


def _result(document: DocumentRecord) -> Result:
    kept = snapshot(document.body)
    return Result(
        document_id=document.document_id,
        collection_id=document.collection_id or "",
        snapshot=kept,
        digest=digest(kept),
    )
