"""An annotation's versions at Mixpeek with whose hand made each: what `hands` needs, asked of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reviewapp.annotations.mirror import authorship
from reviewapp.annotations.mirror.authorship import Made, Whose
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change

_RECENT = 10


def versions(row: Annotation, changes: Sequence[Change] | None = None) -> list[Made]:
    """Return the versions of an annotation, newest first; `changes` are those of its ref, if they are at hand.

    At most three queries, mostly one, or none with the changes.
    """
    if changes is None:
        changes = list(Change.objects.about(row.ref))
    told = authorship.made(row, [change for change in changes if change.state == Change.State.DELIVERED])
    if all(one.whose is not Whose.ELSEWHERE for one in told):
        return told
    return authorship.with_our_key(told, our_actors())


def editors(rows: Sequence[Annotation], since: Mapping[int, int | None]) -> dict[int, str]:
    """Return by whom each of `rows` (by key) was changed after its version in `since`, where Mixpeek says so.

    What we sent ourselves, or may be sending, is left out. Three queries at most, however many rows.
    """
    changes: dict[str, list[Change]] = {}
    for change in Change.objects.filter(ref__in=[row.ref for row in rows]):
        changes.setdefault(change.ref, []).append(change)
    news = {row.pk: _theirs(row, since.get(row.pk), changes.get(row.ref, [])) for row in rows}
    ours = our_actors() if any(one.whose is Whose.ELSEWHERE for told in news.values() for one in told) else set()
    sending = {row.pk for row in rows if any(change.is_open for change in changes.get(row.ref, []))}
    named = {
        pk: [
            one.who
            for one in authorship.with_our_key(told, ours)
            if one.whose is not Whose.OUR_KEY or pk not in sending
        ]
        for pk, told in news.items()
    }
    return {pk: " and ".join(dict.fromkeys(reversed(who))) for pk, who in named.items() if who}


def _theirs(row: Annotation, since: int | None, changes: Sequence[Change]) -> list[Made]:
    told = authorship.made(row, [change for change in changes if change.state == Change.State.DELIVERED])
    return [one for one in told if since is not None and one.version > since and one.whose is not Whose.OURS]


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
        met += authorship.actor_of(row, by_ref[row.ref])
    return {actor for actor, _ in met.most_common(1)}
