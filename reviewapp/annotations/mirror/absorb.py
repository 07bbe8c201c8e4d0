"""Absorb upstream annotations into our mirror: pull, delivery and hints all enter here.

`Annotation.upstream` and `version` hold what upstream returned. The values that people see are
those with our undelivered changes on top. A record older than the mirror is ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from reviewapp.annotations.fields import BLANK_VALUES, STORED_FIELDS
from reviewapp.annotations.mirror import bulk_update, result_matching, version_authors
from reviewapp.annotations.mirror.from_upstream import (
    MAX_STORED_ID_LENGTH,
    decision_id_in,
    execution_id_in,
    fits_our_columns,
    is_from_person,
    is_storable_record,
    proposed_values,
    revisions_of,
    values_of,
)
from reviewapp.annotations.mirror.own_decisions import undecidable_elsewhere
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import is_noticing, noticing
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import AnnotationRecord, is_overtaken
from reviewapp.outbox.models import Change
from reviewapp.postgres.statement import sql_file
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.retrievers.sync_counts import SyncCounts
from reviewapp.storable import storable_text

_MAX_ACTOR_TYPE_LENGTH = 40
_MIRRORED_FIELDS = [
    "annotation_id", "document_id", "collection_id", "retriever", "execution_id", "stage_name",
    *STORED_FIELDS,
    "version", "upstream", "uncleared", "revisions", "proposed", "actor_id", "actor_type",
    "created_at", "updated_at", "seen_at", "status",
]  # fmt: skip
_RECOMPUTED_STATUSES = {Annotation.Status.WAITING, Annotation.Status.GONE}
# What absorbing needs of a row: not the columns that only lists and searches need.
_READ_FIELDS = ["ref", *_MIRRORED_FIELDS, "decision"]
_RESULT_FIELDS = ["execution_id", *result_matching.RESULT_FIELDS]

_LOCK = sql_file(__file__, "lock_rows.sql", int)


@transaction.atomic(savepoint=False)
def absorb(records: Sequence[AnnotationRecord]) -> SyncCounts:
    """Store upstream's annotations in the mirror and lock the rows they touch. Safe to repeat.

    A record with an unknown id fills the unannotated row of its document, retriever and execution,
    or becomes a new row. While we may be creating an annotation for that unannotated row, any other
    record for it is postponed (`SyncCounts.left`). Records that cannot be stored are skipped and
    logged.
    """
    storable = [record for record in records if is_storable_record(record)]
    oldest_first = sorted(storable, key=lambda record: record.version or 0)
    newest = {record.annotation_id: record for record in oldest_first}

    retriever_ids = {record.retriever_id for record in newest.values() if record.retriever_id}
    known = Retriever.objects.filter(retriever_id__in=retriever_ids).only("retriever_id")
    retrievers = {retriever.retriever_id: retriever for retriever in known}

    keys = _lock([], newest)
    locked = list(Annotation.objects.filter(pk__in=keys).only(*_READ_FIELDS))
    undelivered = Change.objects.open_by_ref(row.ref for row in locked)
    rows, postponed = _match_rows(newest, retrievers, locked, undelivered)
    before = {row.pk: _mirrored_values(row) for row in rows.values()}
    undecidable = undecidable_elsewhere(newest.values())

    created: list[Annotation] = []
    changed: list[Annotation] = []
    unchanged: list[int] = []
    for annotation_id, record in newest.items():
        if annotation_id in postponed:
            continue

        row = rows.get(annotation_id)
        if row is None:
            ref = Ref(RefKind.ANNOTATION, annotation_id)
            row = Annotation(ref=str(ref), proposed=proposed_values(record))
            _fill_row(row, record, retrievers, [], undecidable)
            created.append(row)
        elif is_newer(record, row):
            _fill_row(row, record, retrievers, undelivered[row.ref], undecidable)
            changed.append(row)
        else:
            unchanged.append(row.pk)

    result_matching.show_own_results(created)
    Annotation.objects.bulk_create(created, ignore_conflicts=True, batch_size=500)
    _save_changed(changed, before)
    if unchanged:
        Annotation.objects.filter(pk__in=unchanged).update(seen_at=timezone.now())

    return SyncCounts(
        new=len(created), changed=len(changed), same=len(unchanged), left=len(postponed)
    )


def lock_rows(refs: Collection[str], records: Sequence[AnnotationRecord]) -> None:
    """Lock the rows of these refs, and those that `absorb` of the records will lock.

    All in one order, within the caller's transaction.
    """
    storable = {record.annotation_id: record for record in records if fits_our_columns(record)}
    _lock(refs, storable)


@transaction.atomic
def attach_results(results: Sequence[Result]) -> int:
    """Show each saved result on the annotations it belongs to; return the number of new rows.

    `result_matching.belongs` says which annotations a result belongs to. A result that nobody has
    annotated gets a waiting row of its own. If an earlier run of the same query returned the
    document, there is no new row: an unannotated row moves to this run, an annotation stays.
    """
    queries = result_matching.queries_of(results)
    rows_by_document = defaultdict(list)
    for row in result_matching.lock(results, queries):
        rows_by_document[row.document_id].append(row)

    updated: list[Annotation] = []
    created: list[Annotation] = []
    for result in results:
        candidates = rows_by_document[result.document_id]
        matching = [row for row in candidates if result_matching.belongs(row, result)]

        if not matching and result.retriever_id is not None:
            earlier = result_matching.of_same_query(candidates, result, queries)
            if earlier is None:
                waiting = result_matching.unannotated(result)
                created.append(waiting)
                candidates.append(waiting)
                matching = [waiting]
            elif result_matching.may_move(earlier, result):
                matching = [earlier]

        for row in matching:
            result_matching.show_result(row, result)
            updated.append(row)

    saved = {row.pk: row for row in updated if row.pk}
    Annotation.objects.bulk_update(saved.values(), _RESULT_FIELDS, batch_size=100)
    Annotation.objects.bulk_create(created, ignore_conflicts=True, batch_size=200)
    return len(created)


@transaction.atomic
def mark_gone(annotation_ids: Collection[str]) -> int:
    """Mark annotations as deleted upstream; return how many were not marked before."""
    present = Annotation.objects.filter(annotation_id__in=annotation_ids)
    present = present.exclude(status=Annotation.Status.GONE)
    locked = list(present.select_for_update().order_by("pk").values_list("pk", flat=True))
    return Annotation.objects.filter(pk__in=locked).update(status=Annotation.Status.GONE)


def record_uncleared(ref: str, uncleared: Mapping[str, Any]) -> None:
    """Record the values that Mixpeek still returns after a decision cleared them; show blanks.

    Does nothing if the annotation was deleted here.
    """
    Annotation.objects.filter(ref=ref).update(uncleared=dict(uncleared))
    rebase(ref)


def rebase(ref: str) -> None:
    """Recompute the shown values of an annotation after one of its changes was withdrawn.

    Does nothing if the annotation was deleted here.
    """
    row = Annotation.objects.select_for_update().filter(ref=ref).first()
    if row is None:
        return

    for name, value in visible_values(row, Change.objects.open_on(ref)).items():
        setattr(row, name, value)
    row.save(update_fields=list(BLANK_VALUES))


def visible_values(row: Annotation, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the values that people see: upstream's values under these changes, oldest first.

    A field that a decision cleared is blank, even if upstream still returns its old value.
    """
    cleared = {name: BLANK_VALUES[name] for name in row.uncleared}
    # A row that was mirrored before a field existed has no upstream value for it.
    values = BLANK_VALUES | (row.upstream or {}) | cleared

    for change in changes:
        for name, value in change.fields.items():
            if name in values:
                values[name] = value
    return values


