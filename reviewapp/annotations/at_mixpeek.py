"""An annotation's versions at Mixpeek with whose hand made each: what `hands` needs, asked of the database."""

from __future__ import annotations

from collections import Counter

from reviewapp.annotations import hands
from reviewapp.annotations.hands import Made, Whose
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change

_RECENT = 10


def versions(row: Annotation) -> list[Made]:
    """Return the versions of an annotation, newest first; at most three queries, mostly one."""
    told = hands.made(row, list(Change.objects.about(row.ref).filter(state=Change.State.DELIVERED)))
    if all(one.whose is not Whose.ELSEWHERE for one in told):
        return told
    return hands.with_our_key(told, our_actors())


def our_actors() -> set[str]:
    """Return as whom Mixpeek knows us, learnt from what was delivered last; empty before the first delivery.

    Only the one met most often counts: a delivery that found its values there already proves nothing about who set
    them.
    """
    delivered = Change.objects.filter(state=Change.State.DELIVERED, version__isnull=False).order_by("-id")
    by_ref: dict[str, list[Change]] = {}
    for change in delivered.filter(ref__startswith="annotations/")[:_RECENT]:
        by_ref.setdefault(change.ref, []).append(change)
    met: Counter[str] = Counter()
    fields = ("ref", "annotation_id", "version", "upstream", "revisions", "actor_id", "actor_type", "created_at")
    for row in Annotation.objects.filter(ref__in=by_ref).only(*fields):
        met += hands.actor_of(row, by_ref[row.ref])
    return {actor for actor, _ in met.most_common(1)}
