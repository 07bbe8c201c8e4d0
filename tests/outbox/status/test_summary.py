"""What is said first of the deliveries: the worst there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reviewapp.outbox.models import Pause
from reviewapp.outbox.rate_limit.shared_budget import BudgetStatus as Budget
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.outbox.status.health import DeliveryHealth
from reviewapp.outbox.status.metrics import DeliveryMetrics
from reviewapp.outbox.status.summary import DeliveryStatus, delivery_status, format_duration

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def figures(**values: Any) -> DeliveryMetrics:
    nothing: dict[str, Any] = {
        **dict.fromkeys(("held", "again", "sending", "queued", "delivered"), 0),
        **dict.fromkeys(("oldest", "next_try", "reason", "last_answer", "silent_since")),
    }
    return DeliveryMetrics(now=NOW, **nothing | values)


def budget(allowed: int = 60) -> Budget:
    return Budget(configured=60, allowed=allowed, tokens=dict.fromkeys(Rank, 1))


PAUSED = Pause(reason="key", since=NOW)


@pytest.mark.parametrize(
    ("found", "pause", "alive", "allowed", "said"),
    [
        (figures(), None, True, 60, DeliveryStatus.IDLE),
        (figures(queued=1, held=1), None, True, 60, DeliveryStatus.HOLDING),
        (figures(queued=2, held=1), None, True, 60, DeliveryStatus.WORKING),
        (figures(queued=2, trying_since=NOW), None, True, 60, DeliveryStatus.TRYING),
        (figures(trying_since=NOW), None, True, 60, DeliveryStatus.IDLE),
        (figures(queued=2), None, True, 30, DeliveryStatus.SLOWED),
        (figures(queued=2, again=1), None, True, 60, DeliveryStatus.WORKING),
        (figures(queued=2, again=1, silent_since=NOW), None, True, 30, DeliveryStatus.SILENT),
        (figures(silent_since=NOW), None, True, 60, DeliveryStatus.IDLE),
        (figures(queued=2, again=1, silent_since=NOW), None, False, 60, DeliveryStatus.NO_WORKER),
        (figures(), PAUSED, False, 60, DeliveryStatus.PAUSED),
    ],
)
def test_it_says_the_worst_first(
    found: DeliveryMetrics, pause: Pause | None, alive: bool, allowed: int, said: DeliveryStatus
) -> None:
    assert (
        delivery_status(
            found, DeliveryHealth(pause=pause, worker_alive=alive, waiting=0), budget(allowed)
        )
        is said
    )


def test_it_does_not_call_silent_who_asks_us_to_wait() -> None:
    metrics = figures(queued=2, again=1, silent_since=NOW)
    shut = replace(budget(30), shut_until=NOW + timedelta(seconds=20))
    assert (
        delivery_status(metrics, DeliveryHealth(pause=None, worker_alive=True, waiting=0), shut)
        is DeliveryStatus.SLOWED
    )


@pytest.mark.parametrize("one", list(DeliveryStatus))
def test_it_has_a_tone_and_an_icon_for_each(one: DeliveryStatus) -> None:
    assert one.tone.startswith("tone-")
    assert one.icon


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1.9, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (172_800, "2 days"),
    ],
)
def test_it_says_how_long_in_the_largest_unit(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


def test_it_counts_seconds_and_rates() -> None:
    metrics = figures(
        queued=5,
        held=2,
        delivered=10,
        oldest=NOW - timedelta(minutes=3),
        next_try=NOW - timedelta(hours=1),
    )
    assert (metrics.depth, metrics.rate, metrics.oldest_seconds, metrics.next_seconds) == (
        3,
        2.0,
        180.0,
        0.0,
    )
