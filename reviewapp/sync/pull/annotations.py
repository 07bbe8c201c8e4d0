"""Page through all annotations upstream, correctly even when rows come and go between two pages.

Pages overlap. When the first row of a page is one that this pass has not seen, or the page is
empty, earlier rows were deleted and others slipped past: the pass steps back until the pages meet.
When it has seen fewer rows than upstream counts, it starts another round. Only then is each unseen
annotation requested by itself, and marked as gone when it is not found.

A page that cannot be read is read in smaller ones, so that only the bad row is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from django.db import InterfaceError, OperationalError, transaction

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Garbled, NotFound, Refused, Unreadable
from reviewapp.mixpeek.parsing.bounds import MAX_ANNOTATIONS
from reviewapp.mixpeek.records import AnnotationRecord, LeftOut, RecordPage
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress_output import Progress

PAGE = 500
_MAX_STEPS_BACK = 20
_MAX_ROUNDS = 3
_MAX_REPEATS = 3
# How many missing annotations are requested between two commits.
_MISSING_BATCH_SIZE = 50
# An unreadable page is divided by this.
_DIVISOR = 8
# After this many unreadable rows in a row, check whether the list can be read at all.
_CHECK_AFTER = 50
# How many rows may be searched for and left out singly in a pull.
_MAX_LEFT_OUT_SINGLY = 1_000

_log = logging.getLogger(__name__)


def pull(
    client: Client,
    pull_pass: PullPass,
    progress: Progress,
    counts: Counts,
    *,
    size: int = PAGE,
    limit: int = MAX_ANNOTATIONS,
) -> None:
    """Absorb every page of `size` rows (3 to 500), storing the position in `pull_pass`.

    Stops after `limit` rows. Raises `MixpeekError`.
    """
    for page in _read_pages(client, pull_pass, counts, size=size, limit=limit):
        end = pull_pass.skip + page.rows
        with acting(None, note="pull"):
            _absorb(_unseen(page.items, pull_pass), counts)
            not_absorbed = counts.left + len(counts.left_out)
            is_complete = _advance(pull_pass, page, size, not_absorbed=not_absorbed)
        progress.reach(end, page.total)

        if is_complete:
            return
        if end >= limit:
            progress.say(f"Mixpeek lists more than {limit:,} annotations; the rest is left out.")
            return


def _read_pages(
    client: Client,
    pull_pass: PullPass,
    counts: Counts,
    *,
    size: int,
    limit: int,
) -> Iterator[RecordPage[AnnotationRecord]]:
    """Yield the page at the position of the pass, without end; the caller moves the position.

    Steps back where the list has shrunk, and pulls an unreadable page in smaller ones; ends if that
    reaches the limit. Raises `Garbled` if the same page comes again and again.
    """
    steps_back = 0
    repeats = 0
    previous_ids = [""]
    after_gap = False

    while True:
        try:
            page = client.list_annotations(skip=pull_pass.skip, limit=size)
        except Unreadable:
            _pull_piecemeal(client, pull_pass, counts, until=pull_pass.skip + size)
            after_gap = True
            if pull_pass.skip >= limit:
                return
            continue

        counts.leave_out(page.left_out)
        ids = [item.annotation_id for item in page.items]
        # Pages overlap: when this one begins with a row that the pass has not seen, or is empty,
        # the list has shrunk below it.
        may_step_back = pull_pass.skip > 0 and not after_gap and steps_back < _MAX_STEPS_BACK
        if may_step_back and not _seen_ids(pull_pass, ids[:1]):
            steps_back += 1
            end = pull_pass.skip
            # An empty page shows how far the list shrank, if it has a total.
            if not page.rows and page.total is not None:
                end = min(end, page.total)
            _move(pull_pass, max(end - size, 0))
            continue

        after_gap = False
        repeats = repeats + 1 if ids and ids == previous_ids else 0
        if repeats > _MAX_REPEATS:
            raise Garbled("Mixpeek sends the same page of annotations again and again.")
        previous_ids = ids
        yield page


def _pull_piecemeal(
    client: Client,
    pull_pass: PullPass,
    counts: Counts,
    *,
    until: int,
) -> None:
    """Absorb the rows up to `until` in smaller pages; a row that cannot be read is left out.

    After 1,000 of those in a pull, an unreadable page is left out as a whole. Raises `Unreadable`
    when not even the end of the list can be read.
    """
    size = until - pull_pass.skip
    failures_in_a_row = 0

    while pull_pass.skip < until:
        size = min(size, until - pull_pass.skip)
        try:
            page = client.list_annotations(skip=pull_pass.skip, limit=size)
        except Unreadable as error:
            if size > 1 and len(counts.left_out) < _MAX_LEFT_OUT_SINGLY:
                size = max(size // _DIVISOR, 1)
                continue

            failures_in_a_row += 1
            if failures_in_a_row % _CHECK_AFTER == 0:
                client.list_annotations(skip=MAX_ANNOTATIONS, limit=1)

            first = pull_pass.skip + 1
            name = f"the annotation at place {first:,}"
            if size > 1:
                name = f"the annotations at places {first:,} to {pull_pass.skip + size:,}"
            counts.leave_out([LeftOut(name=name, reason=error.message)])
            _move(pull_pass, pull_pass.skip + size)
            continue

        if not page.rows:
            return
        failures_in_a_row = 0
        counts.leave_out(page.left_out)
        with acting(None, note="pull"):
            _absorb(_unseen(page.items, pull_pass), counts)
            _move(pull_pass, pull_pass.skip + page.rows)
        size *= _DIVISOR


def _absorb(records: Sequence[AnnotationRecord], counts: Counts) -> None:
    """Absorb records, one by one if that fails; a bad one is left out and logged."""
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


def look_for_missing(
    client: Client,
    pull_pass: PullPass,
    progress: Progress,
    counts: Counts,
) -> None:
    """Request each annotation that a complete pass did not see; mark those not found as gone."""
    mirrored = Annotation.objects.filter(
        annotation_id__isnull=False,
        seen_at__lt=pull_pass.started_at,
    )
    unseen = mirrored.exclude(status=Annotation.Status.GONE).order_by("pk")
    last_key = 0
    requested = 0

    while True:
        batch = unseen.filter(pk__gt=last_key).values_list("pk", "annotation_id")
        rows = list(batch[:_MISSING_BATCH_SIZE])
        if not rows:
            return

        records = []
        gone_ids = []
        for _, annotation_id in rows:
            if not annotation_id:
                continue
            try:
                records.append(client.get_annotation(annotation_id))
            except NotFound:
                gone_ids.append(annotation_id)
            except (Refused, Unreadable) as error:
                counts.leave_out([LeftOut(name=annotation_id, reason=error.message)])

        with acting(None, note="pull"):
            _absorb(records, counts)
        with acting(None, note="pull"):
            counts.gone += absorb.mark_gone(gone_ids)

        last_key = rows[-1][0]
        requested += len(rows)
        progress.reach(requested, None)


def overlap(size: int) -> int:
    """Return how many rows of a page the next one repeats: a twentieth, and at least one."""
    return max(size // 20, 1)


def _seen_ids(pull_pass: PullPass, ids: Sequence[str]) -> set[str | None]:
    seen = Annotation.objects.filter(annotation_id__in=ids, seen_at__gte=pull_pass.started_at)
    return set(seen.values_list("annotation_id", flat=True))


def _unseen(items: Sequence[AnnotationRecord], pull_pass: PullPass) -> list[AnnotationRecord]:
    """Return those that the pass has not absorbed yet, so that none is counted twice."""
    ids = [item.annotation_id for item in items]
    seen_ids = _seen_ids(pull_pass, ids)
    return [item for item in items if item.annotation_id not in seen_ids]


def _advance(
    pull_pass: PullPass,
    page: RecordPage[AnnotationRecord],
    size: int,
    *,
    not_absorbed: int,
) -> bool:
    """Move to the next page, or to the next round; returns whether the pass is complete."""
    end = pull_pass.skip + page.rows
    total = page.total or 0
    if page.rows and (page.rows >= size or end < total):
        _move(pull_pass, max(end - overlap(size), pull_pass.skip + 1))
        return False

    seen = Annotation.objects.filter(
        annotation_id__isnull=False,
        seen_at__gte=pull_pass.started_at,
    )
    if seen.count() + not_absorbed < total and pull_pass.round < _MAX_ROUNDS:
        pull_pass.round += 1
        _move(pull_pass, 0)
        return False

    _move(pull_pass, end)
    return True


@transaction.atomic
def _move(pull_pass: PullPass, skip: int) -> None:
    pull_pass.skip = skip
    pull_pass.save(update_fields=["skip", "round"])