def still_uncleared(uncleared: Mapping[str, Any], upstream: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cleared values that upstream still returns; any other value there is a new one."""
    still = {}
    for name, value in uncleared.items():
        if is_same_json(upstream.get(name), value):
            still[name] = value
    return still


def _lock(refs: Collection[str], records: Mapping[str, AnnotationRecord]) -> list[int]:
    """Lock the rows of the refs, of the records' ids, and those that the records might fill.

    Returns their keys. One query locks all of them in the order of their keys, as `attach_results`
    does, to prevent deadlocks.
    """
    return _LOCK.rows(
        refs=list(refs),
        annotation_ids=list(records),
        document_ids=list({record.document_id for record in records.values()}),
        execution_ids=list({execution_id_in(record) for record in records.values()}),
    )


def _match_rows(
    records: Mapping[str, AnnotationRecord],
    retrievers: Mapping[str, Retriever],
    locked: Sequence[Annotation],
    undelivered: Mapping[str, Sequence[Change]],
) -> tuple[dict[str, Annotation], set[str]]:
    """Return the existing row of each record by annotation id, and the ids of postponed records."""
    rows: dict[str, Annotation] = {}
    unannotated: dict[tuple[str, int | None, str], Annotation] = {}
    for row in locked:
        if row.annotation_id is not None:
            rows[row.annotation_id] = row
        else:
            unannotated[row.document_id, row.retriever_id, row.execution_id] = row

    postponed: set[str] = set()
    for annotation_id, record in records.items():
        if annotation_id in rows:
            continue

        retriever_key = None
        if record.retriever_id:
            if record.retriever_id not in retrievers:
                continue
            retriever_key = retrievers[record.retriever_id].pk

        place = (record.document_id, retriever_key, execution_id_in(record))
        if place not in unannotated:
            continue

        # If one of our creates is in delivery for another annotation, its reply needs the row. The
        # delivery reads upstream first and then settles which annotation the row gets.
        causes = set()
        for change in undelivered[unannotated[place].ref]:
            if change.claimed_at or change.maybe_sent:
                causes.add(str(change.cause))
        if causes and decision_id_in(record) not in causes:
            postponed.add(annotation_id)
        else:
            rows[annotation_id] = unannotated.pop(place)
    return rows, postponed


def is_newer(record: AnnotationRecord, row: Annotation) -> bool:
    """Return whether the record has something that the row does not have yet."""
    if row.annotation_id is None or row.status == Annotation.Status.GONE:
        return True

    if record.version is not None and row.version is not None and record.version != row.version:
        return not is_overtaken(record.version, row.version)

    if record.updated_at and row.updated_at and record.updated_at < row.updated_at:
        return False
    return not is_same_json(row.upstream, values_of(record))


def _fill_row(
    row: Annotation,
    record: AnnotationRecord,
    retrievers: Mapping[str, Retriever],
    changes: Sequence[Change],
    undecidable: Collection[str],
) -> None:
    """Copy the record into the row, and show its values under our undelivered changes.

    An id or name that the record leaves out stays. `undecidable`: see `undecidable_elsewhere`.
    """
    row.annotation_id = record.annotation_id
    row.document_id = record.document_id
    retriever = retrievers.get(record.retriever_id or "")
    if retriever is not None:
        row.retriever = retriever
    collection_id = storable_text(record.collection_id or "", MAX_STORED_ID_LENGTH)
    row.collection_id = collection_id or row.collection_id
    stage_name = storable_text(record.stage_name or "", MAX_STORED_ID_LENGTH)
    row.stage_name = stage_name or row.stage_name
    row.execution_id = execution_id_in(record) or row.execution_id

    row.version = record.version
    row.upstream = values_of(record)
    row.revisions = revisions_of(record)
    row.actor_id = storable_text(record.actor_id, MAX_STORED_ID_LENGTH)
    row.actor_type = storable_text(record.actor_type, _MAX_ACTOR_TYPE_LENGTH)
    row.created_at = record.created_at
    row.updated_at = record.updated_at
    row.seen_at = timezone.now()

    row.uncleared = still_uncleared(row.uncleared, row.upstream)
    for name, value in visible_values(row, changes).items():
        setattr(row, name, value)
    row.status = _status(row, record, undecidable)


def _status(
    row: Annotation,
    record: AnnotationRecord,
    undecidable: Collection[str],
) -> Annotation.Status:
    """Return the status of a filled row: our decision's, else what people did at Mixpeek."""
    status = Annotation.Status(row.status)
    if row.decision_id is not None:
        if status in _RECOMPUTED_STATUSES and row.decision is not None:
            return Annotation.Status(row.decision.outcome)
        return status

    if record.annotation_id in undecidable:
        return Annotation.Status.UNDECIDABLE
    if status == Annotation.Status.DECIDED:
        return status
    if is_from_person(proposed_values(record), row.revisions):
        return Annotation.Status.DECIDED
    return Annotation.Status.WAITING


def _mirrored_values(row: Annotation) -> dict[str, Any]:
    """Return the mirrored fields of a row; the retriever by its key, which needs no query."""
    values = {name: getattr(row, name) for name in _MIRRORED_FIELDS if name != "retriever"}
    values["retriever"] = row.retriever_id
    return values


def _save_changed(rows: Sequence[Annotation], before: Mapping[int, dict[str, Any]]) -> None:
    """Write the fields that differ in at least one row, with the editor at Mixpeek in the history.

    A delivery changes few fields, and recomputing the search vector costs more than all the others.
    """
    after = {row.pk: _mirrored_values(row) for row in rows}
    changed_fields = []
    for name in _MIRRORED_FIELDS:
        if any(not is_same_json(after[pk][name], before[pk][name]) for pk in after):
            changed_fields.append(name)

    # Who changed the shown values of each row at Mixpeek, where that is known.
    editors: dict[int, str] = {}
    if is_noticing():
        edited = []
        for row in rows:
            old = before[row.pk]
            if any(not is_same_json(getattr(row, name), old[name]) for name in BLANK_VALUES):
                edited.append(row)
        versions_before = {row.pk: before[row.pk]["version"] for row in edited}
        if edited:
            editors = version_authors.editors(edited, versions_before)

    rows_by_editor = defaultdict(list)
    for row in rows:
        rows_by_editor[editors.get(row.pk, "")].append(row)
    for editor, edited_rows in rows_by_editor.items():
        with noticing(editor):
            bulk_update.update(edited_rows, changed_fields)
