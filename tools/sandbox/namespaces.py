"""Namespaces: the one named at start, and those of the data; a name is the id without `ns_`."""

from __future__ import annotations

from tools.sandbox.errors import not_found
from tools.sandbox.request import Call
from tools.sandbox.resources.retrievers import pager
from tools.sandbox.rules.paging import list_pagination
from tools.sandbox.rules.validation import Field, Json
from tools.sandbox.store import Store

_LIST = {
    **dict.fromkeys(("limit", "page_size", "offset", "page"), Field(kind="integer", least=0)),
    **dict.fromkeys(("filters", "sort"), Field(kind="object")),
    "sorts": Field(kind="array"),
    "search": Field(kind="text"),
    "case_sensitive": Field(kind="boolean"),
}


def resolve(store: Store, name: str) -> str | None:
    """Return the id of the namespace with this id or name, or None."""
    row = store.one(
        "SELECT namespace_id FROM namespaces WHERE namespace_id IN (?, ?)",
        name,
        f"ns_{name}",
    )
    return row[0] if row else None


def list_namespaces(call: Call) -> Json:
    """Return a page of namespaces, by id."""
    window = pager(call)
    include_total = call.flag("include_total")
    request = call.dialect.accept(call.body, _LIST)
    search = (request.get("search") or "").casefold()
    rows = call.store.db.execute("SELECT namespace_id FROM namespaces ORDER BY 1")
    ids = [namespace_id for (namespace_id,) in rows]
    matching = [namespace_id for namespace_id in ids if search in namespace_id.casefold()]
    page = matching[window.start : window.start + window.size]
    pages = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    return {
        "results": [_body(call, namespace_id) for namespace_id in page],
        "pagination": pages,
        "total_count": len(matching),
    }


def get(call: Call) -> Json:
    """Return one namespace by id or name; raises a 404."""
    name = call.path["namespace_id"]
    namespace_id = resolve(call.store, name)
    if namespace_id is None:
        raise not_found("namespace", name)
    return _body(call, namespace_id)


def _body(call: Call, namespace_id: str) -> Json:
    sql = "SELECT count(*), count(DISTINCT collection_id) FROM documents WHERE namespace_id = ?"
    documents, collections = call.store.one(sql, namespace_id)
    return {
        "namespace_id": namespace_id,
        "namespace_name": namespace_id.removeprefix("ns_")[:64],
        "document_count": documents,
        "collection_count": collections,
        "namespace_ready": True,
    }
