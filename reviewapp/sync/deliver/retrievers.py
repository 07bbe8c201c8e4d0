"""Deliver a change of a retriever: name and description as they are wanted, tags merged into the freshest list.

Mixpeek's PATCH replaces the whole list of tags, so it is read just before and only what was added or removed moves.
https://docs.mixpeek.com/api-reference/retrievers/update-retriever
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reviewapp.json_values import same
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused
from reviewapp.mixpeek.records import RetrieverRecord
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.retrievers import mirror
from reviewapp.retrievers.editing.edit import applied
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver.outcome import Outcome, Target, conflicting, delivered, hold_claim, refused

_TAKEN = 409


def find(refs: Sequence[str]) -> dict[str, Retriever]:
    """Return these retrievers by ref."""
    rows = Retriever.objects.only("retriever_id").filter(retriever_id__in=[_id(ref) for ref in refs])
    return {f"retrievers/{row.retriever_id}": row for row in rows}


def bring(change: Change, retriever: Retriever, client: Client) -> Outcome:
    """Read the retriever and bring it to what the change wants, unless somebody else set the same text meanwhile."""
    return bring_from(client.get_retriever(retriever.retriever_id), change, client)


def bring_from(read: RetrieverRecord, change: Change, client: Client) -> Outcome:
    """Bring upstream from what was just read to what the change wants, unless somebody's words are in the way."""
    judgement = judged(change.fields, change.base, values_of(read))
    if judgement.conflicts:
        return conflicting(change, read, judgement.conflicts, theirs=values_of(read), version=version_of(read))
    merged = judgement.merged or None
    if not judgement.send:
        return delivered(change, read, merged=merged, version=version_of(read))
    try:
        hold_claim(change, client)
        reply = client.patch_retriever(read.retriever_id, judgement.send)
    except NotFound:
        raise
    except Refused as error:
        return _refused(change, read, error)
    return delivered(change, reply, merged=merged, raced=raced(read, reply, judgement.send), version=version_of(reply))


def judged(fields: dict[str, Any], base: dict[str, Any], theirs: dict[str, Any]) -> Judgement:
    """Judge a change whose tags are sets: they become the list to send, and are never in conflict. Pure."""
    if "tags" not in fields:
        return judge(fields=fields, base=base, theirs=theirs)
    whole = applied(fields, theirs)
    judgement = judge(fields=fields | {"tags": whole["tags"]}, base=base | {"tags": theirs["tags"]}, theirs=theirs)
    if same(theirs["tags"], base.get("tags")):
        return judgement
    merged = judgement.merged | {"tags": [base.get("tags"), theirs["tags"]]}
    return Judgement(send=judgement.send, conflicts=judgement.conflicts, merged=merged)


def raced(read: RetrieverRecord, reply: RetrieverRecord, sent: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is known of an edit that got in between our read and our write, or None when there was none.

    A PATCH makes the next version, so a jump means somebody else made the ones before it. Retrievers keep no
    revisions: what we may have written over cannot be told, what they set besides can (`moved`). Pure.
    """
    if reply.version <= read.version + 1:
        return None
    was, now = values_of(read), values_of(reply)
    moved = {name: [was[name], now[name]] for name in now if name not in sent and not same(was[name], now[name])}
    return {"read": read.version, "now": reply.version, "lost": {}, "moved": moved, "by": ""}


def values_of(record: RetrieverRecord) -> dict[str, Any]:
    """Return a record's values in our own form."""
    return {"name": record.name, "description": record.description, "tags": list(record.tags)}


def version_of(record: RetrieverRecord) -> int | None:
    """Return the version a record proves; servers of the older dialect have none."""
    return record.version if record.spelling == "retriever_name" else None


def _refused(change: Change, read: RetrieverRecord, error: Refused) -> Outcome:
    fields = error.fields
    if error.status == _TAKEN and "name" in change.fields and "name" not in fields:
        fields = fields | {"name": error.message}
    return refused(change, error.message, record=read, field_errors=fields, upstream_request_id=error.request_id)


def _rebase(ref: str) -> None:
    if Retriever.objects.filter(retriever_id=_id(ref)).exists():
        mirror.rebase(ref)


def _mark_gone(ref: str) -> None:
    mirror.mark_gone([_id(ref)])


def _id(ref: str) -> str:
    return ref.partition("/")[2]


TARGET = Target(word="retriever", find=find, bring=bring, absorb=mirror.absorb, rebase=_rebase, mark_gone=_mark_gone)
