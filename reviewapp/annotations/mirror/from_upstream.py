"""Convert an upstream annotation record into the values that we store. Pure.

Upstream may return what no column of ours can hold. Such a value is shortened, replaced or left
out, so that no record stops a pull or a delivery.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.retrievers.documents.snapshot import clean_json
from reviewapp.storable import storable_json, storable_text

MAX_STORED_ID_LENGTH = 200
BLANK_VALUES: dict[str, Any] = {
    "label": "",
    "confidence": None,
    "reasoning": "",
    "payload": {},
    "metadata": None,
}

# Our stamp: the key under which a delivery names its decision, and the keys of the object there
# (`sync.deliver.provenance`).
STAMP_KEY = "reviewapp"
_STAMP_KEYS = frozenset({"decision_id", "reviewer", "time"})
_OBJECT_FIELDS = ("payload", "metadata")

_MACHINE = "system"
_USER = "user"
_MAX_LABEL_LENGTH = 100
_MAX_VERSION = 2**31

_log = logging.getLogger(__name__)


def values_of(record: AnnotationRecord) -> dict[str, Any]:
    """Return a record's values as we store them: absent reasoning is "", absent payload {}.

    A confidence outside 0 to 1 becomes None.
    """
    confidence = record.confidence
    if confidence is not None and not 0 <= confidence <= 1:
        confidence = None

    return {
        "label": storable_text(record.label, _MAX_LABEL_LENGTH),
        "confidence": confidence,
        "reasoning": storable_text(record.reasoning or ""),
        "payload": without_stamp(storable_json(record.payload or {})),
        "metadata": without_stamp(storable_json(record.metadata)),
    }


def without_stamp(value: Any) -> Any:
    """Return an object without our stamp, which is nobody's edit; return other values unchanged."""
    if not _stamp_in(value):
        return value
    return {name: inner for name, inner in value.items() if name != STAMP_KEY}


def decision_id_in(record: AnnotationRecord) -> str:
    """Return the decision id in our stamp on a record; "" without a stamp."""
    for name in _OBJECT_FIELDS:
        stamp = _stamp_in(getattr(record, name))
        if stamp:
            return str(stamp["decision_id"])
    return ""


def execution_id_in(record: AnnotationRecord) -> str:
    """Return the execution id of a record as `Annotation.execution_id` holds it; "" for none."""
    return storable_text(record.execution_id or "", MAX_STORED_ID_LENGTH)


def prior_values(prior: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an edit replaced, as `values_of` has them; absent metadata is {}."""
    values: dict[str, Any] = {}
    for name, blank in BLANK_VALUES.items():
        if name not in prior:
            continue

        value = prior[name]
        if value is None:
            value = {} if name == "metadata" else blank
        if name in _OBJECT_FIELDS:
            value = without_stamp(value)
        values[name] = value
    return values


def is_storable_record(record: AnnotationRecord) -> bool:
    """Return whether our columns can hold the record's ids and version; log a warning if not."""
    ids = (record.annotation_id, record.document_id)
    has_storable_ids = all(
        storable_text(id_) == id_ and len(id_) <= MAX_STORED_ID_LENGTH for id_ in ids
    )
    has_storable_version = -_MAX_VERSION < (record.version or 0) < _MAX_VERSION
    if has_storable_ids and has_storable_version:
        return True

    _log.warning(
        "Left out an annotation whose id or version cannot be kept: %r",
        record.annotation_id[:MAX_STORED_ID_LENGTH],
    )
    return False


def revisions_of(record: AnnotationRecord) -> list[dict[str, Any]]:
    """Return the record's edits in the form that `versions.py` reads, oldest first.

    A field in which only our stamp changed is left out. `decision_id` is the decision that the edit
    delivered, if the edit set a stamp.
    """
    revisions: list[dict[str, Any]] = []
    after: dict[str, Any] = {"payload": record.payload, "metadata": record.metadata}
    newest_first = sorted(record.revisions, key=lambda edit: edit.version, reverse=True)

    for edit in newest_first:
        before = dict(after)
        for name in _OBJECT_FIELDS:
            if name in edit.prior:
                before[name] = edit.prior[name] or {}

        prior: dict[str, Any] = {}
        for name, value in edit.prior.items():
            if name not in _OBJECT_FIELDS:
                prior[name] = value
            elif not _differ_only_in_stamp(before[name], after[name]):
                prior[name] = without_stamp(value)

        revision = asdict(edit)
        revision["prior"] = prior
        revision["edited_at"] = edit.edited_at.isoformat() if edit.edited_at else None
        decision_id = _decision_stamped_by_edit(before, after)
        if decision_id:
            revision["decision_id"] = decision_id

        revisions.append(clean_json(revision))
        after = before

    revisions.reverse()
    return revisions


def is_from_person(record: AnnotationRecord) -> bool:
    """Return whether a person created the annotation or edited it at Mixpeek.

    An annotation created with an API key may be a machine's: it counts as a proposal until someone
    edits it.
    """
    is_edited = any(edit.edited_by_type != _MACHINE for edit in record.revisions)
    return is_edited or not proposed_values(record)


def is_row_from_person(
    proposed: Mapping[str, Any],
    revisions: Sequence[Mapping[str, Any]],
) -> bool:
    """Return the same as `is_from_person`, from the columns of an `Annotation`."""
    is_edited = any(edit["edited_by_type"] != _MACHINE for edit in revisions)
    return is_edited or not proposed


def proposed_values(record: AnnotationRecord) -> dict[str, Any]:
    """Return the values of version 1, if a machine may have proposed them; else {}.

    They are rebuilt from the backward revisions. {} where a user created the annotation, or where
    version 1 already had our stamp.
    """
    first_values: dict[str, Any] = {}
    for edit in sorted(record.revisions, key=lambda edit: edit.version, reverse=True):
        for name in BLANK_VALUES:
            if name in edit.prior:
                first_values[name] = edit.prior[name]
    first = replace(record, **first_values)

    if record.actor_type == _USER or decision_id_in(first):
        return {}
    return values_of(first)


def _stamp_in(value: Any) -> dict[str, Any]:
    """Return our stamp in a payload or metadata; {} without one."""
    stamp = value.get(STAMP_KEY) if isinstance(value, dict) else None
    if isinstance(stamp, dict) and stamp.keys() == _STAMP_KEYS:
        return stamp
    return {}


def _differ_only_in_stamp(before: Any, after: Any) -> bool:
    if is_same_json(before, after):
        return False
    return is_same_json(without_stamp(before) or {}, without_stamp(after) or {})


def _decision_stamped_by_edit(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the decision id in the stamp that an edit set; "" if it set none."""
    for name in _OBJECT_FIELDS:
        stamp = _stamp_in(after[name])
        if stamp and stamp != _stamp_in(before[name]):
            return str(stamp["decision_id"])
    return ""
