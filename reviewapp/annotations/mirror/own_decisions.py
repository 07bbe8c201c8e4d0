"""Tell our own decisions from those of other installations, by the id in a stamp."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from reviewapp.annotations.mirror.from_upstream import CANNOT_TELL, stamp_in
from reviewapp.annotations.models import Decision
from reviewapp.mixpeek.records import AnnotationRecord


def undecidable_elsewhere(records: Iterable[AnnotationRecord]) -> set[str]:
    """Return the ids of those of which another installation's stamp says "can't tell"."""
    decision_ids = {}
    for record in records:
        stamp = stamp_in(record)
        if stamp.get("outcome") == CANNOT_TELL:
            decision_ids[record.annotation_id] = str(stamp["decision_id"])

    others = without_own(decision_ids.values())
    undecidable = set()
    for annotation_id, decision_id in decision_ids.items():
        if decision_id in others:
            undecidable.add(annotation_id)
    return undecidable


def without_own(decision_ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are no decisions of ours; no query for no ids."""
    ids = set(decision_ids)
    by_uuid = {}
    for decision_id in ids:
        try:
            by_uuid[UUID(decision_id)] = decision_id
        except ValueError:
            # No id of ours.
            continue
    if not by_uuid:
        return ids

    own = Decision.objects.filter(decision_id__in=by_uuid).values_list("decision_id", flat=True)
    return ids - {by_uuid[own_id] for own_id in own}
