"""An annotation's versions at Mixpeek with whose hand made each: what `hands` needs, asked of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reviewapp.annotations import hands
from reviewapp.annotations.hands import Made, Whose
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change

_RECENT = 10


def versions(row: Annotation, changes: Sequence[Change] | None = None) -> list[Made]:
    """Return the versions of an annotation, newest first; `changes` are those of its ref, if they are at hand.

    At most three queries, mostly one, or none with the changes.
    """
    if changes is None:
        changes = list(Change.objects.about(row.ref))
    told = hands.made(row, [change for change in changes if change.state == Change.State.DELIVERED])
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
