"""Changes that a bulk round leaves are delivered one by one; untried ones are released."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db

# More than go at once.
_MANY = 18


@pytest.fixture
def claimed(
    mirrored_retriever: Retriever, alice: User, box: Box, mixpeek_client: Client
) -> list[Change]:
    """Changes of as many annotations, claimed, in their order."""
    for number in range(_MANY):
        created = mixpeek_client.create_annotation(
            document_id=f"doc_{number}", label="logo", retriever_id="ret_logos"
        )
        absorb.absorb([created])
        queue_decision(
            Annotation.objects.get(annotation_id=created.annotation_id), alice, label="no logo"
        )
    box.clear()
    return claims.claim_many(timezone.now(), rank=Rank.INTERACTIVE, limit=_MANY)


def after(patches: int, **fault: Any) -> list[dict[str, Any]]:
    """Return the faults that let so many PATCHes through and then do this."""
    through = {"method": "PATCH", "times": patches}
    return [through, {"method": "PATCH", **fault}]


def untried() -> int:
    """Return how many are due again as if nobody had claimed them."""
    free = Change.objects.filter(state="queued", claimed_at=None, attempts=0, maybe_sent=False)
    return free.filter(due__lte=timezone.now()).count()


def delivered() -> int:
    return Change.objects.filter(state="delivered").count()


def test_it_delivers_all(claimed: list[Change], box: Box, mixpeek_client: Client) -> None:
    assert len(claimed) == _MANY
    assert drain.deliver_one_by_one(claimed, mixpeek_client)
    assert (delivered(), len(writes(box))) == (_MANY, _MANY)


@pytest.mark.parametrize("patches", [3, 16])
def test_it_stops_when_mixpeek_goes_away_and_frees_the_rest(
    patches: int, claimed: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults(after(patches, status=503))
    assert not drain.deliver_one_by_one(claimed, mixpeek_client)
    assert (delivered(), untried(), len(writes(box))) == (patches, _MANY - patches - 1, patches + 1)
    waits = Change.objects.get(pk=claimed[patches].pk)
    assert (waits.state, waits.attempts) == ("queued", 1)


def test_it_stops_when_our_key_is_refused_and_frees_the_rest(
    claimed: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults(after(2, status=401))
    assert not drain.deliver_one_by_one(claimed, mixpeek_client)
    assert (delivered(), untried(), Pause.objects.exists()) == (2, _MANY - 2, True)


def test_it_frees_what_its_turn_does_not_reach(
    claimed: list[Change], box: Box, mixpeek_client: Client
) -> None:
    assert drain.deliver_one_by_one(claimed, mixpeek_client, max_seconds=-1.0)
    assert (untried(), box.received()) == (_MANY, [])


def test_it_goes_on_when_one_is_refused_or_in_conflict(
    claimed: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults([{"method": "PATCH", "status": 422}])
    annotation_id = Annotation.objects.get(ref=claimed[5].ref).annotation_id
    assert box.call(
        "POST",
        "/v1/annotations/bulk",
        json={"update": [{"annotation_id": annotation_id, "label": "x"}]},
    )
    assert drain.deliver_one_by_one(claimed, mixpeek_client)
    states = list(Change.objects.order_by("pk").values_list("state", flat=True))
    assert (states[0], states[5], states.count("delivered")) == ("refused", "conflict", _MANY - 2)
