"""Triggers that keep `CountedDecision`: what figures count of each decision, in one narrow row.

They run in the transaction of what they count, whoever writes it. No process of the app writes the
table itself (`docs/database-roles.sql`).
"""

from __future__ import annotations

import pgtrigger

from reviewapp.audit.triggers import OwnerTrigger

# What a decision did to the label that its person saw (`decisions/filters.py`, `Outcome`), and what
# else is counted of it. `decision` and `annotation` are rows.
_SELECT_COUNTED = """
    SELECT
        decision.id,
        decision.created_at,
        decision.reviewer_id,
        annotation.retriever_id,
        decision.retriever_version,
        CASE
            WHEN decision.outcome = 'undecidable' THEN 'undecidable'
            WHEN decision.label = decision.base->>'label' THEN 'confirmed'
            WHEN first.is_first THEN 'relabelled'
            ELSE 'corrected'
        END,
        coalesce(decision.base->>'label', ''),
        decision.label,
        seen.confidence,
        abs(decision.confidence - seen.confidence),
        first.is_first
            AND coalesce(annotation.proposed->>'label', '') <> ''
            AND annotation.proposed->>'label' = coalesce(decision.base->>'label', ''),
        CASE WHEN decision.seconds < 1e8 THEN round(decision.seconds * 10) END,
        EXISTS (SELECT FROM public.annotations_undo undo WHERE undo.decision_id = decision.id),
        coalesce(change.state, ''),
        CASE WHEN change.state = 'delivered' THEN
            round(extract(epoch FROM change.settled_at - decision.created_at) * 10)
        END
    FROM public.annotations_decision decision
    JOIN public.annotations_annotation annotation ON annotation.id = decision.annotation_id
    LEFT JOIN public.outbox_change change ON change.cause = decision.decision_id
    CROSS JOIN LATERAL (
        SELECT coalesce(decision.base->'decision', 'null') = 'null' AS is_first
    ) first
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN jsonb_typeof(decision.base->'confidence') = 'number'
            THEN (decision.base->>'confidence')::float8
        END AS confidence
    ) seen
"""

_INSERT_COUNTED = f"""
    INSERT INTO public.annotations_counteddecision (
        decision_id, created_at, reviewer_id, retriever_id, version, effect, label_seen, label,
        confidence_seen, moved, is_on_machines_label, tenths, is_undone, delivery, delivery_tenths
    )
    {_SELECT_COUNTED}
"""

DECISION_COUNTED = OwnerTrigger(
    name="counted",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    func=f"{_INSERT_COUNTED} WHERE decision.id = NEW.id; RETURN NULL;",
)

UNDO_COUNTED = OwnerTrigger(
    name="counted",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    func="""
    UPDATE public.annotations_counteddecision SET is_undone = true
    WHERE decision_id = NEW.decision_id;
    RETURN NULL;
    """,
)

# Mixpeek may tell later to which retriever an annotation belongs.
_RETRIEVER_UPDATED = pgtrigger.UpdateOf("retriever_id")  # type: ignore[no-untyped-call]
RETRIEVER_COUNTED = OwnerTrigger(
    name="counted",
    when=pgtrigger.After,
    operation=_RETRIEVER_UPDATED,
    condition=pgtrigger.Condition("OLD.retriever_id IS DISTINCT FROM NEW.retriever_id"),
    func="""
    UPDATE public.annotations_counteddecision counted SET retriever_id = NEW.retriever_id
    FROM public.annotations_decision decision
    WHERE decision.annotation_id = NEW.id AND counted.decision_id = decision.id;
    RETURN NULL;
    """,
)
