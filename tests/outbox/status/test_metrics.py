"""The figures of the deliveries, told by the database in one query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.metrics import delivery_metrics, undelivered_groups
from tests.factories import make_annotation, make_change, settle_as_delivered

pytestmark = pytest.mark.django_db


def test_it_counts_what_is_held_what_waits_and_what_is_sent(
    django_assert_max_num_queries: Any,
) -> None:
    soon = timezone.now() + timedelta(seconds=40)
    make_change(make_annotation(), due=soon)
    oldest = make_change(make_annotation())
    make_change(make_annotation(), claimed_at=timezone.now(), due=soon)
    make_change(make_annotation(), attempts=2, due=soon, reason="Away.")
    make_change(make_annotation(), "delivered", settled_at=timezone.now())
    make_change(make_annotation(), "delivered")
    with django_assert_max_num_queries(2):
        metrics = delivery_metrics()
    assert (metrics.queued, metrics.held, metrics.sending, metrics.again, metrics.depth) == (
        4,
        1,
        1,
        1,
        3,
    )
    assert (metrics.oldest, metrics.next_try, metrics.reason) == (oldest.created_at, soon, "Away.")
    assert (metrics.delivered, metrics.rate) == (1, 0.2)


def test_it_is_all_nothing_before_the_first_change() -> None:
    metrics = delivery_metrics()
    assert (
        metrics.queued,
        metrics.oldest,
        metrics.last_answer,
        metrics.silent_since,
        metrics.reason,
    ) == (
        0,
        *[None] * 4,
    )


def test_it_knows_since_when_mixpeek_takes_nothing() -> None:
    first, second = make_change(make_annotation()), make_change(make_annotation())
    settle_as_delivered(make_change(make_annotation()))
    assert delivery_metrics().silent_since is None
    services.postpone(first, until=timezone.now(), reason="Away.")
    began = delivery_metrics().silent_since
    services.postpone(second, until=timezone.now(), reason="Away.")
    assert began is not None
    assert delivery_metrics().silent_since == began
    settle_as_delivered(second)
    assert delivery_metrics().silent_since is None


def test_it_groups_what_is_not_delivered_by_state_and_reason() -> None:
    for _ in range(3):
        make_change(make_annotation(), attempts=1, reason="Away.")
    make_change(make_annotation(), "refused", reason="No.")
    make_change(make_annotation(), "delivered", reason="No.")
    make_change(make_annotation())
    assert [(group.state, group.reason, group.number) for group in undelivered_groups()] == [
        ("queued", "Away.", 3),
        ("refused", "No.", 1),
    ]
    assert Change.objects.count() == 6
