"""Convert an upstream annotation record into the values that we store. Pure.

Upstream may return what no column of ours can hold. Such a value is shortened, replaced or left
out, so that no record stops a pull or a delivery.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from reviewapp.annotations.fields import BLANK_VALUES, STORED_FIELDS, Kind
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import AnnotationRecord, RevisionRecord
from reviewapp.retrievers.documents.snapshot import clean_json
from reviewapp.storable import is_storable, storable_text

MAX_STORED_ID_LENGTH = 200

# Our stamp: the key under which a delivery names its decision, and the keys of the object there
# (`sync.deliver.provenance`). A decision that sets no label also says its outcome.
STAMP_KEY = "reviewapp"
CANNOT_TELL = "cannot_tell"
REVERTED = "reverted"
_STAMP_KEYS = frozenset({"decision_id", "reviewer", "time"})
_OUTCOME_KEYS = frozenset({"outcome", "reason"})
_OBJECT_FIELDS = tuple(name for name, field in STORED_FIELDS.items() if field.kind is Kind.OBJECT)

_MACHINE = "system"
_USER = "user"
_MAX_VERSION = 2**31

_log = logging.getLogger(__name__)


def values_of(record: AnnotationRecord) -> dict[str, Any]:
    """Return a record's values as we store them: absent reasoning is "", absent payload {}.

    A confidence outside 0 to 1 becomes None.
    """
    values = {}
    for name, field in STORED_FIELDS.items():
        values[name] = without_stamp(field.from_upstream(getattr(record, name)))
    return values


def without_stamp(value: Any) -> Any:
    """Return an object without our stamp, which is nobody's edit; return other values unchanged."""
    if not stamp_of(value):
        return value
    return {name: inner for name, inner in value.items() if name != STAMP_KEY}


def stamp_of(value: Any) -> dict[str, Any]:
    """Return our stamp in a payload or metadata; {} without one."""
    stamp = value.get(STAMP_KEY) if isinstance(value, dict) else None
    if not isinstance(stamp, dict):
        return {}
    if _STAMP_KEYS <= stamp.keys() <= _STAMP_KEYS | _OUTCOME_KEYS:
        return stamp
    return {}


def stamp_in(record: AnnotationRecord) -> dict[str, Any]:
    """Return our stamp on a record, the newer one where both objects have one; {} without one."""
    stamps = [stamp_of(getattr(record, name)) for name in _OBJECT_FIELDS]
    present = [stamp for stamp in stamps if stamp]
    return max(present, key=lambda stamp: str(stamp["time"]), default={})


def decision_id_in(record: AnnotationRecord) -> str:
    """Return the decision id in our stamp on a record; "" without a stamp."""
    return str(stamp_in(record).get("decision_id", ""))


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


def fits_our_columns(record: AnnotationRecord) -> bool:
    """Return whether our columns can hold the record's ids and version."""
    ids = (record.annotation_id, record.document_id)
    has_storable_ids = all(is_storable(id_) and len(id_) <= MAX_STORED_ID_LENGTH for id_ in ids)
    has_storable_version = -_MAX_VERSION < (record.version or 0) < _MAX_VERSION
    return has_storable_ids and has_storable_version


def is_storable_record(record: AnnotationRecord) -> bool:
    """Return whether our columns can hold the record; log a warning if not."""
    if fits_our_columns(record):
        return True

    _log.warning(
        "Left out an annotation whose id or version cannot be kept: %r",
        record.annotation_id[:MAX_STORED_ID_LENGTH],
    )
    return False


def revisions_of(record: AnnotationRecord) -> list[dict[str, Any]]:
    """Return the record's edits in the form that `versions.py` reads, oldest first.

    A field in which only our stamp changed is left out. `decision_id` is the decision that the edit
    delivered, if the edit set a stamp; `outcome` and `reason` are what the stamp says beside it. An
    edit that only removed a stamp that said "can't tell" has the outcome `reverted`.
    """
    revisions = []
    after: dict[str, Any] = {name: getattr(record, name) for name in _OBJECT_FIELDS}
    newest_first = sorted(record.revisions, key=lambda edit: edit.version, reverse=True)

    for edit in newest_first:
        before = dict(after)
        for name in _OBJECT_FIELDS:
            if name in edit.prior:
                before[name] = edit.prior[name] or {}

        prior = prior_without_stamp(edit, before, after)
        revision = asdict(edit)
        revision["prior"] = prior
        revision["edited_at"] = edit.edited_at.isoformat() if edit.edited_at else None

        stamp = stamp_set_by_edit(before, after)
        for name in ("decision_id", "outcome", "reason"):
            if name in stamp:
                revision[name] = str(stamp[name])
        if not stamp and not prior and is_cannot_tell_removed(before, after):
            revision["outcome"] = REVERTED

        revisions.append(clean_json(revision))
        after = before

    revisions.reverse()
    return revisions


def prior_without_stamp(
    edit: RevisionRecord,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the replaced values, without our stamp and the fields in which only that changed."""
    prior = {}
    for name, value in edit.prior.items():
        if name not in _OBJECT_FIELDS:
            prior[name] = value
            continue

        old = without_stamp(before[name]) or {}
        new = without_stamp(after[name]) or {}
        is_unchanged = is_same_json(before[name], after[name])
        if is_unchanged or not is_same_json(old, new):
            prior[name] = without_stamp(value)
    return prior


def is_from_person(
    proposed: Mapping[str, Any],
    revisions: Sequence[Mapping[str, Any]],
) -> bool:
    """Return whether a person created the annotation or decided on it at Mixpeek.

    Takes what `proposed_values` and `revisions_of` return. An annotation created with an API key
    may be a machine's: it counts as a proposal until someone edits it. "Can't tell" and its
    reversal decide nothing.
    """
    for edit in revisions:
        says_only_outcome = bool(edit.get("outcome")) and not edit["prior"]
        if edit["edited_by_type"] != _MACHINE and not says_only_outcome:
            return True
    return not proposed


def cannot_tell_decision_id(revisions: Sequence[Mapping[str, Any]]) -> str:
    """Return the decision whose "can't tell" is the last that a stamp said; "" for none."""
    for revision in reversed(revisions):
        if revision.get("outcome") == CANNOT_TELL:
            return str(revision["decision_id"])
        if "outcome" in revision or "decision_id" in revision:
            return ""
    return ""


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


def stamp_set_by_edit(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stamp that an edit set; {} if it set none."""
    for name in _OBJECT_FIELDS:
        stamp = stamp_of(after[name])
        if stamp and stamp != stamp_of(before[name]):
            return stamp
    return {}


def is_cannot_tell_removed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether an edit removed a stamp that said "can't tell"."""
    for name in _OBJECT_FIELDS:
        said = stamp_of(before[name]).get("outcome")
        if said == CANNOT_TELL and not stamp_of(after[name]):
            return True
    return False
