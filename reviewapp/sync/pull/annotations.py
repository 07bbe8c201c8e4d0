"""Walk through all annotations upstream, right even when rows come and go between two pages.

Pages overlap. When the first row of a page is not one that this walk has seen, or there is none, rows before it went
away and others slipped past us: step back until the pages meet. When the walk is over and has seen less than upstream
counts, walk again. Only then is what nobody saw asked for by itself, and called gone when it is not there.

A page that cannot be read is read in smaller ones, so that the one row at fault is left out and no other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, transaction

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Garbled, NotFound, Refused, Unreadable
from reviewapp.mixpeek.parsing.bounds import MOST_ANNOTATIONS
from reviewapp.mixpeek.records import AnnotationRecord, LeftOut, Page
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress import Progress

PAGE = 500
_MOST_STEPS_BACK, _MOST_ROUNDS, _MOST_REPEATS = 20, 3, 3
_ASKED_AT_ONCE = 50
_SMALLER, _MOST_IN_A_ROW, _MOST_SINGLY = 8, 50, 1_000

_log = logging.getLogger(__name__)


def pull(
    client: Client,
    at: PullPass,
    report: Progress,
    counts: Counts,
    *,
    size: int = PAGE,
    most: int = MOST_ANNOTATIONS,
) -> None:
    """Absorb every page of `size` rows (3 to 500), keeping in `at` how far it got; raises `MixpeekError`.

    A list of more than `most` rows is left at that.
    """
    steps_back, repeats, before = 0, 0, [""]
    after_gap = False
    while True:
        try:
            page = client.list_annotations(skip=at.skip, limit=size)
        except Unreadable:
            _pull_piecemeal(client, at, counts, until=at.skip + size)
            after_gap = True
            if at.skip >= most:
                return
            continue

        counts.leave_out(page.left_out)
        ids = [item.annotation_id for item in page.items]
        if not after_gap and steps_back < _MOST_STEPS_BACK and not _meets(at, ids):
            steps_back += 1
            # An empty page tells how far the list shrank, if it has a total.
            end = at.skip if page.rows or page.total is None else min(at.skip, page.total)
            _move(at, max(end - size, 0))
            continue
        after_gap = False
        repeats = repeats + 1 if ids and ids == before else 0
        if repeats > _MOST_REPEATS:
            raise Garbled("Mixpeek sends the same page of annotations again and again.")
        before, reached = ids, at.skip + page.rows
        with acting(None, note="pull"):
            _absorb(_fresh(page.items, at), counts)
            done = _advance(at, page, size, left=counts.left + len(counts.left_out))
        report.reach(reached, page.total)
        if done:
            return
        if reached >= most:
            report.say(f"Mixpeek lists more than {most:,} annotations; the rest is left out.")
            return


def _pull_piecemeal(client: Client, at: PullPass, counts: Counts, *, until: int) -> None:
    """Absorb the rows up to `until` in smaller pages; a row that cannot be read even alone is left out.

    After 1,000 of those in a pull, whatever cannot be read is left out as it is, without looking for the row at fault.
    Raises `Unreadable` when there is nothing else: not even the end of the list.
    """
    size, in_a_row = until - at.skip, 0
    while at.skip < until:
        size = min(size, until - at.skip)
        try:
            page = client.list_annotations(skip=at.skip, limit=size)
        except Unreadable as error:
            if size > 1 and len(counts.left_out) < _MOST_SINGLY:
                size = max(size // _SMALLER, 1)
                continue

            in_a_row += 1
            if in_a_row % _MOST_IN_A_ROW == 0:
                client.list_annotations(skip=MOST_ANNOTATIONS, limit=1)
            counts.leave_out([LeftOut(name=_places(at.skip, size), reason=error.message)])
            _move(at, at.skip + size)
            continue

        if not page.rows:
            return
        in_a_row = 0
        counts.leave_out(page.left_out)
        with acting(None, note="pull"):
            _absorb(_fresh(page.items, at), counts)
            _move(at, at.skip + page.rows)
        size *= _SMALLER


def _places(skip: int, size: int) -> str:
    if size == 1:
        return f"the annotation at place {skip + 1:,}"
    return f"the annotations at places {skip + 1:,} to {skip + size:,}"


def _absorb(records: Sequence[AnnotationRecord], counts: Counts) -> None:
    """Take in records, one by one if they cannot be taken in together; the one at fault is left out and logged."""
    try:
        with transaction.atomic():
            tally = absorb.absorb(records)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(records) > 1:
            for record in records:
                _absorb([record], counts)
            return

        name = records[0].annotation_id
        _log.exception("could not take in %s", name)
        counts.leave_out([LeftOut(name=name, reason="it cannot be stored; the log says why")])
    else:
        counts.add(tally)


def look_for_missing(client: Client, at: PullPass, report: Progress, counts: Counts) -> None:
    """Ask for each annotation that a complete walk did not see; what is not there is marked as gone."""
    unseen = (
        Annotation.objects.filter(annotation_id__isnull=False, seen_at__lt=at.started_at)
        .exclude(status=Annotation.Status.GONE)
        .order_by("pk")
    )
    last, asked = 0, 0
    while rows := list(unseen.filter(pk__gt=last).values_list("pk", "annotation_id")[:_ASKED_AT_ONCE]):
        answers: dict[str, AnnotationRecord | None] = {}
        for _, annotation_id in rows:
            if annotation_id:
                _ask(client, annotation_id, answers, counts)
        with acting(None, note="pull"):
            _absorb([record for record in answers.values() if record is not None], counts)
        with acting(None, note="pull"):
            counts.gone += absorb.mark_gone([id_ for id_, record in answers.items() if record is None])
        last, asked = rows[-1][0], asked + len(rows)
        report.reach(asked, None)


def overlap(size: int) -> int:
    """Return how many rows of a page are asked for again with the next: a twentieth, and one at least."""
    return max(size // 20, 1)


def _ask(client: Client, annotation_id: str, answers: dict[str, AnnotationRecord | None], counts: Counts) -> None:
    """Note the annotation in `answers`, None when it is gone; what cannot be read is there, and stays as it is."""
    try:
        answers[annotation_id] = client.get_annotation(annotation_id)
    except NotFound:
        answers[annotation_id] = None
    except (Refused, Unreadable) as error:
        counts.leave_out([LeftOut(name=annotation_id, reason=error.message)])


def _seen(at: PullPass, ids: Sequence[str]) -> set[str | None]:
    known = Annotation.objects.filter(annotation_id__in=ids, seen_at__gte=at.started_at)
    return set(known.values_list("annotation_id", flat=True))


def _meets(at: PullPass, ids: Sequence[str]) -> bool:
    """Return whether a page with these rows follows what this walk has seen without a gap."""
    # Pages overlap, so an empty one past the beginning means that the list shrank below us.
    return at.skip == 0 or bool(_seen(at, ids[:1]))


def _fresh(items: Sequence[AnnotationRecord], at: PullPass) -> list[AnnotationRecord]:
    """Leave out what this walk has taken in already, lest it be counted twice."""
    seen = _seen(at, [item.annotation_id for item in items])
    return [item for item in items if item.annotation_id not in seen]


def _advance(at: PullPass, page: Page[AnnotationRecord], size: int, *, left: int) -> bool:
    """Go to the next page, or to the next round; return whether the walk is complete."""
    reached = at.skip + page.rows
    if page.rows and (page.rows >= size or reached < (page.total or 0)):
        _move(at, max(reached - overlap(size), at.skip + 1))
        return False
    seen = Annotation.objects.filter(annotation_id__isnull=False, seen_at__gte=at.started_at).count()
    if seen + left < (page.total or 0) and at.round < _MOST_ROUNDS:
        at.round += 1
        _move(at, 0)
        return False
    _move(at, reached)
    return True


@transaction.atomic
def _move(at: PullPass, skip: int) -> None:
    at.skip = skip
    at.save(update_fields=["skip", "round"])
