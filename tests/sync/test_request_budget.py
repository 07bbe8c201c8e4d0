"""Requests are paid from the shared budget, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Unavailable
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver import drain
from reviewapp.sync.listen import feed
from reviewapp.sync.request_budget import BudgetPace, OutOfBudget, spending
from tests.decisions import queue_decision
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


@pytest.fixture
def paced(box: Box, settings: Settings) -> Iterator[Client]:
    """Return our client with two requests of budget and no refill for two minutes."""
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 1
    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, pace=BudgetPace()
    ) as client:
        yield client


def test_it_sends_nothing_that_cannot_be_paid(paced: Client, box: Box) -> None:
    for _ in range(2):
        paced.list_annotations(limit=1)
    with pytest.raises(OutOfBudget) as caught:
        paced.list_annotations(limit=1)
    assert 0 < (caught.value.retry_after or 0) <= 120
    assert len(box.received()) == 2


def test_it_leaves_each_rank_its_own(paced: Client) -> None:
    with spending(Rank.BACKGROUND):
        paced.list_annotations(limit=1)
        with pytest.raises(OutOfBudget):
            paced.list_annotations(limit=1)
    paced.list_annotations(limit=1)


@pytest.mark.django_db(transaction=True)
def test_it_waits_outside_of_transactions(paced: Client, settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    with spending(Rank.BACKGROUND, patience=60):
        for _ in range(3):
            paced.list_annotations(limit=1)


def test_it_gives_back_what_was_not_used(paced: Client) -> None:
    with spending(Rank.INTERACTIVE, want=2) as purse:
        purse.fill(want=2, whole=True)
        paced.list_annotations(limit=1)
        assert shared_budget.budget_status().tokens[Rank.INTERACTIVE] == 0
    assert shared_budget.budget_status().tokens[Rank.INTERACTIVE] == 1


def test_it_is_lowered_by_a_refusal_and_asks_for_nothing_more(
    paced: Client, box: Box, settings: Settings
) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    box.faults([{"status": 429, "headers": {"Retry-After": "40"}}])
    with pytest.raises(Unavailable):
        paced.list_annotations(limit=1)
    with pytest.raises(OutOfBudget):
        paced.list_annotations(limit=1)
    now = shared_budget.budget_status()
    assert (now.allowed, len(box.received())) == (30, 1)
    assert "40 s" in now.why


def test_it_is_lowered_by_what_the_headers_say(paced: Client, box: Box, settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    said = {
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Window": "10",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "800",
    }
    box.faults([{"headers": said}])
    paced.list_annotations(limit=1)
    now = shared_budget.budget_status()
    assert (now.told, now.allowed) == (30, 30)
    assert now.shut_until is not None


def test_it_puts_a_delivery_off_that_cannot_be_paid(
    annotation: Annotation, alice: User, paced: Client, box: Box
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    shared_budget.reserve(Rank.INTERACTIVE, want=2, whole=True)
    box.clear()
    before = timezone.now()
    drain.drain(paced)
    change.refresh_from_db()
    assert (change.state, change.attempts, change.claimed_at, change.reason) == (
        "queued",
        0,
        None,
        "",
    )
    assert change.due > before
    assert box.received() == []


def test_it_hears_no_news_while_there_is_no_budget_for_it(paced: Client, box: Box) -> None:
    shared_budget.reserve(Rank.BACKGROUND, want=1)
    feed.poll(paced)
    assert (box.received(), writes(box)) == ([], [])
