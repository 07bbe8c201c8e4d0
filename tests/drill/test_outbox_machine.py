"""Every order of deciding, delivering, crashing and editing elsewhere that chance thinks of keeps every promise.

`make test-long` takes 150 stories of forty steps, `LONG_DRILL=1000` a thousand.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.drill.outbox_machine import Outbox
from tests.proofs import examples

STORIES = int(os.environ.get("LONG_DRILL", "0")) or examples(8, 150)
PROFILE = settings(max_examples=STORIES, stateful_step_count=25 if STORIES < 100 else 40)
# A story of forty steps takes long to be made shorter, and can be read as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.mark.django_db
def test_it_keeps_every_promise_in_any_order() -> None:
    run_state_machine_as_test(
        Outbox, settings=settings(PROFILE, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
    )
