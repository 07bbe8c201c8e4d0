"""Deliver a change of a retriever: set name and description, merge tags into the latest list.

Mixpeek's PATCH replaces the whole list of tags, so it is read just before, and only the tags that
the change adds or removes are changed.
https://docs.mixpeek.com/api-reference/retrievers/update-retriever
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused
from reviewapp.mixpeek.records import RetrieverRecord
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.ref import Ref
from reviewapp.retrievers import mirror
from reviewapp.retrievers.editing.edit import apply_change
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver.outcome import (
    DeliveryOutcome,
    Handler,
    conflicting,
    delivered,
    ensure_claim,
    refused,
)

_NAME_TAKEN = 409


def load_rows(refs: Sequence[str]) -> dict[str, Retriever]:
    """Return these retrievers by ref."""
    return Retriever.objects.only("retriever_id").by_ref(refs)


def deliver(change: Change, retriever: Retriever, client: Client) -> DeliveryOutcome:
    """Read the retriever and apply the change to it, unless somebody else changed the same text."""
    read = client.get_retriever(retriever.retriever_id)
    return deliver_from_record(read, change, client)


def deliver_from_record(read: RetrieverRecord, change: Change, client: Client) -> DeliveryOutcome:
    """Apply the change upstream to what was just read, unless it conflicts with other edits."""
    theirs = record_values(read)
    judgement = judge_change(change.fields, change.base, theirs)
    if judgement.conflicts:
        version = record_version(read)
        return conflicting(change, read, judgement.conflicts, theirs=theirs, version=version)

    merged = judgement.merged or None
    if not judgement.send:
        return delivered(change, read, merged=merged, version=record_version(read))

    try:
        ensure_claim(change, client)
        reply = client.patch_retriever(read.retriever_id, judgement.send)
    except NotFound:
        raise
    except Refused as error:
        fields = error.fields
        if error.status == _NAME_TAKEN and "name" in change.fields and "name" not in fields:
            fields = fields | {"name": error.message}
        return refused(
            change,
            error.message,
            record=read,
            field_errors=fields,
            upstream_request_id=error.request_id,
        )

    return delivered(
        change,
        reply,
        merged=merged,
        raced=lost_update(read, reply, judgement.send),
        version=record_version(reply),
    )


def judge_change(
    fields: dict[str, Any],
    base: dict[str, Any],
    theirs: dict[str, Any],
) -> Judgement:
    """Compare a change with upstream; its tags to add and remove never conflict. Pure."""
    if "tags" not in fields:
        return judge(fields=fields, base=base, theirs=theirs)

    tags = apply_change(fields, theirs)["tags"]
    judgement = judge(
        fields=fields | {"tags": tags},
        base=base | {"tags": theirs["tags"]},
        theirs=theirs,
    )
    if is_same_json(theirs["tags"], base.get("tags")):
        return judgement
    merged = judgement.merged | {"tags": [base.get("tags"), theirs["tags"]]}
    return Judgement(send=judgement.send, conflicts=judgement.conflicts, merged=merged)


def lost_update(
    read: RetrieverRecord,
    reply: RetrieverRecord,
    sent: dict[str, Any],
) -> dict[str, Any] | None:
    """Return what was changed between our read and our write, or None when nothing was. Pure.

    A PATCH makes the next version, so a jump means that somebody else made the ones before it.
    Retrievers have no revisions: what we wrote over is unknown, other fields that changed are not
    (`moved`).
    """
    if reply.version <= read.version + 1:
        return None

    values_before = record_values(read)
    moved = {}
    for name, value in record_values(reply).items():
        if name not in sent and not is_same_json(values_before[name], value):
            moved[name] = [values_before[name], value]
    return {"read": read.version, "now": reply.version, "lost": {}, "moved": moved, "by": ""}


def record_values(record: RetrieverRecord) -> dict[str, Any]:
    """Return a record's values in our own form."""
    return {"name": record.name, "description": record.description, "tags": list(record.tags)}


def record_version(record: RetrieverRecord) -> int | None:
    """Return the record's version; None from servers of the older dialect, which have none."""
    if record.spelling == "retriever_name":
        return record.version
    return None


def mark_gone(ref: str) -> None:
    """Note that upstream does not have the retriever any more."""
    mirror.mark_retrievers_gone([Ref.parse(ref).id])


HANDLER = Handler(
    noun="retriever",
    load_rows=load_rows,
    deliver=deliver,
    lock_rows=mirror.lock_rows,
    absorb=mirror.absorb_retriever,
    rebase=mirror.rebase_retriever,
    mark_gone=mark_gone,
)
