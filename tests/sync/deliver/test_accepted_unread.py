"""Mixpeek accepted an edit of a retriever, confirmed half of it, and cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.rate_hooks import Limit
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change, Pause
from reviewapp.retrievers import mirror, services
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.request_budget import OutOfBudget
from tests.retrievers.edits import edit_of
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db

_HALF = {"retriever": {"retriever_id": "ret_logos", "retriever_name": "logos"}}
_ACCEPTED: list[dict[str, Any]] = [
    {"method": "GET", "path": "/v1/retrievers/"},
    {"method": "PATCH", "path": "/v1/retrievers/", "apply": True, "status": 200, "body": _HALF},
]


class Spent:
    """A budget that pays for so many requests."""

    def __init__(self, requests: int) -> None:
        self.left = requests

    def ask(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OutOfBudget(1.0)

    def refused(self, retry_after: float | None) -> None: ...

    def record_limit(self, limit: Limit) -> None: ...


@pytest.fixture
def change(mirrored_retriever: Retriever, adam: User, mixpeek_client: Client) -> Iterator[Change]:
    """An edit that is to be delivered, of a description as Mixpeek has it now."""
    mirror.absorb_retriever([mixpeek_client.get_retriever(mirrored_retriever.retriever_id)])
    mirrored_retriever.refresh_from_db()
    wish = edit_of(mirrored_retriever, description=f"{mirrored_retriever.description} Edited.")
    edited = services.edit(mirrored_retriever.pk, wish, actor=adam)
    assert edited is not None
    yield edited
    Pause.objects.all().delete()


def withdrawn(change: Change, actor: User) -> bool:
    return services.withdraw_retriever_change(change, reason="withdrawn", actor=actor)


def is_delivered_once(change: Change, client: Client, box: Box) -> bool:
    again = claims.claim(timezone.now() + timedelta(minutes=10), probing=True)
    assert again == change
    drain.attempt(again, client)
    change.refresh_from_db()
    return change.state == "delivered" and len(box.received(method="PATCH")) == 1


@pytest.mark.parametrize(
    "away", [{"status": 503}, {"drop": "before"}, {"status": 200, "body": "<html>"}]
)
def test_it_is_not_withdrawn_as_if_never_sent(
    away: dict[str, Any], change: Change, adam: User, mixpeek_client: Client, box: Box
) -> None:
    box.faults([*_ACCEPTED, {"method": "GET", "path": "/v1/retrievers/", **away}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.maybe_sent) == ("queued", True)
    assert not withdrawn(change, adam)
    assert is_delivered_once(change, mixpeek_client, box)


def test_it_is_not_withdrawn_when_our_key_is_refused_in_between(
    change: Change, adam: User, mixpeek_client: Client, box: Box
) -> None:
    box.faults([*_ACCEPTED, {"method": "GET", "path": "/v1/retrievers/", "status": 401}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.maybe_sent, Pause.objects.exists()) == ("queued", True, True)
    assert not withdrawn(change, adam)
    assert is_delivered_once(change, mixpeek_client, box)


def test_it_is_not_withdrawn_when_the_budget_is_spent_in_between(
    change: Change, adam: User, box: Box
) -> None:
    box.faults(_ACCEPTED)
    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, pace=Spent(2)
    ) as client:
        drain.drain(client)
    change.refresh_from_db()
    assert (change.state, change.maybe_sent) == ("queued", True)
    assert not withdrawn(change, adam)


def test_it_is_withdrawn_when_nothing_was_accepted(
    change: Change, adam: User, mixpeek_client: Client, box: Box
) -> None:
    box.faults([{"method": "GET", "path": "/v1/retrievers/", "status": 503}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.attempts, change.maybe_sent) == (1, False)
    assert withdrawn(change, adam)
