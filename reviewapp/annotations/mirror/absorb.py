"""The one door through which upstream annotations enter our mirror: pull, delivery and hints all come in here.

What upstream says is kept as it is (`upstream`, `version`); the values people see are that, with our own
undelivered changes on top. An answer older than what we hold is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from reviewapp.annotations.mirror import bulk_update, result_matching, version_authors
from reviewapp.annotations.mirror.from_upstream import (
    BLANK,
    LONGEST_ID,
    by_a_person,
    decision_in,
    execution_of,
    proposed_by,
    revisions_of,
    usable,
    values_of,
)
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import notices, noticing
from reviewapp.json_values import same
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change
from reviewapp.postgres.storable_json import text
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.retrievers.sync_counts import Tally

_LONGEST_TYPE = 40
_MIRRORED = [
    "annotation_id", "document_id", "collection_id", "retriever", "execution_id", "stage_name", "label", "confidence",
    "reasoning", "payload", "metadata", "version", "upstream", "uncleared", "revisions", "proposed", "actor_id",
    "actor_type", "created_at", "updated_at", "seen_at", "status",
]  # fmt: skip
_COLUMNS = {"retriever": "retriever_id"}
_JOINED = ["execution_id", *result_matching.SHOWN]


@transaction.atomic(savepoint=False)
def absorb(records: Sequence[AnnotationRecord]) -> Tally:
    """Take upstream's annotations into the mirror, locking the rows they touch; safe to repeat.

    A record whose id is new to us fills the row of a result that nobody had annotated, if there is one for its
    document, retriever and execution, else it makes a row of its own. While we may be creating an annotation for that
    very row, it waits (`Tally.left`) unless it is that one. What has ids that cannot be kept is left out, with a
    warning.
    """
    kept = [record for record in records if usable(record)]
    newest = {record.annotation_id: record for record in sorted(kept, key=lambda record: record.version or 0)}
    retrievers = _retrievers(newest.values())
    locked = _locked(newest)
    undelivered = Change.objects.open_by_ref(row.ref for row in locked)
    rows, left = _rows(newest, retrievers, locked, undelivered)
    before = {row.pk: _mirror(row) for row in rows.values()}
    made, changed, untouched = [], [], []
    for annotation_id, record in newest.items():
        row = rows.get(annotation_id)
        if annotation_id in left:
            continue
        if row is None:
            row = Annotation(ref=f"annotations/{annotation_id}", proposed=proposed_by(record))
            _fill(row, record, retrievers, [])
            made.append(row)
        elif _is_news(row, record):
            _fill(row, record, retrievers, undelivered[row.ref])
            changed.append(row)
        else:
            untouched.append(row.pk)
    result_matching.show_own_results(made)
    Annotation.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    _update(changed, before)
    if untouched:
        Annotation.objects.filter(pk__in=untouched).update(seen_at=timezone.now())
    return Tally(new=len(made), changed=len(changed), same=len(untouched), left=len(left))


@transaction.atomic
def attach(results: Sequence[Result]) -> int:
    """Show each (saved) result on the annotations it belongs to, making waiting rows for results nobody annotated.

    Returns how many rows were made. `result_matching.belongs` says which annotations a result belongs to. Where the
    document was annotated for the same query in an earlier run, no row is made: what nobody has annotated yet moves to
    this run, and an annotation stays with its own.
    """
    queries = result_matching.queries_of(results)
    by_document = defaultdict(list)
    for row in result_matching.lock(results, queries):
        by_document[row.document_id].append(row)

    joined: list[Annotation] = []
    made: list[Annotation] = []
    for result in results:
        rows = by_document[result.document_id]
        fitting = [row for row in rows if result_matching.belongs(row, result)]
        if not fitting and result.retriever_id is not None:
            earlier = result_matching.of_same_query(rows, result, queries)
            if earlier is None:
                earlier = result_matching.unannotated(result)
                made.append(earlier)
                rows.append(earlier)
            elif not result_matching.may_move(earlier, result):
                continue
            fitting = [earlier]

        for row in fitting:
            result_matching.show(row, result)
            joined.append(row)

    stored = {row.pk: row for row in joined if row.pk}
    Annotation.objects.bulk_update(stored.values(), _JOINED, batch_size=100)
    Annotation.objects.bulk_create(made, ignore_conflicts=True, batch_size=200)
    return len(made)


@transaction.atomic
def mark_gone(annotation_ids: Collection[str]) -> int:
    """Mark these as gone upstream, which is a state and not an error; returns how many were not already."""
    there = Annotation.objects.filter(annotation_id__in=annotation_ids).exclude(status=Annotation.Status.GONE)
    locked = list(there.select_for_update().order_by("pk").values_list("pk", flat=True))
    return Annotation.objects.filter(pk__in=locked).update(status=Annotation.Status.GONE)


def note_uncleared(ref: str, uncleared: Mapping[str, Any]) -> None:
    """Note all that Mixpeek still shows of this annotation although a decision cleared it, and show it blank."""
    Annotation.objects.filter(ref=ref).update(uncleared=dict(uncleared))
    rebase(ref)


def rebase(ref: str) -> None:
    """Show again what upstream said last under what is still to be delivered, after a change fell away."""
    row = Annotation.objects.select_for_update().get(ref=ref)
    for name, value in shown(row, Change.objects.open_on(ref)).items():
        setattr(row, name, value)
    row.save(update_fields=list(BLANK))


def shown(row: Annotation, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the values that people see: what upstream said last under these changes, oldest first.

    What a decision cleared and upstream still shows is blank.
    """
    cleared = {name: BLANK[name] for name in row.uncleared}
    return _with_undelivered((row.upstream or BLANK) | cleared, changes)


