"""Annotations: list, get, create, patch, delete, stats, versions. (Bulk is in bulk.py.)

Where the public reference is silent this server decides, and says so here: what a null in an edit
does is in `nulls`; `payload` and `metadata` are replaced whole; a PATCH that changes nothing makes
no version; lists are in order of creation; a deleted annotation is gone (404) in every way, `as_of`
included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.sandbox.data_folder.import_rows import EDITABLE, annotation_columns
from tools.sandbox.errors import Complaint, Invalid, not_found
from tools.sandbox.request import Call
from tools.sandbox.resources.audit import differences, log_change
from tools.sandbox.resources.events import record
from tools.sandbox.rules.revisions import as_of, at_version, edited, history
from tools.sandbox.rules.validation import Field, Json, parse_instant
from tools.sandbox.store import new_id, now, packed

MOST_SKIPPED = 2**31
_TEXT = Field(kind="text")
_FILTERS = ("document_id", "collection_id", "label", "actor_id", "retriever_id")
_LIST = dict.fromkeys(_FILTERS, _TEXT)
CREATE = {
    "document_id": Field(kind="text", nullable=False, required=True),
    **EDITABLE,
    "label": Field(kind="text", nullable=False, required=True, least=1, most=100),
    **dict.fromkeys(("collection_id", "retriever_id", "execution_id", "stage_name"), _TEXT),
}


def find(call: Call, annotation_id: str) -> Json:
    """Return an annotation; raises a 404."""
    sql = (
        "SELECT body FROM annotations WHERE namespace_id = ? AND annotation_id = ? AND NOT deleted"
    )
    annotation = call.store.body(sql, call.namespace, annotation_id)
    if annotation is None:
        raise not_found("annotation", annotation_id)
    return annotation


def list_annotations(call: Call) -> Json:
    """Return a page by `skip` and `limit`, and how many match in all."""
    skip = call.integer("skip", least=0, most=MOST_SKIPPED) or 0
    limit = call.integer("limit", least=1, most=500) or 50
    fields = dict(_LIST)
    if call.dialect.current:
        fields["as_of"] = Field(kind="instant")
    request = call.dialect.accept(call.body, fields)
    filters = {key: request[key] for key in _FILTERS if request.get(key) is not None}

    if request.get("as_of"):
        matching = list(_as_of(call, filters, request["as_of"]))
        total = len(matching)
        page = matching[skip : skip + limit]
    else:
        where, values = _where(call, filters)
        total = call.store.one(f"SELECT count(*) FROM annotations WHERE {where}", *values)[0]  # noqa: S608 - columns from a fixed list
        sql = f"SELECT body FROM annotations WHERE {where} ORDER BY number LIMIT ? OFFSET ?"  # noqa: S608 - as above
        page = list(call.store.bodies(sql, *values, limit, skip))

    results = [call.dialect.annotation(annotation) for annotation in page]
    return {"results": results, "total_count": total}


def _where(call: Call, filters: Json) -> tuple[str, list[Any]]:
    conditions = ["namespace_id = ?", "NOT deleted"]
    conditions += [f"{column} = ?" for column in filters]
    return " AND ".join(conditions), [call.namespace, *filters.values()]


def _as_of(call: Call, filters: Json, instant: str) -> Iterator[Json]:
    moment = parse_instant(instant)
    sql = "SELECT body FROM annotations WHERE namespace_id = ? AND NOT deleted ORDER BY number"
    for annotation in call.store.bodies(sql, call.namespace):
        earlier = as_of(annotation, moment)
        if earlier is not None and _matches(earlier, filters):
            yield earlier


def _matches(annotation: Json, filters: Json) -> bool:
    return all(annotation.get(key) == value for key, value in filters.items())


def get(call: Call) -> Json:
    """Return one annotation."""
    return call.dialect.annotation(find(call, call.path["annotation_id"]))


def create(call: Call) -> Json:
    """Create an annotation; nothing prevents a second one on the same document."""
    values = call.dialect.accept(call.body, CREATE)
    with call.store.writing():
        return call.dialect.annotation(insert(call, values))


def insert(call: Call, values: Json) -> Json:
    """Write a new annotation inside the open transaction."""
    moment = now()
    annotation = {
        **dict.fromkeys(CREATE),
        **values,
        "annotation_id": new_id("ann"),
        "namespace_id": call.namespace,
        "actor_id": call.actor_id,
        "actor_type": "api_key",
        "created_at": moment,
        "updated_at": moment,
        "version": 1,
        "revisions": [],
    }
    sql = (
        "INSERT INTO annotations (namespace_id, annotation_id, document_id, collection_id, label, actor_id,"
        " retriever_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    call.store.db.execute(sql, annotation_columns(annotation))
    record(call, "annotation.created", _event_payload(annotation))
    log_change(call, "annotation_created", annotation["annotation_id"])
    return annotation


def patch(call: Call) -> Json:
    """Edit an annotation; raises 404 and 422."""
    values = call.dialect.accept(call.body, call.nulls.accepted_fields(EDITABLE))
    with call.store.writing():
        return call.dialect.annotation(update(call, call.path["annotation_id"], values))


def update(call: Call, annotation_id: str, values: Json) -> Json:
    """Edit inside the open transaction and return the annotation as it stands then."""
    before = find(call, annotation_id)
    after = edited(before, call.nulls.values_to_set(values), call.edit())
    if after is before:
        return before

    sql = "UPDATE annotations SET label = ?, body = ? WHERE namespace_id = ? AND annotation_id = ?"
    call.store.db.execute(sql, (after["label"], packed(after), call.namespace, annotation_id))
    changed = sorted(after["revisions"][-1]["prior"])
    record(call, "annotation.updated", {**_event_payload(after), "changed_fields": changed})
    log_change(call, "annotation_updated", annotation_id, differences(before, after, changed))
    return after


def delete(call: Call) -> Json:
    """Delete an annotation; raises a 404."""
    with call.store.writing():
        remove(call, call.path["annotation_id"])
    return {"success": True, "annotation_id": call.path["annotation_id"]}


def remove(call: Call, annotation_id: str) -> None:
    """Delete inside the open transaction.

    The row stays, marked as deleted, so that the data folder cannot bring it back.
    """
    annotation = find(call, annotation_id)
    sql = "UPDATE annotations SET deleted = 1 WHERE namespace_id = ? AND annotation_id = ?"
    call.store.db.execute(sql, (call.namespace, annotation_id))
    record(call, "annotation.deleted", _event_payload(annotation))
    log_change(call, "annotation_deleted", annotation_id)


def stats(call: Call) -> Json:
    """Return how many annotations there are, and how many of each label."""
    filters = {
        key: call.query[key] for key in ("document_id", "collection_id") if key in call.query
    }
    where, values = _where(call, filters)
    sql = f"SELECT label, count(*) FROM annotations WHERE {where} GROUP BY label ORDER BY label"  # noqa: S608 - columns from a fixed list
    by_label = dict(call.store.db.execute(sql, values).fetchall())
    return {"total": sum(by_label.values()), "by_label": by_label}


def versions(call: Call) -> Json:
    """Return every version with the edit that made it."""
    return history(find(call, call.path["annotation_id"]))


def version(call: Call) -> Json:
    """Return the annotation as it stood at a version; raises a 404 for one it never had."""
    text = call.path["version"]
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        message = "Input should be an integer greater than or equal to 1"
        raise Invalid(
            [Complaint(kind="int_parsing", location=("path", "version"), message=message)],
        )
    annotation = find(call, call.path["annotation_id"])
    earlier = at_version(annotation, int(text))
    if earlier is None:
        raise not_found("annotation version", f"{annotation['annotation_id']} version {text}")
    return earlier


def _event_payload(annotation: Json) -> Json:
    keys = ("annotation_id", "document_id", "label", "version", "actor_id", "retriever_id")
    return {key: annotation.get(key) for key in keys}
