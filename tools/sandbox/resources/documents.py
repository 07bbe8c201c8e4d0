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


def shown(document: Json, collection_id: str | None) -> Json:
    """Return the document with the `collection_id` every reply must have at its root."""
    if document.get("collection_id"):
        return document
    return {**document, "collection_id": collection_id or UNFILED}


def _read(call: Call, document_id: str) -> Json | None:
    sql = "SELECT body, collection_id FROM documents WHERE namespace_id = ? AND document_id = ?"
    row = call.store.one(sql, call.namespace, document_id)
    return shown(json.loads(row[0]), row[1]) if row else None


def get(call: Call) -> Json:
    """Return one document of the namespace; with a collection in the path, of that collection.
    Raises a 404.
    """
    found = _read(call, call.path["document_id"])
    home = call.path.get("collection_id")
    if found is None or (home is not None and found["collection_id"] not in {home, f"col_{home}"}):
        raise not_found("document", call.path["document_id"])
    return call.presigned(found) if call.flag("return_presigned_urls") else found


def batch_get(call: Call) -> Json:
    """Return the documents that exist, in the order asked, and the ids of those that do not."""
    asked = call.dialect.accept(call.body, _BATCH)
    ids = list(dict.fromkeys(asked["document_ids"]))
    found = {each: _read(call, each) for each in ids}
    documents = [document for document in found.values() if document is not None]
    if asked.get("return_presigned_urls") is not False:
        documents = [call.presigned(document) for document in documents]
    return {"documents": documents, "not_found": [each for each in ids if found[each] is None]}