def _mirror(row: Annotation) -> dict[str, Any]:
    return {name: getattr(row, _COLUMNS.get(name, name)) for name in _MIRRORED}


def _update(rows: Sequence[Annotation], before: Mapping[int, dict[str, Any]]) -> None:
    """Write the columns that are new in any of the rows: a delivery brings few, and a search vector costs most."""
    now = {row.pk: _mirror(row) for row in rows}
    news = [name for name in _MIRRORED if not all(same(each[name], before[pk][name]) for pk, each in now.items())]
    for name, theirs in _by_hand(rows, before).items():
        with noticing(name):
            bulk_update.update(theirs, news)


def _by_hand(rows: Sequence[Annotation], before: Mapping[int, dict[str, Any]]) -> dict[str, list[Annotation]]:
    """Return the rows by whose hand at Mixpeek changed what people see of them, "" where it was nobody known."""
    seen = [row for row in rows if not all(same(getattr(row, name), before[row.pk][name]) for name in BLANK)]
    since = {row.pk: before[row.pk]["version"] for row in seen}
    editors = version_authors.editors(seen, since) if seen and notices() else {}
    by_hand = defaultdict(list)
    for row in rows:
        by_hand[editors.get(row.pk, "")].append(row)
    return by_hand


def _locked(records: dict[str, AnnotationRecord]) -> list[Annotation]:
    """Lock the rows that the records may be about: those with their ids, and unannotated ones at their places.

    All are locked at once and in the order of their keys, as `attach` does it: neither can wait for the other.
    """
    named = Q(annotation_id__in=records)
    documents = {record.document_id for record in records.values()}
    executions = {execution_of(record) for record in records.values()}
    free = Q(annotation_id__isnull=True, document_id__in=documents, execution_id__in=executions)
    there = Annotation.objects.select_for_update().defer("words", "search", "excerpt")
    return list(there.filter(named | free).order_by("pk"))


