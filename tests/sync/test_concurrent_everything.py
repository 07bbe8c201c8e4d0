"""Reviewers, workers, a pull and another client at three annotations: nothing is lost."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import StaleSubmission
from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from tests.annotations.racing import at_once
from tests.decisions import submission
from tests.proofs import long
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db(transaction=True)
_LABELS = itertools.count()


@pytest.fixture
def ids(mixpeek_client: Client, mirrored_retriever: Retriever) -> list[str]:
    """Three annotations upstream, mirrored here."""
    records = [
        mixpeek_client.create_annotation(
            document_id=f"doc_9{at}", label="logo", retriever_id="ret_logos"
        )
        for at in range(3)
    ]
    absorb(records)
    return [record.annotation_id for record in records]


def reviewing(person: User, ids: list[str], dice: random.Random) -> Callable[[], list[uuid.UUID]]:
    """Return the work of a reviewer: decide repeatedly, sometimes on a stale form."""

    def work() -> list[uuid.UUID]:
        acknowledged = []
        seen = {row.annotation_id: row for row in Annotation.objects.filter(annotation_id__in=ids)}
        for _ in range(15):
            row = seen[dice.choice(ids)]
            if dice.random() < 0.7:
                row.refresh_from_db()
            sent = submission(row, label=f"{person.username}-{next(_LABELS)}")
            try:
                services.decide(row.pk, sent, actor=person)
            except StaleSubmission:
                continue
            services.decide(row.pk, sent, actor=person)
            acknowledged.append(sent.decision_id)
        return acknowledged

    return work


def working(client: Client) -> Callable[[], int]:
    return lambda: sum(drain.drain(client) for _ in range(12))


def pulling(client: Client, ids: list[str]) -> Callable[[], None]:
    def work() -> None:
        for _ in range(12):
            absorb(client.list_annotations(limit=500).items)

    return work


def meddling(box: Box, ids: list[str], dice: random.Random) -> Callable[[], None]:
    def work() -> None:
        for _ in range(6):
            body = {"label": f"stranger-{next(_LABELS)}"}
            assert (
                box.call("PATCH", f"/v1/annotations/{dice.choice(ids)}", json=body).status_code
                == 200
            )

    return work


@pytest.mark.parametrize("seed", [0, long(1), long(2)])
def test_it_keeps_every_promise(
    seed: int, ids: list[str], alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    dice = random.Random(seed)
    hers, his, *others = at_once(
        reviewing(alice, ids, random.Random(dice.random())),
        reviewing(bob, ids, random.Random(dice.random())),
        working(mixpeek_client),
        working(mixpeek_client),
        pulling(mixpeek_client, ids),
        meddling(box, ids, random.Random(dice.random())),
    )
    assert not [failed for failed in (hers, his, *others) if isinstance(failed, BaseException)]
    while drain.drain(mixpeek_client):
        pass
    assert isinstance(hers, list)
    assert isinstance(his, list)
    assert set(Decision.objects.values_list("decision_id", flat=True)) == {*hers, *his}
    assert set(Change.objects.values_list("cause", flat=True)) == {*hers, *his}
    assert set(Change.objects.values_list("state", flat=True)) <= {
        "delivered",
        "conflict",
        "withdrawn",
    }
    for id_ in ids:
        now = box.call("GET", f"/v1/annotations/{id_}").json()
        row = Annotation.objects.get(annotation_id=id_)
        absorb([mixpeek_client.get_annotation(id_)])
        row.refresh_from_db()
        assert (row.label, row.version) == (now["label"], now["version"])
        ever = {now["label"], *(edit["prior"]["label"] for edit in now["revisions"])}
        ours = Change.objects.filter(ref=row.ref)
        assert {change.fields["label"] for change in ours if change.state == "delivered"} <= ever
        unsent = {change.fields["label"] for change in ours if change.state != "delivered"}
        assert not unsent & ever
