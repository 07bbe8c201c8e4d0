"""The call about documents: `POST /v1/documents/batch-get` (index of pages: https://docs.mixpeek.com/docs/llms.txt)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import DocumentBatch, DocumentRecord, Page
from reviewapp.mixpeek.wire import Call

MOST_PER_CALL = 1000


def batch(document_ids: Sequence[str], *, return_presigned_urls: bool) -> Iterator[Call[Page[DocumentRecord]]]:
    """Yield one `POST /v1/documents/batch-get` for each thousand of different ids; none for no ids."""
    ids = list(dict.fromkeys(document_ids))
    if "" in ids:
        raise Refused("A document's id cannot be empty.", fields={"document_ids": "cannot be empty"})
    for start in range(0, len(ids), MOST_PER_CALL):
        asked = {
            "document_ids": ids[start : start + MOST_PER_CALL],
            "return_presigned_urls": return_presigned_urls,
        }
        yield Call(
            method="POST",
            path="/v1/documents/batch-get",
            body=wire.body(asked),
            reader=record_parser.documents,
        )


def gathered(document_ids: Sequence[str], pages: Sequence[Page[DocumentRecord]]) -> DocumentBatch:
    """Sort documents into the order of `document_ids`, each once; whatever is not among them was not found."""
    found = {document.document_id: document for page in pages for document in page.items}
    asked = dict.fromkeys(document_ids)
    return DocumentBatch(
        found=tuple(found[key] for key in asked if key in found),
        not_found=tuple(key for key in asked if key not in found),
        left_out=tuple(record for page in pages for record in page.left_out),
    )
