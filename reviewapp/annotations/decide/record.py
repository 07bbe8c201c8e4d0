"""Write a decision down: one statement for all that it changes here, planned once in a connection."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from uuid import UUID

from reviewapp import stored
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.asked import rows

_VALUES = ("label", "confidence", "reasoning", "payload", "metadata")

# Parts that write history read from the one before, so that history tells of them in this order. What the person had
# set aside is taken up again; nobody has the item open any more; the draft that became this decision is over.
_RECORD = """
WITH aside AS (
    DELETE FROM annotations_setaside WHERE annotation_id = %(annotation)s AND person_id = %(person)s
    RETURNING jsonb_build_object(
        'aside', jsonb_build_object('kind', kind, 'reason', reason, 'created_at', created_at)
    ) AS said
), given AS (
    SELECT %(decision)s::jsonb || jsonb_build_object('cleared',
        %(replaced)s::jsonb || coalesce((SELECT said FROM aside), '{{}}')) AS row
), decided AS (
    INSERT INTO annotations_decision ({columns})
    SELECT {columns} FROM given, jsonb_populate_record(NULL::annotations_decision, given.row) RETURNING *
), shown AS (
    UPDATE annotations_annotation a SET label = %(label)s, confidence = %(confidence)s::float8,
        reasoning = %(reasoning)s, payload = %(payload)s::jsonb, metadata = %(metadata)s::jsonb,
        status = decided.outcome, decision_id = decided.id, reviewer_id = decided.reviewer_id,
        decided_at = decided.created_at
    FROM decided WHERE a.id = decided.annotation_id RETURNING a.confidence, a.payload, a.metadata
), let_go AS (
    DELETE FROM annotations_lease WHERE annotation_id = %(annotation)s
), over AS (
    DELETE FROM annotations_draft WHERE annotation_id = %(annotation)s AND person_id = %(person)s
        AND (decision_id = %(decision_id)s OR edition = %(draft)s)
)
SELECT decided.id, decided.created_at, decided.cleared, shown.* FROM decided, shown
"""


def record(decision: Decision, values: dict[str, Any], *, draft: UUID | None) -> None:
    """Store a decision and show `values` on its annotation, which is no longer open, set aside by its person, a draft.

    `decision.cleared` says what it replaces, and afterwards also how it was set aside; the annotation is as the
    database holds it, and so is the decision's time. Inside the caller's transaction, which has locked the annotation.
    """
    annotation: Any = decision.annotation
    shown = {name: values.get(name, getattr(annotation, name)) for name in _VALUES}
    said = {
        **shown,
        "payload": json.dumps(shown["payload"]),
        "metadata": None if shown["metadata"] is None else json.dumps(shown["metadata"]),
        "annotation": annotation.pk,
        "person": decision.reviewer_id,
        "decision_id": decision.decision_id,
        "draft": draft,
        "decision": stored.as_json(decision),
        "replaced": json.dumps(decision.cleared),
    }
    ((decision.pk, decision.created_at, cleared, confidence, payload, metadata),) = rows(_statement(), said)
    decision.cleared = json.loads(cleared)
    # As the database holds them, which writes some numbers in its own way.
    kept = {"confidence": confidence, "payload": json.loads(payload), "metadata": metadata and json.loads(metadata)}
    for name, value in (shown | kept).items():
        setattr(annotation, name, value)
    annotation.decision, annotation.status = decision, Annotation.Status(decision.outcome)
    annotation.reviewer, annotation.decided_at = decision.reviewer, decision.created_at


@cache
def _statement() -> str:
    return _RECORD.format(columns=stored.columns(Decision))
