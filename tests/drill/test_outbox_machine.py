"""Every order of deciding, delivering, crashing and editing elsewhere that chance thinks of keeps every promise.

`LONG_DRILL=1000` takes a thousand stories of forty steps.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.drill.outbox_machine import Outbox

LONG = int(os.environ.get("LONG_DRILL", "0"))
PROFILE = settings(max_examples=LONG or 12, stateful_step_count=40 if LONG else 25)
# A story of forty steps takes long to be made shorter, and can be read as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.mark.django_db
def test_it_keeps_every_promise_in_any_order() -> None:
    run_state_machine_as_test(
        Outbox, settings=settings(PROFILE, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
    )
