"""Withdrawing unsent changes and their decisions, and rebasing the changes behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.models import Decision, Undo
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.deliveries.services import preview_withdrawal, retry_change, withdraw_change
from reviewapp.outbox import claims
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from tests.decisions import queue_decision
from tests.factories import (
    LONG_AGO,
    make_annotation,
    make_change,
    make_retriever,
    settle_as_delivered,
    settle_as_refused,
)

pytestmark = pytest.mark.django_db


def failed(change: Change) -> Change:
    outbox.postpone(change, until=timezone.now(), reason="Mixpeek could not be reached.")
    change.refresh_from_db()
    return change


def test_it_withdraws_what_failed_and_takes_its_decision_back(alice: User, lena: User) -> None:
    annotation = make_annotation()
    change = failed(queue_decision(annotation, alice, label="no logo"))
    assert withdraw_change(change, actor=lena)
    annotation.refresh_from_db()
    assert (annotation.label, annotation.status, annotation.decision) == ("logo", "waiting", None)
    assert (Undo.objects.get().decision.reviewer, Undo.objects.get().actor) == (alice, lena)
    events = Event.objects.about(annotation.ref).filter(actor_id=lena.pk)
    assert {event.action for event in events} == {Action.ANNOTATION_UNDONE, Action.CHANGE_WITHDRAWN}


def test_it_does_not_withdraw_what_may_have_been_carried_out(alice: User, lena: User) -> None:
    change = queue_decision(make_annotation(), alice, label="no logo")
    outbox.postpone(
        change,
        until=timezone.now(),
        reason="Mixpeek did not answer in time.",
        maybe_sent=True,
    )
    change.refresh_from_db()
    assert not withdraw_change(change, actor=lena)
    change.refresh_from_db()
    (preview,) = preview_withdrawal([change], actor=lena)
    assert preview.obstacle.startswith("Mixpeek may already have it")
    assert Change.objects.get().state == "queued"


def test_it_does_not_withdraw_what_somebody_who_died_had_claimed(alice: User, lena: User) -> None:
    change = queue_decision(make_annotation(), alice, label="no logo")
    assert claims.claim(timezone.now()) == change
    again = claims.claim(timezone.now() + claims.CLAIM_DURATION)
    assert again == change
    outbox.postpone_untried([again], until=timezone.now())
    assert not withdraw_change(again, actor=lena)


@pytest.mark.parametrize("state", ["conflict", "refused"])
def test_it_withdraws_what_waits_for_a_person(lena: User, state: str) -> None:
    change = make_change(make_annotation(), state)
    assert withdraw_change(change, actor=lena)
    assert not withdraw_change(change, actor=lena)


def test_it_does_not_withdraw_what_may_be_on_the_wire(alice: User, lena: User) -> None:
    change = queue_decision(make_annotation(), alice, label="no logo")
    claimed = claims.claim(timezone.now())
    assert claimed == change
    (preview,) = preview_withdrawal([claimed], actor=lena)
    assert "being sent right now" in preview.obstacle
    assert not withdraw_change(change, actor=lena)
    assert settle_as_delivered(claimed)
    assert not withdraw_change(change, actor=lena)
    assert not Undo.objects.exists()


def test_it_shows_before_exactly_what_comes_after(alice: User, bob: User, lena: User) -> None:
    annotation = make_annotation(confidence=0.4)
    first = failed(queue_decision(annotation, alice, label="no logo", confidence=0.9))
    queue_decision(annotation, bob, reasoning="On the door.")
    (preview,) = preview_withdrawal([first], actor=lena)
    assert ({shift.name: shift.new for shift in preview.value_changes}, preview.reopens) == (
        {"label": "logo", "confidence": "0.4"},
        False,
    )
    assert withdraw_change(first, actor=lena)
    annotation.refresh_from_db()
    assert (annotation.label, annotation.confidence, annotation.reasoning) == (
        "logo",
        0.4,
        "On the door.",
    )
    assert (annotation.status, annotation.reviewer) == ("decided", bob)


def test_it_lets_what_waits_behind_rest_on_what_stood_before(
    alice: User,
    bob: User,
    lena: User,
) -> None:
    annotation = make_annotation()
    first, second = (
        queue_decision(annotation, alice, label="no logo"),
        queue_decision(annotation, bob, label="van"),
    )
    assert second.base["label"] == "no logo"
    assert withdraw_change(first, actor=lena)
    second.refresh_from_db()
    assert (second.base["label"], second.fields) == ("logo", {"label": "van"})
    assert Event.objects.about(annotation.ref).filter(action=Action.CHANGE_REBASED).count() == 1


def test_it_hands_a_create_on_to_what_waits_behind(alice: User, bob: User, lena: User) -> None:
    annotation = make_annotation(
        annotation_id=None,
        version=None,
        upstream={},
        label="",
        confidence=None,
    )
    first, second = (
        queue_decision(annotation, alice, label="logo"),
        queue_decision(annotation, bob, confidence=0.9),
    )
    (preview,) = preview_withdrawal([first], actor=lena)
    assert preview.value_changes == ()
    assert withdraw_change(first, actor=lena)
    second.refresh_from_db()
    annotation.refresh_from_db()
    assert (second.verb, second.fields["label"], second.fields["confidence"]) == (
        "create",
        "logo",
        0.9,
    )
    assert (annotation.label, annotation.confidence) == ("logo", 0.9)


def test_it_previews_several_on_one_item_together(alice: User, bob: User, lena: User) -> None:
    annotation = make_annotation()
    both = [
        queue_decision(annotation, bob, label="van"),
        queue_decision(annotation, alice, label="no logo"),
    ]
    previews = preview_withdrawal(both[::-1], actor=lena)
    assert [[shift.new for shift in preview.value_changes] for preview in previews] == [
        ["logo"],
        ["logo"],
    ]
    for change in both[::-1]:
        assert withdraw_change(change, actor=lena)
    annotation.refresh_from_db()
    assert (annotation.label, annotation.status) == ("logo", "waiting")


def test_it_retries_at_once_and_tells_history(alice: User, lena: User) -> None:
    change = queue_decision(make_annotation(), alice, label="no logo")
    assert not retry_change(change, actor=lena)
    failed(change)
    Change.objects.update(due=timezone.now() + timedelta(hours=1))
    assert claims.claim(timezone.now()) is None
    assert retry_change(change, actor=lena)
    assert Event.objects.get(action=Action.CHANGE_RETRIED).actor_name == "lena"
    assert claims.claim(timezone.now()) == change
    assert not retry_change(change, actor=lena)


def test_it_leaves_retrievers_to_admins(lena: User, adam: User) -> None:
    retriever = make_retriever(
        name="Brand",
        upstream={"name": "Logo", "description": "", "tags": []},
    )
    change = Change.objects.create(
        ref=retriever.ref,
        fields={"name": "Brand"},
        base={"name": "Logo"},
        due=LONG_AGO,
    )
    (preview,) = preview_withdrawal([change], actor=lena)
    assert "admin" in preview.obstacle
    with pytest.raises(PermissionDenied):
        withdraw_change(change, actor=lena)
    (preview,) = preview_withdrawal([change], actor=adam)
    assert [(shift.name, shift.new) for shift in preview.value_changes] == [("name", "Logo")]
    assert withdraw_change(change, actor=adam)
    assert Retriever.objects.get().name == "Logo"


def test_it_is_for_leads_and_admins(alice: User) -> None:
    change = make_change(make_annotation(), "refused")
    for deed in (withdraw_change, retry_change):
        with pytest.raises(PermissionDenied):
            deed(change, actor=alice)


def test_it_opens_an_item_again_whose_create_is_given_up(alice: User) -> None:
    annotation = make_annotation(
        annotation_id=None,
        version=None,
        upstream={},
        label="",
        confidence=None,
    )
    change = queue_decision(annotation, alice, label="logo")
    settle_as_refused(change, reason="No such document.")
    assert services.take_theirs(change, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.status, annotation.label, annotation.decision) == ("waiting", "", None)
    assert Undo.objects.get().decision == Decision.objects.get()