def _rows(
    records: dict[str, AnnotationRecord],
    retrievers: dict[str, Retriever],
    locked: Sequence[Annotation],
    undelivered: Mapping[str, Sequence[Change]],
) -> tuple[dict[str, Annotation], set[str]]:
    """Return the row of each record that has one, by annotation id, and the ids of those that have to wait."""
    rows = {row.annotation_id: row for row in locked if row.annotation_id is not None}
    unannotated = [row for row in locked if row.annotation_id is None]
    by_place = {(row.document_id, row.retriever_id, row.execution_id): row for row in unannotated}
    left = set()
    for id_, record in records.items():
        if id_ in rows or (record.retriever_id and record.retriever_id not in retrievers):
            continue
        retriever = retrievers.get(record.retriever_id or "")
        place = (record.document_id, retriever.pk if retriever else None, execution_of(record))
        if place not in by_place:
            continue
        if _is_somebody_elses(record, undelivered[by_place[place].ref]):
            left.add(id_)
        else:
            rows[id_] = by_place.pop(place)
    return rows, left


def _is_somebody_elses(record: AnnotationRecord, changes: Sequence[Change]) -> bool:
    """Return whether one of these may be creating an annotation at this moment, and the record is not that one.

    The row must not be given away then: the answer to the create would find it taken. Whoever delivers reads what is
    there, and settles whose it is.
    """
    creating = [change for change in changes if change.claimed_at or change.maybe_sent]
    return bool(creating) and decision_in(record) not in {str(change.cause) for change in creating}


def _is_news(row: Annotation, record: AnnotationRecord) -> bool:
    if row.annotation_id is None or row.status == Annotation.Status.GONE:
        return True
    if record.version is not None and row.version is not None and record.version != row.version:
        return record.version > row.version
    if record.updated_at and row.updated_at and record.updated_at < row.updated_at:
        return False
    return not same(row.upstream, values_of(record))


def _fill(
    row: Annotation, record: AnnotationRecord, retrievers: dict[str, Retriever], changes: Sequence[Change]
) -> None:
    row.annotation_id = record.annotation_id
    row.document_id = record.document_id
    row.collection_id = text(record.collection_id or "", LONGEST_ID) or row.collection_id
    if record.retriever_id in retrievers:
        row.retriever = retrievers[record.retriever_id]
    row.execution_id = execution_of(record) or row.execution_id
    row.stage_name = text(record.stage_name or "", LONGEST_ID) or row.stage_name
    row.version, row.upstream, row.revisions = record.version, values_of(record), revisions_of(record)
    row.actor_id, row.actor_type = text(record.actor_id, LONGEST_ID), text(record.actor_type, _LONGEST_TYPE)
    row.created_at, row.updated_at, row.seen_at = record.created_at, record.updated_at, timezone.now()
    row.uncleared = still_uncleared(row.uncleared, row.upstream)
    for name, value in shown(row, changes).items():
        setattr(row, name, value)
    if row.status in {Annotation.Status.WAITING, Annotation.Status.GONE}:
        row.status = _status(row, record)


def _status(row: Annotation, record: AnnotationRecord) -> Annotation.Status:
    if row.decision is not None:
        return Annotation.Status(row.decision.outcome)
    return Annotation.Status.DECIDED if by_a_person(record) else Annotation.Status.WAITING


def still_uncleared(uncleared: Mapping[str, Any], upstream: Mapping[str, Any]) -> dict[str, Any]:
    """Return what upstream still shows of the values that decisions cleared; anything else there is a new value."""
    return {name: value for name, value in uncleared.items() if same(upstream.get(name), value)}


def _with_undelivered(values: dict[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    shown = dict(values)
    for change in changes:
        shown |= {name: value for name, value in change.fields.items() if name in shown}
    return shown


def _retrievers(records: Collection[AnnotationRecord]) -> dict[str, Retriever]:
    ids = {record.retriever_id for record in records if record.retriever_id}
    return {row.retriever_id: row for row in Retriever.objects.filter(retriever_id__in=ids).only("retriever_id")}
