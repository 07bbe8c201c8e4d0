"""The call about documents: `POST /v1/documents/batch-get`.

Index of the vendor's pages: https://docs.mixpeek.com/docs/llms.txt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import DocumentBatch, DocumentRecord, LeftOut, RecordPage
from reviewapp.mixpeek.wire import Call

MAX_BATCH_SIZE = 1000


def batch_get(
    document_ids: Sequence[str],
    *,
    return_presigned_urls: bool,
) -> Iterator[Call[RecordPage[DocumentRecord]]]:
    """Yield one `POST /v1/documents/batch-get` for every 1,000 different ids; none for no ids."""
    ids = list(dict.fromkeys(document_ids))
    if "" in ids:
        raise Refused(
            "A document's id cannot be empty.",
            fields={"document_ids": "cannot be empty"},
        )
    for start in range(0, len(ids), MAX_BATCH_SIZE):
        values = {
            "document_ids": ids[start : start + MAX_BATCH_SIZE],
            "return_presigned_urls": return_presigned_urls,
        }
        yield Call(
            method="POST",
            path="/v1/documents/batch-get",
            body=wire.encode_body(values),
            reader=record_parser.parse_documents,
        )


def merge_pages(
    document_ids: Sequence[str],
    pages: Sequence[RecordPage[DocumentRecord]],
) -> DocumentBatch:
    """Return the documents in the order of `document_ids`, each once, and the ids not found."""
    documents: dict[str, DocumentRecord] = {}
    left_out: list[LeftOut] = []
    for page in pages:
        left_out.extend(page.left_out)
        for document in page.items:
            documents[document.document_id] = document

    found = []
    not_found = []
    for document_id in dict.fromkeys(document_ids):
        if document_id in documents:
            found.append(documents[document_id])
        else:
            not_found.append(document_id)
    return DocumentBatch(
        found=tuple(found),
        not_found=tuple(not_found),
        left_out=tuple(left_out),
    )
