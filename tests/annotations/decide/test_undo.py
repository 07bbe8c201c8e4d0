"""Taking a decision back while it is held: as if it had never been made, and yet on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import TakenBack
from reviewapp.annotations.decide.undo import DecidedAgain, TooLate, undo
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside, Undo
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.outbox import claims
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from tests.decisions import decide, submission
from tests.factories import LONG_AGO, make_annotation, make_change, make_set_aside

pytestmark = pytest.mark.django_db

COLUMNS = (
    "status",
    "decision_id",
    "reviewer_id",
    "decided_at",
    "label",
    "confidence",
    "reasoning",
    "payload",
)


def decide_and_hold(
    annotation: Annotation, actor: User, *, hold: int = 30, **values: Any
) -> Decision:
    return decide(annotation, actor, hold=hold, **values)


def columns(annotation: Annotation) -> dict[str, Any]:
    annotation.refresh_from_db()
    return {name: getattr(annotation, name) for name in COLUMNS}


def test_it_holds_what_was_submitted(alice: User) -> None:
    annotation = make_annotation()
    decision = decide_and_hold(annotation, alice, label="no logo")
    change = Change.objects.get()
    assert (change.state, change.due) == ("queued", decision.held_until)
    assert claims.claim(timezone.now()) is None
    assert change.progress.startswith("Held, sends in ")
    assert claims.claim(timezone.now() + timedelta(seconds=31)) == change


def test_it_sends_at_once_what_is_not_held(alice: User) -> None:
    decision = decide_and_hold(make_annotation(), alice, label="no logo", hold=0)
    assert decision.held_until is None
    assert Change.objects.get().progress == "Queued"
    assert claims.claim(timezone.now()) is not None


def test_it_makes_the_annotation_what_it_was(alice: User) -> None:
    annotation = make_annotation(reasoning="On the door.")
    before = columns(annotation)
    decision = decide_and_hold(
        annotation, alice, label="no logo", confidence=0.9, reasoning="", payload={"a": 1}
    )
    assert columns(annotation) != before
    undo(decision.pk, actor=alice)
    assert columns(annotation) == before
    assert Change.objects.get().state == "withdrawn"
    assert Lease.objects.get().holder == alice
    assert claims.claim(timezone.now() + timedelta(hours=1)) is None


def test_it_keeps_the_decision_and_tells_history(alice: User) -> None:
    annotation = make_annotation()
    decision = decide_and_hold(annotation, alice, label="no logo")
    undo(decision.pk, actor=alice)
    assert (Decision.objects.get(), Undo.objects.get().decision) == (decision, decision)
    events = Event.objects.about(annotation.ref)
    assert {event.action for event in events[:2]} == {
        Action.ANNOTATION_UNDONE,
        Action.CHANGE_WITHDRAWN,
    }
    assert events.get(action=Action.ANNOTATION_UNDONE).changes["label"] == ["no logo", "logo"]
    assert "undid the decision" in " ".join(entry.sentence for entry in timeline(annotation.ref))
    with pytest.raises(DatabaseError), transaction.atomic():
        Undo.objects.update(at=LONG_AGO)


def test_it_is_harmless_to_repeat(alice: User) -> None:
    decision = decide_and_hold(make_annotation(), alice, label="no logo")
    assert undo(decision.pk, actor=alice) == undo(decision.pk, actor=alice) == decision
    assert Undo.objects.count() == 1


def test_it_brings_no_late_copy_of_the_form_back(alice: User) -> None:
    annotation = make_annotation()
    sent = submission(annotation, label="no logo", hold=30)
    undo(services.decide(annotation.pk, sent, actor=alice).pk, actor=alice)
    with pytest.raises(TakenBack):
        services.decide(annotation.pk, sent, actor=alice)
    assert Decision.objects.count() == 1


def test_it_takes_back_cannot_tell(alice: User) -> None:
    annotation = make_annotation()
    before = columns(annotation)
    outcome = Decision.Outcome.UNDECIDABLE
    undo(decide_and_hold(annotation, alice, outcome=outcome, reasoning="Too dark.").pk, actor=alice)
    assert columns(annotation) == before


def test_it_takes_back_cannot_tell_however_late(alice: User) -> None:
    annotation = make_annotation()
    before = columns(annotation)
    decision = decide_and_hold(
        annotation, alice, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too dark.", hold=0
    )
    undo(decision.pk, actor=alice)
    assert columns(annotation) == before
    assert Undo.objects.get().decision == decision
    assert Event.objects.about(annotation.ref).filter(action=Action.ANNOTATION_UNDONE).exists()
    assert Change.objects.get().state == "withdrawn"


@pytest.mark.parametrize(
    "sent",
    [
        {"claimed_at": LONG_AGO},
        {"maybe_sent": True},
        {"state": "delivered", "settled_at": LONG_AGO, "version": 2},
    ],
)
def test_it_reverts_what_mixpeek_may_have_been_told(alice: User, sent: dict[str, Any]) -> None:
    annotation = make_annotation()
    before = columns(annotation)
    decision = decide_and_hold(
        annotation, alice, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too dark.", hold=0
    )
    Change.objects.update(**sent)
    undo(decision.pk, actor=alice)
    assert columns(annotation) == before
    told, revert = Change.objects.order_by("id")
    assert told.state == sent.get("state", "queued")
    assert (revert.verb, revert.cause, revert.actor_id) == ("revert", None, alice.pk)
    assert revert.base == {"outcome": "cannot_tell", "decision_id": str(decision.decision_id)}
    assert undo(decision.pk, actor=alice) == decision
    assert Change.objects.count() == 2


@pytest.mark.parametrize("state", ["withdrawn", "refused"])
def test_it_reverts_nothing_that_mixpeek_was_not_told(alice: User, state: str) -> None:
    annotation = make_annotation()
    decision = decide_and_hold(
        annotation, alice, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too dark.", hold=0
    )
    Change.objects.update(state=state, settled_at=LONG_AGO)
    undo(decision.pk, actor=alice)
    assert Change.objects.get().state == "withdrawn"


def test_it_does_not_take_cannot_tell_back_from_under_a_later_decision(
    alice: User, bob: User
) -> None:
    annotation = make_annotation()
    mine = decide_and_hold(
        annotation, alice, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too dark.", hold=0
    )
    decide_and_hold(annotation, bob, label="no logo")
    with pytest.raises(DecidedAgain):
        undo(mine.pk, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.status, annotation.label) == ("decided", "no logo")


def test_it_puts_aside_again_as_long_ago_as_it_was(alice: User) -> None:
    annotation = make_annotation()
    make_set_aside(annotation, alice, reason="Later.")
    SetAside.objects.update(created_at=LONG_AGO)
    undo(decide_and_hold(annotation, alice, label="no logo").pk, actor=alice)
    assert SetAside.objects.get().created_at == LONG_AGO


def test_it_takes_back_a_decision_that_changed_nothing(alice: User) -> None:
    annotation = make_annotation()
    before = columns(annotation)
    undo(decide_and_hold(annotation, alice).pk, actor=alice)
    assert columns(annotation) == before
    assert not Change.objects.exists()


def test_it_takes_back_a_create(alice: User) -> None:
    annotation = make_annotation(
        annotation_id=None, version=None, upstream={}, label="", confidence=None
    )
    before = columns(annotation)
    undo(decide_and_hold(annotation, alice, label="logo").pk, actor=alice)
    assert columns(annotation) == before
    again = decide_and_hold(annotation, alice, label="van")
    assert Change.objects.get(cause=again.decision_id).verb == Change.Verb.CREATE


def test_it_takes_back_the_second_of_two_quick_decisions_then_the_first(alice: User) -> None:
    annotation = make_annotation()
    before = columns(annotation)
    first = decide_and_hold(annotation, alice, label="no logo")
    between = columns(annotation)
    second = decide_and_hold(annotation, alice, label="van", confidence=0.9)
    with pytest.raises(DecidedAgain):
        undo(first.pk, actor=alice)
    undo(second.pk, actor=alice)
    assert columns(annotation) == between
    undo(first.pk, actor=alice)
    assert columns(annotation) == before
    assert {change.state for change in Change.objects.all()} == {"withdrawn"}


def test_it_says_who_decided_since(alice: User, bob: User) -> None:
    annotation = make_annotation()
    mine = decide_and_hold(annotation, alice, label="no logo")
    decide_and_hold(annotation, bob, reasoning="On the door.")
    with pytest.raises(DecidedAgain) as caught:
        undo(mine.pk, actor=alice)
    assert caught.value.standing is not None
    assert caught.value.standing.reviewer == bob
    assert Change.objects.filter(state="queued").count() == 2


def test_it_is_too_late_once_a_worker_has_it(alice: User) -> None:
    decision = decide_and_hold(make_annotation(), alice, label="no logo")
    Change.objects.update(due=LONG_AGO)
    assert claims.claim(timezone.now()) is not None
    with pytest.raises(TooLate):
        undo(decision.pk, actor=alice)
    assert Change.objects.get().state == "queued"
    assert not Undo.objects.exists()


def test_it_is_too_late_for_what_only_waits_for_its_turn(alice: User) -> None:
    decision = decide_and_hold(make_annotation(), alice, label="no logo", hold=0)
    change = claims.claim(timezone.now())
    assert change is not None
    outbox.postpone_untried([change], until=timezone.now() + timedelta(seconds=30))
    with pytest.raises(TooLate):
        undo(decision.pk, actor=alice)
    assert Change.objects.get().state == "queued"


def test_it_is_too_late_when_nothing_was_held(alice: User) -> None:
    for hold, values in ((0, {"label": "no logo"}), (0, {})):
        decision = decide_and_hold(make_annotation(), alice, hold=hold, **values)
        with pytest.raises(TooLate):
            undo(decision.pk, actor=alice)


def test_it_brings_back_what_the_decision_had_cleared_away(alice: User) -> None:
    annotation = make_annotation()
    waiting = make_change(
        annotation, "conflict", reason="Somebody else set label.", theirs={"label": "van"}
    )
    make_set_aside(annotation, alice, reason="Later.")
    decision = decide_and_hold(annotation, alice, label="no logo")
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"
    assert not SetAside.objects.exists()
    undo(decision.pk, actor=alice)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("conflict", "Somebody else set label.")
    assert (SetAside.objects.get().kind, SetAside.objects.get().reason) == ("deferred", "Later.")
    assert Event.objects.filter(action=Action.CHANGE_REINSTATED, actor_id=alice.pk).exists()


def test_it_leaves_what_is_gone_gone(alice: User) -> None:
    annotation = make_annotation()
    decision = decide_and_hold(annotation, alice, label="no logo")
    Annotation.objects.update(status="gone")
    undo(decision.pk, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.status, annotation.decision) == ("gone", None)


def test_it_is_decided_when_a_person_at_mixpeek_did_so_meanwhile(alice: User) -> None:
    annotation = make_annotation()
    decision = decide_and_hold(annotation, alice, label="no logo")
    Annotation.objects.update(actor_type="user", proposed={})
    undo(decision.pk, actor=alice)
    annotation.refresh_from_db()
    assert annotation.status == "decided"


def test_it_is_for_ones_own_decisions(alice: User, bob: User, stranger: User) -> None:
    decision = decide_and_hold(make_annotation(), alice, label="no logo")
    with pytest.raises(Decision.DoesNotExist):
        undo(decision.pk, actor=bob)
    with pytest.raises(PermissionDenied):
        undo(decision.pk, actor=stranger)


def test_it_wakes_a_worker_when_the_hold_ends_with_its_transaction(
    alice: User, django_assert_max_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    decision = decide_and_hold(make_annotation(), alice, label="no logo")
    (job,) = ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo")
    assert job.scheduled_at == decision.held_until
    with django_capture_on_commit_callbacks() as callbacks, django_assert_max_num_queries(2):
        outbox.enqueue(
            "annotations/x", fields={"label": "x"}, base={}, actor=alice, held_until=timezone.now()
        )
    assert callbacks == []
