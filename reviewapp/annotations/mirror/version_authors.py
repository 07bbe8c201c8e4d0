"""Load who made each upstream version of an annotation: the queries for `authorship`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from reviewapp.annotations.mirror import authorship
from reviewapp.annotations.mirror.authorship import AuthorKind, UpstreamVersion
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from reviewapp.ref import RefKind

# How many of the newest deliveries show under which actor Mixpeek knows us.
_RECENT_DELIVERIES = 10


def versions_with_authors(
    row: Annotation, changes: Sequence[Change] | None = None
) -> list[UpstreamVersion]:
    """Return the upstream versions of an annotation, newest first, each with its author.

    `changes` are those of its ref, if the caller has them. At most three queries, mostly one; with
    `changes` mostly none.
    """
    if changes is None:
        changes = list(Change.objects.about(row.ref))

    authored = _upstream_versions(row, changes)
    if not _has_unknown_key(authored):
        return authored
    return authorship.with_our_key(authored, our_actors())


def editors(rows: Sequence[Annotation], since: Mapping[int, int | None]) -> dict[int, str]:
    """Return who changed each row at Mixpeek after its version in `since`, where that is known.

    Keys are those of the rows. What we delivered, or may be delivering at this moment, is left out.
    At most three queries, however many rows.
    """
    changes: dict[str, list[Change]] = defaultdict(list)
    for change in Change.objects.filter(ref__in=[row.ref for row in rows]):
        changes[change.ref].append(change)

    foreign: dict[int, list[UpstreamVersion]] = {}
    for row in rows:
        first = since.get(row.pk)
        newer = []
        for version in _upstream_versions(row, changes[row.ref]):
            is_newer = first is not None and version.version > first
            if is_newer and version.whose is not AuthorKind.OURS:
                newer.append(version)
        foreign[row.pk] = newer

    actors: set[str] = set()
    if any(_has_unknown_key(authored) for authored in foreign.values()):
        actors = our_actors()

    names: dict[int, str] = {}
    for row in rows:
        is_sending = any(change.is_open for change in changes[row.ref])
        authors = []
        for version in authorship.with_our_key(foreign[row.pk], actors):
            if not (is_sending and version.whose is AuthorKind.OUR_KEY):
                authors.append(version.who)
        if authors:
            oldest_first = dict.fromkeys(reversed(authors))
            names[row.pk] = " and ".join(oldest_first)
    return names


def our_actors() -> set[str]:
    """Return the actor under which Mixpeek knows us; empty before the first delivery.

    It is the actor of most of the latest deliveries, because a single one may mislead: a delivery
    whose values were already there does not show who set them.
    """
    delivered = Change.objects.filter(state=Change.State.DELIVERED, version__isnull=False)
    of_annotations = delivered.filter(ref__startswith=f"{RefKind.ANNOTATION}/")
    recent = of_annotations.order_by("-id")[:_RECENT_DELIVERIES]
    by_ref: dict[str, list[Change]] = defaultdict(list)
    for change in recent:
        by_ref[change.ref].append(change)

    rows = Annotation.objects.filter(ref__in=by_ref).only(
        "ref",
        "annotation_id",
        "version",
        "upstream",
        "revisions",
        "actor_id",
        "actor_type",
        "created_at",
    )
    counts: Counter[str] = Counter()
    for row in rows:
        counts += authorship.count_our_actors(row, by_ref[row.ref])
    return {actor for actor, _ in counts.most_common(1)}


def _upstream_versions(row: Annotation, changes: Sequence[Change]) -> list[UpstreamVersion]:
    delivered = [change for change in changes if change.state == Change.State.DELIVERED]
    return authorship.upstream_versions(row, delivered)


def _has_unknown_key(authored: Sequence[UpstreamVersion]) -> bool:
    return any(version.whose is AuthorKind.ELSEWHERE for version in authored)
