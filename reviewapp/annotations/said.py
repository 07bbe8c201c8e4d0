"""What upstream says of an annotation, read as we keep it. Pure.

Upstream may say what no column of ours can hold: it is made so that it fits, and nothing comes to a halt over it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.holdable import holdable, text
from reviewapp.retrievers.snapshot import storable_json

LONGEST_ID = 200
BLANK: dict[str, Any] = {"label": "", "confidence": None, "reasoning": "", "payload": {}, "metadata": None}

_log = logging.getLogger(__name__)
_MACHINE = "system"
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
        "payload": holdable(record.payload or {}),
        "metadata": holdable(record.metadata),
    }


def usable(record: AnnotationRecord) -> bool:
    """Return whether we can keep what names a record: its ids, and a version that a column holds."""
    named = all(text(id_) == id_ and len(id_) <= LONGEST_ID for id_ in (record.annotation_id, record.document_id))
    fits = named and -_MOST_VERSION < (record.version or 0) < _MOST_VERSION
    if not fits:
        _log.warning("Left out an annotation whose id or version cannot be kept: %r", record.annotation_id[:LONGEST_ID])
    return fits


def revisions_of(record: AnnotationRecord) -> list[dict[str, Any]]:
    """Return the record's edits as `versions.py` reads them, oldest first, storable."""
    edits = sorted(record.revisions, key=lambda revision: revision.version)
    return [
        storable_json(asdict(edit) | {"edited_at": edit.edited_at.isoformat() if edit.edited_at else None})
        for edit in edits
    ]


def by_a_person(record: AnnotationRecord) -> bool:
    """Return whether a person made the annotation or edited it at Mixpeek."""
    return record.actor_type != _MACHINE or any(edit.edited_by_type != _MACHINE for edit in record.revisions)


def kept_of_a_person(actor_type: str, revisions: Sequence[Mapping[str, Any]]) -> bool:
    """Return what `by_a_person` says of a record, of what we keep of it."""
    return actor_type != _MACHINE or any(edit["edited_by_type"] != _MACHINE for edit in revisions)


def proposed_by(record: AnnotationRecord) -> dict[str, Any]:
    """Return what the machine said first: version 1, rebuilt from the backward revisions; {} for a person's own."""
    if record.actor_type != _MACHINE and not record.revisions:
        return {}
    values = values_of(record)
    for revision in sorted(record.revisions, key=lambda revision: revision.version, reverse=True):
        values |= {name: holdable(value) for name, value in revision.prior.items() if name in values}
    return values
