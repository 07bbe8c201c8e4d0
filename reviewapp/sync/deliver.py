"""Deliver one claimed change: read upstream, compare, PATCH, compare the reply, settle. In that order.

No transaction is open during a call. Whatever happens, the change ends up delivered, in conflict or refused, or is due
again: postponed when Mixpeek is unavailable, untouched when this process dies (its claim runs out).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from reviewapp.annotations import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.audit.trace import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unauthorized, Unavailable
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import services as outbox
from reviewapp.outbox.backoff import wait
from reviewapp.outbox.merge import judge
from reviewapp.outbox.models import Change
from reviewapp.sync.proof import race, unproven

_dice = random.SystemRandom()


def drain(client: Client, *, most: int = 50) -> int:
    """Deliver up to `most` due changes, one after the other; returns how many were tried.

    Stops early when Mixpeek is unavailable or our key is refused, since the next change would meet the same. The first
    claim wakes one more worker, so that a backlog spreads over all of them; a full round wakes another, so that no
    round is long and a worker can stop between two.
    """
    for tried in range(most):
        change = outbox.claim(timezone.now())
        if change is None:
            return tried
        if tried == 0:
            outbox.wake()
        if not attempt(change, client):
            return tried + 1
    outbox.wake()
    return most


@contextmanager
def pausing_on_bad_settings() -> Iterator[None]:
    """Pause the outbox when there is no client to be had: the settings are at fault, not a decision."""
    try:
        yield
    except Unauthorized as error:
        with acting(None):
            outbox.pause(reason=error.message)


def probe(client: Client) -> bool:
    """While paused: try one due change, and let deliveries go on when our key is accepted again."""
    change = outbox.claim(timezone.now(), probing=True)
    if change is None or not attempt(change, client):
        return False
    with acting(None, note="Mixpeek accepts our key again"):
        return outbox.resume()


def attempt(change: Change, client: Client) -> bool:
    """Try to deliver a claimed change; returns whether it makes sense to go on with others."""
    try:
        annotation = Annotation.objects.select_related("retriever").get(ref=change.ref)
        if annotation.annotation_id is None:
            _create(change, annotation, client)
        else:
            _set(change, client.get_annotation(annotation.annotation_id), client)
    except Unauthorized as error:
        with acting(None):
            outbox.release(change)
            outbox.pause(reason=f"Mixpeek does not accept our key: {error.message}")
        return False
    except Unavailable as error:
        pause = wait(change.attempts + 1, retry_after=error.retry_after, dice=_dice.random())
        with acting(None):
            outbox.postpone(change, until=timezone.now() + pause, reason=error.message)
        return False
    except NotFound as error:
        _gone(change, error)
    except Refused as error:
        _refuse(change, reason=error.message, field_errors=error.fields, upstream_request_id=error.request_id)
    except Annotation.DoesNotExist:
        _refuse(change, reason="The annotation this change was for has been deleted here.")
    return True


def _set(change: Change, read: AnnotationRecord, client: Client) -> None:
    """Bring upstream from what was just read to what the change wants, unless somebody's values are in the way."""
    judgement = judge(fields=change.fields, base=change.base, theirs=_theirs(change, read))
    if judgement.conflicts:
        return _conflict(change, read, f"Somebody else set {_listed(judgement.conflicts)} at Mixpeek meanwhile.")
    merged = judgement.merged or None
    if not judgement.send:
        return _delivered(change, read, merged=merged, version=read.version)
    reply = client.patch_annotation(read.annotation_id, judgement.send)
    if missing := unproven(reply, judgement.send):
        return _refuse(change, reply, reason="Mixpeek said yes but did not do it.", field_errors=missing)
    return _delivered(change, reply, merged=merged, raced=race(read, reply), version=reply.version)


def _create(change: Change, annotation: Annotation, client: Client) -> None:
    """Create the annotation upstream, unless it is there already: ours, its answer lost, or somebody else's.

    Mixpeek knows no idempotency key, so looking first is what keeps a retried create from making a second one.
    """
    retriever_id = annotation.retriever.retriever_id if annotation.retriever else None
    there = client.list_annotations(document_id=annotation.document_id, retriever_id=retriever_id, limit=500).items
    taken = set(
        Annotation.objects.filter(annotation_id__in=[record.annotation_id for record in there]).values_list(
            "annotation_id", flat=True
        )
    )
    free = [record for record in there if record.annotation_id not in taken and record.retriever_id == retriever_id]
    if free:
        return _set(change, min(free, key=lambda record: len(_differing(change, record))), client)
    made = client.create_annotation(
        document_id=annotation.document_id,
        collection_id=annotation.collection_id or None,
        retriever_id=retriever_id,
        execution_id=annotation.execution_id or None,
        stage_name=annotation.stage_name or None,
        label=change.fields["label"],
        confidence=change.fields["confidence"],
        reasoning=change.fields["reasoning"] or None,
        payload=change.fields["payload"] or None,
        metadata=change.fields.get("metadata") or None,
    )
    return _delivered(change, made, version=made.version)


def _differing(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    return judge(fields=change.fields, base=change.base, theirs=_theirs(change, record)).send


def _theirs(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    """Return what upstream has in the fields that the change knows of."""
    return {
        name: value for name, value in absorb.values_of(record).items() if name in change.fields or name in change.base
    }


def _delivered(change: Change, record: AnnotationRecord, **facts: Any) -> None:
    with acting(None):
        outbox.deliver(change, **facts)
        absorb.absorb([record])


def _conflict(change: Change, record: AnnotationRecord, reason: str) -> None:
    with acting(None):
        outbox.conflict(change, theirs=_theirs(change, record), reason=reason, version=record.version)
        absorb.absorb([record])
        absorb.rebase(change.ref)


def _refuse(change: Change, record: AnnotationRecord | None = None, **facts: Any) -> None:
    with acting(None):
        outbox.refuse(change, **facts)
        if record is not None:
            absorb.absorb([record])
        if Annotation.objects.filter(ref=change.ref).exists():
            absorb.rebase(change.ref)


def _gone(change: Change, error: NotFound) -> None:
    with acting(None):
        outbox.refuse(
            change, reason=f"The annotation is gone at Mixpeek: {error.message}", upstream_request_id=error.request_id
        )
        absorb.mark_gone(
            [id_ for (id_,) in Annotation.objects.filter(ref=change.ref).values_list("annotation_id") if id_]
        )


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names)
