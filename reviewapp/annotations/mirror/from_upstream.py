"""What upstream says of an annotation, read as we keep it. Pure.

Upstream may say what no column of ours can hold: it is made so that it fits, and nothing comes to a halt over it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from reviewapp.json_values import same
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.postgres.storable_json import holdable, text
from reviewapp.retrievers.documents.snapshot import storable_json

LONGEST_ID = 200
BLANK: dict[str, Any] = {"label": "", "confidence": None, "reasoning": "", "payload": {}, "metadata": None}

# The key under which a delivery says whose decision it brings, and what stands there (`sync.stamp`).
STAMP = "reviewapp"
_STAMPED = frozenset({"decision_id", "reviewer", "time"})
_OBJECTS = ("payload", "metadata")

_log = logging.getLogger(__name__)
_MACHINE, _USER = "system", "user"
_LONGEST_LABEL, _MOST_VERSION = 100, 2**31


def values_of(record: AnnotationRecord) -> dict[str, Any]:
    """Return a record's values in our own form: absent reasoning is "", absent payload is {}.

    What could not be stored here is made so that it can; a confidence outside 0 to 1 is none.
    """
    sure = record.confidence is not None and 0 <= record.confidence <= 1
    return {
        "label": text(record.label, _LONGEST_LABEL),
        "confidence": record.confidence if sure else None,
        "reasoning": text(record.reasoning or ""),
        "payload": unstamped(holdable(record.payload or {})),
        "metadata": unstamped(holdable(record.metadata)),
    }


def unstamped(value: Any) -> Any:
    """Return an object without our own stamp, which is nobody's edit; anything else is returned as it is."""
    return {name: inner for name, inner in value.items() if name != STAMP} if _stamp_in(value) else value


def decision_in(record: AnnotationRecord) -> str:
    """Return the decision that our stamp on a record names, "" without a stamp."""
    stamps = (_stamp_in(getattr(record, name)) for name in _OBJECTS)
    return next((str(stamp["decision_id"]) for stamp in stamps if stamp), "")


def execution_of(record: AnnotationRecord) -> str:
    """Return the execution that a record names, as `Annotation.execution_id` keeps it; "" for none."""
    return text(record.execution_id or "", LONGEST_ID)


def _stamp_in(value: Any) -> dict[str, Any]:
    found = value.get(STAMP) if isinstance(value, dict) else None
    return found if isinstance(found, dict) and found.keys() == _STAMPED else {}


def kept_of(prior: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an edit replaced, in the form of `values_of`, in which nothing has a value of its own."""
    blanks = BLANK | {"metadata": {}}
    known = {name: blanks[name] if prior[name] is None else prior[name] for name in BLANK if name in prior}
    return known | {name: unstamped(known[name]) for name in _OBJECTS if name in known}


def usable(record: AnnotationRecord) -> bool:
    """Return whether we can keep what names a record: its ids, and a version that a column holds."""
    named = all(text(id_) == id_ and len(id_) <= LONGEST_ID for id_ in (record.annotation_id, record.document_id))
    fits = named and -_MOST_VERSION < (record.version or 0) < _MOST_VERSION
    if not fits:
        _log.warning("Left out an annotation whose id or version cannot be kept: %r", record.annotation_id[:LONGEST_ID])
    return fits


def revisions_of(record: AnnotationRecord) -> list[dict[str, Any]]:
    """Return the record's edits as `versions.py` reads them, oldest first, storable.

    What only our stamp changed is left out; `decision_id` is the decision that the edit brought, if its stamp says so.
    """
    told: list[dict[str, Any]] = []
    after: dict[str, Any] = {"payload": record.payload, "metadata": record.metadata}
    for edit in sorted(record.revisions, key=lambda revision: revision.version, reverse=True):
        before = after | {name: edit.prior[name] or {} for name in _OBJECTS if name in edit.prior}
        prior = {name: value for name, value in edit.prior.items() if not _only_stamped(name, before, after)}
        prior |= {name: unstamped(prior[name]) for name in _OBJECTS if name in prior}
        at = edit.edited_at.isoformat() if edit.edited_at else None
        row = asdict(edit) | {"prior": prior, "edited_at": at, "decision_id": _decision(before, after)}
        told.insert(
            0, storable_json({name: value for name, value in row.items() if value != "" or name != "decision_id"})
        )
        after = before
    return told


def _only_stamped(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    if name not in _OBJECTS or same(before[name], after[name]):
        return False
    return same(unstamped(before[name]) or {}, unstamped(after[name]) or {})


def _decision(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return the decision that an edit says it brings: the one in the stamp that it set."""
    stamps = ((_stamp_in(before[name]), _stamp_in(after[name])) for name in _OBJECTS)
    return next((str(now["decision_id"]) for was, now in stamps if now and now != was), "")


def by_a_person(record: AnnotationRecord) -> bool:
    """Return whether a person made the annotation or edited it at Mixpeek.

    What an API key created may be a machine's: it counts as a proposal until somebody edits it.
    """
    edited = any(edit.edited_by_type != _MACHINE for edit in record.revisions)
    return edited or not proposed_by(record)


def kept_of_a_person(proposed: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]]) -> bool:
    """Return what `by_a_person` says of a record, of what we keep of it."""
    edited = any(edit["edited_by_type"] != _MACHINE for edit in revisions)
    return edited or not proposed


def proposed_by(record: AnnotationRecord) -> dict[str, Any]:
    """Return what was proposed first: version 1, rebuilt from the backward revisions.

    {} where a user created it, or where our stamp was on it from the beginning.
    """
    first = _first_version(record)
    if record.actor_type == _USER or decision_in(first):
        return {}
    return values_of(first)


def _first_version(record: AnnotationRecord) -> AnnotationRecord:
    values: dict[str, Any] = {}
    for revision in sorted(record.revisions, key=lambda revision: revision.version, reverse=True):
        values |= {name: revision.prior[name] for name in BLANK if name in revision.prior}
    return replace(record, **values)
