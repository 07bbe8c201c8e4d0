"""The trigger that keeps how far the delivery of a decision got, for the figures of decisions."""

from __future__ import annotations

import pgtrigger

from reviewapp.audit.triggers import OwnerTrigger

_STATE_UPDATED = pgtrigger.UpdateOf("state", "settled_at")  # type: ignore[no-untyped-call]

# A change of a retriever has a cause too, which no decision has.
DELIVERY_COUNTED = OwnerTrigger(
    name="counted",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | _STATE_UPDATED,
    condition=pgtrigger.Condition("NEW.cause IS NOT NULL"),
    func="""
    UPDATE public.annotations_counteddecision counted
    SET
        delivery = NEW.state,
        delivery_tenths = CASE WHEN NEW.state = 'delivered' THEN
            round(extract(epoch FROM NEW.settled_at - decision.created_at) * 10)
        END
    FROM public.annotations_decision decision
    WHERE decision.decision_id = NEW.cause AND counted.decision_id = decision.id;
    RETURN NULL;
    """,
)
