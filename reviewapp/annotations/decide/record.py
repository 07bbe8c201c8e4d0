"""Store a decision: one prepared statement for all the rows that it changes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from uuid import UUID

from reviewapp import stored
from reviewapp.annotations.fields import STORED_FIELDS
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.asked import rows

# Each part that writes history reads from the part before it, so that the events come in this
# order: the item is taken up again, the decision, the annotation. Nobody has the item open any
# more, and the draft that became this decision is deleted.
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
    SELECT {columns} FROM given, jsonb_populate_record(NULL::annotations_decision, given.row)
    RETURNING *
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
    """Insert a decision and set `values` on its annotation.

    Also ends the annotation's lease, and the reviewer's skip or deferral and draft of it. Call it
    inside a transaction that has locked the annotation. Afterwards `decision` has its key, its
    time and in `cleared` also how the item was set aside; `decision.annotation` is as the database
    holds it.
    """
    annotation: Any = decision.annotation
    new_values = {name: values.get(name, getattr(annotation, name)) for name in STORED_FIELDS}

    sql_values = dict(new_values)
    for name, value in new_values.items():
        if isinstance(value, dict):
            sql_values[name] = json.dumps(value)

    parameters = {
        **sql_values,
        "annotation": annotation.pk,
        "person": decision.reviewer_id,
        "decision_id": decision.decision_id,
        "draft": draft,
        "decision": stored.row_as_json(decision),
        "replaced": json.dumps(decision.cleared),
    }
    (row,) = rows(_statement(), parameters)
    pk, created_at, cleared, confidence, payload, metadata = row

    decision.pk = pk
    decision.created_at = created_at
    decision.cleared = json.loads(cleared)

    for name, value in new_values.items():
        setattr(annotation, name, value)
    # PostgreSQL writes some numbers in its own way.
    annotation.confidence = confidence
    annotation.payload = json.loads(payload)
    annotation.metadata = metadata and json.loads(metadata)

    annotation.decision = decision
    annotation.status = Annotation.Status(decision.outcome)
    annotation.reviewer = decision.reviewer
    annotation.decided_at = decision.created_at


@cache
def _statement() -> str:
    return _RECORD.format(columns=stored.columns(Decision))
