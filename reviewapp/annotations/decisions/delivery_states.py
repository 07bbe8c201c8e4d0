"""Where the delivery of each decision stands, for the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reviewapp.audit.registry import DeliveryState
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import ICONS, TONES
from reviewapp.postgres.statement import sql_file

# In the order of the model.
_FIELDS = ("verb", "state", "without_author", "version")


def _build_state(decision_key: int, *values: Any) -> tuple[int, DeliveryState]:
    change = Change.from_db("default", _FIELDS, values)
    state = DeliveryState(
        text=change.state_text,
        icon=ICONS[change.state],
        tone=TONES[change.state],
    )
    return decision_key, state


_STATES = sql_file(__file__, "delivery_states.sql", _build_state)


def load_delivery_states(decisions: Collection[int]) -> Mapping[int, DeliveryState]:
    """Return the delivery states of these decisions by their keys; one query."""
    return dict(_STATES.rows(keys=list(decisions)))
