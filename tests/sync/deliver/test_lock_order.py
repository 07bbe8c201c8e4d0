"""A worker that settles and a person who withdraws lock in one order, so neither is ended by the
database.

In each test another transaction holds an earlier item of the worker's round: the worker waits for
it, the person comes to a later item of the round, then the holder goes away.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import TooLate, undo
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.deliveries.services import withdraw_change
from reviewapp.mixpeek.records import RetrieverRecord
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services as retriever_services
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver.outcome import DeliveryOutcome, conflicting, delivered, refused
from reviewapp.sync.deliver.settle import settle_outcomes
from tests.annotations.racing import start
from tests.decisions import decide, queue_decision
from tests.factories import annotation_record, make_annotation, make_retriever
from tests.retrievers.edits import edit_of

pytestmark = pytest.mark.django_db(transaction=True)


def claim_all() -> list[Change]:
    """Claim what is due, as a worker does before it sends."""
    keys = Change.objects.values_list("pk", flat=True)
    claimed = claims.claim_by_id(timezone.now(), keys)
    assert len(claimed) == len(keys)
    return sorted(claimed, key=lambda change: change.pk)


def settle_while(
    held: Annotation | Retriever,
    outcomes: list[DeliveryOutcome],
    act: Callable[[], object],
) -> object:
    """Settle while `held` is locked, let a person act meanwhile; return what they got."""
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            type(held)._default_manager.select_for_update().get(pk=held.pk)
            worker = start(pool, lambda: settle_outcomes(outcomes))
            person = start(pool, act, waiting=2)
        worker.result(timeout=60)
        return person.result(timeout=60)


@pytest.fixture
def items(db: None) -> list[Annotation]:
    """Two items, in the order of their keys."""
    return [make_annotation(), make_annotation()]


def delivered_to(items: list[Annotation], changes: list[Change]) -> list[DeliveryOutcome]:
    outcomes = []
    for annotation, change in zip(items, changes, strict=True):
        record = annotation_record(
            str(annotation.annotation_id),
            document_id=annotation.document_id,
            label=change.fields["label"],
            version=2,
        )
        outcomes.append(delivered(change, record, version=2))
    return outcomes


def test_it_delivers_while_a_lead_withdraws(
    items: list[Annotation], alice: User, lena: User
) -> None:
    for annotation in items:
        queue_decision(annotation, alice, label="van")
    changes = claim_all()
    outcomes = delivered_to(items, changes)

    withdrawn = settle_while(items[0], outcomes, lambda: withdraw_change(changes[1], actor=lena))

    assert withdrawn is False
    assert set(Change.objects.values_list("state", flat=True)) == {"delivered"}


def test_it_settles_a_conflict_while_a_lead_withdraws(
    items: list[Annotation], alice: User, lena: User
) -> None:
    for annotation in items:
        queue_decision(annotation, alice, label="van")
    changes = claim_all()
    outcomes = [
        conflicting(outcome.change, outcome.record, ["label"], theirs={"label": "bus"})
        for outcome in delivered_to(items, changes)
    ]

    settle_while(items[0], outcomes, lambda: withdraw_change(changes[1], actor=lena))

    assert set(Change.objects.values_list("state", flat=True)) <= {"conflict", "withdrawn"}


def test_it_delivers_while_a_reviewer_undoes_or_decides_again(
    items: list[Annotation], alice: User, bob: User
) -> None:
    for annotation in items:
        queue_decision(annotation, alice, label="van")
    outcomes = delivered_to(items, claim_all())
    last = Decision.objects.get(annotation=items[1])

    def act() -> str:
        try:
            undo(last.pk, actor=alice)
        except TooLate:
            items[1].refresh_from_db()
            return decide(items[1], bob, label="bus").label
        return "undone"

    assert settle_while(items[0], outcomes, act) == "bus"
    assert Change.objects.filter(state="delivered").count() == 2


def test_it_refuses_while_a_lead_withdraws(alice: User, lena: User) -> None:
    """One outcome without a record: its row is locked before its change, too."""
    annotation = make_annotation()
    queue_decision(annotation, alice, label="van")
    (change,) = claim_all()

    withdrawn = settle_while(
        annotation,
        [refused(change, "No such label.")],
        lambda: withdraw_change(change, actor=lena),
    )

    assert withdrawn in {True, False}
    assert Change.objects.get().state in {"refused", "withdrawn"}


def test_it_delivers_retrievers_while_an_admin_withdraws(adam: User) -> None:
    retrievers = [make_retriever("First"), make_retriever("Second")]
    for retriever in retrievers:
        wish = edit_of(retriever, name=f"{retriever.name} anew")
        retriever_services.edit(retriever.pk, wish, actor=adam)
    changes = claim_all()
    outcomes = []
    for retriever, change in zip(retrievers, changes, strict=True):
        record = RetrieverRecord(
            retriever_id=retriever.retriever_id,
            name=change.fields["name"],
            version=4,
            body={},
        )
        outcomes.append(delivered(change, record, version=4))

    withdrawn = settle_while(
        retrievers[0], outcomes, lambda: withdraw_change(changes[1], actor=adam)
    )

    assert withdrawn is False
    assert set(Change.objects.values_list("state", flat=True)) == {"delivered"}
