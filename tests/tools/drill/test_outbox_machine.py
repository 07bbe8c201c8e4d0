"""Every random order of deciding, delivering, crashing and editing keeps every promise.

Each is told with Mixpeek being told who decided, and without: then a confirmation makes no version
there. `make test-long` takes 75 stories of forty steps of either kind, `LONG_DRILL=1000` five
hundred.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from tests.proofs import examples, long
from tests.tools.drill.outbox_machine import Outbox

STORIES = (int(os.environ.get("LONG_DRILL", "0")) or examples(8, 150)) // 2
PROFILE = profile(max_examples=STORIES, stateful_step_count=25 if STORIES < 50 else 40)
# A story of forty steps takes long to be made shorter, and can be read as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("where", ["metadata", long("none")])
def test_it_keeps_every_promise_in_any_order(where: str, settings: Settings) -> None:
    settings.MIXPEEK_WHO = where
    run_state_machine_as_test(
        Outbox,
        settings=profile(
            PROFILE,
            phases=PHASES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
