"""Documents: by id, by collection and id, and up to 1000 at once."""

from __future__ import annotations

import json

from tools.sandbox.errors import not_found
from tools.sandbox.request import Call
from tools.sandbox.rules.validation import Field, Json

UNFILED = "col_default"
_BATCH = {
    "document_ids": Field(
        kind="array",
        nullable=False,
        required=True,
        least=1,
        most=1000,
        items=Field(kind="text", nullable=False),
    ),
    "return_presigned_urls": Field(kind="boolean"),
}


def with_collection(document: Json, collection_id: str | None) -> Json:
    """Return the document with the `collection_id` every reply must have at its root."""
    if document.get("collection_id"):
        return document
    return {**document, "collection_id": collection_id or UNFILED}


def _read(call: Call, document_id: str) -> Json | None:
    sql = "SELECT body, collection_id FROM documents WHERE namespace_id = ? AND document_id = ?"
    row = call.store.one(sql, call.namespace, document_id)
    if row is None:
        return None
    body, collection_id = row
    return with_collection(json.loads(body), collection_id)


def get(call: Call) -> Json:
    """Return one document of the namespace, or of the collection in the path; raises a 404."""
    document_id = call.path["document_id"]
    document = _read(call, document_id)
    if document is None:
        raise not_found("document", document_id)

    collection = call.path.get("collection_id")
    if collection is not None:
        accepted = {collection, f"col_{collection}"}
        if document["collection_id"] not in accepted:
            raise not_found("document", document_id)

    if call.flag("return_presigned_urls"):
        return call.presigned(document)
    return document


def batch_get(call: Call) -> Json:
    """Return the documents that exist, in the order asked, and the ids of those that do not."""
    request = call.dialect.accept(call.body, _BATCH)
    documents = []
    missing = []
    for document_id in dict.fromkeys(request["document_ids"]):
        document = _read(call, document_id)
        if document is None:
            missing.append(document_id)
        else:
            documents.append(document)

    if request.get("return_presigned_urls") is not False:
        documents = [call.presigned(document) for document in documents]
    return {"documents": documents, "not_found": missing}
