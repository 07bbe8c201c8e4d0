"""Namespaces: the one named at start, and every one a row of the data names. A name is the id without `ns_`."""

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
    window, include_total = pager(call), call.flag("include_total")
    asked = call.dialect.accept(call.body, _LIST)
    words = (asked.get("search") or "").casefold()
    ids = [row[0] for row in call.store.db.execute("SELECT namespace_id FROM namespaces ORDER BY 1")]
    matching = [each for each in ids if words in each.casefold()]
    page = matching[window.start : window.start + window.size]
    pages = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    return {
        "results": [_shown(call, each) for each in page],
        "pagination": pages,
        "total_count": len(matching),
    }


def get(call: Call) -> Json:
    """Return one namespace by id or name; raises a 404."""
    found = resolve(call.store, call.path["namespace_id"])
    if found is None:
        raise not_found("namespace", call.path["namespace_id"])
    return _shown(call, found)


def _shown(call: Call, namespace_id: str) -> Json:
    sql = "SELECT count(*), count(DISTINCT collection_id) FROM documents WHERE namespace_id = ?"
    documents, collections = call.store.one(sql, namespace_id)
    return {
        "namespace_id": namespace_id,
        "namespace_name": namespace_id.removeprefix("ns_")[:64],
        "document_count": documents,
        "collection_count": collections,
        "namespace_ready": True,
    }
