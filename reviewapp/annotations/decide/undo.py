"""Undo a decision before it is sent to Mixpeek; the decision itself stays on record.

After that, undoing is a new decision with the old values (`reopened_forms.py`). "Can't
tell" set no values and is undone at any time; what Mixpeek was told of it is then reverted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from reviewapp.annotations.decide import skip
from reviewapp.annotations.decide.services import require_decide_permission
from reviewapp.annotations.fields import BLANK_VALUES
from reviewapp.annotations.mirror.absorb import visible_values
from reviewapp.annotations.mirror.from_upstream import (
    CANNOT_TELL,
    REVERTED,
    cannot_tell_decision_id,
    is_from_person,
)
from reviewapp.annotations.mirror.own_decisions import without_own
from reviewapp.annotations.models import Annotation, Decision, Lease, Undo
from reviewapp.annotations.queue.leases import LEASE_DURATION, release_oldest
from reviewapp.audit.context import acting, set_subject
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class TooLate(Exception):
    """The hold is over, or a worker has taken the change: undo it by a new decision."""


class DecidedAgain(Exception):
    """Another decision, `standing`, was made on the item since: undo it by a new decision."""

    def __init__(self, standing: Decision | None) -> None:
        message = "not standing"
        if standing is not None:
            message = f"decided again by {standing.reviewer.get_username()}"
        super().__init__(message)
        self.standing = standing


def undo(decision_pk: int, *, actor: User) -> Decision:
    """Undo the actor's own decision while it stands and is held; a second call changes nothing.

    "Can't tell" can be undone as long as it stands: what was sent of it is reverted by another
    change. The actor gets the lease on the item. Raises `PermissionDenied`, `Decision.DoesNotExist`
    (also for somebody else's), `DecidedAgain` and `TooLate`.
    """
    require_decide_permission(actor)
    with acting(actor):
        decision = Decision.objects.get(pk=decision_pk, reviewer=actor)
        annotation = lock_with_decision(decision.annotation_id)
        set_subject(annotation.ref)

        if Undo.objects.filter(decision=decision).exists():
            return decision
        if annotation.decision_id != decision.pk:
            raise DecidedAgain(annotation.decision)

        if decision.is_revertible:
            withdraw_or_revert_change(annotation, decision, actor)
        else:
            _withdraw_change(decision)
        revert_decision(annotation, decision, actor=actor)

        lease = {"holder": actor, "until": timezone.now() + LEASE_DURATION}
        Lease.objects.get_or_create(annotation=annotation, defaults=lease)
        release_oldest(actor)
    return decision


def lock_with_decision(pk: int) -> Annotation:
    """Lock and return an annotation whose standing decision can be read, without its search texts.

    The decision is not joined: after waiting for the lock, PostgreSQL would not find one that was
    made meanwhile.
    """
    annotations = Annotation.objects.select_for_update()
    return annotations.defer("words", "search", "excerpt").get(pk=pk)


def revert_decision(annotation: Annotation, decision: Decision, *, actor: User) -> None:
    """Restore a locked annotation to what it was before its standing decision.

    The decision's change must have been withdrawn. The values become upstream's latest with the
    undelivered changes on top; status and reviewer become those of the decision before. What the
    decision had cleared (`Decision.cleared`) is reinstated.
    """
    Undo.objects.create(decision=decision, actor=actor)

    for replaced in decision.cleared.get("replaced", ()):
        change = Change(pk=replaced["change"], ref=annotation.ref)
        outbox.reinstate(change, state=replaced["state"], reason=replaced["reason"])

    aside = decision.cleared.get("aside")
    if aside:
        skip.restore_set_aside(annotation, aside, decision.reviewer)

    previous = Decision.objects.before(decision).first()
    open_changes = Change.objects.open_on(annotation.ref)
    for name, value in visible_values(annotation, open_changes).items():
        setattr(annotation, name, value)

    annotation.decision = previous
    annotation.reviewer = previous.reviewer if previous else None
    annotation.decided_at = previous.created_at if previous else None
    annotation.status = _previous_status(annotation, previous)
    annotation.save(update_fields=[*BLANK_VALUES, "decision", "reviewer", "decided_at", "status"])


def withdraw_or_revert_change(annotation: Annotation, decision: Decision, actor: User) -> None:
    """Withdraw the change of a "can't tell", or enqueue one that reverts what Mixpeek was told."""
    # Decisions of older versions have no change.
    change = Change.objects.filter(cause=decision.decision_id).first()
    if change is None:
        return

    reason = f"{actor.get_username()} undid the decision"
    if outbox.withdraw_unsent(change, reason=reason):
        return
    if annotation.status == Annotation.Status.GONE or not was_told_to_mixpeek(decision):
        return

    outbox.enqueue(
        annotation.ref,
        verb=Change.Verb.REVERT,
        fields={"outcome": REVERTED},
        base={"outcome": CANNOT_TELL, "decision_id": str(decision.decision_id)},
        base_version=annotation.version,
        actor=actor,
        retriever_id=change.retriever_id,
    )


def was_told_to_mixpeek(decision: Decision) -> bool:
    """Return whether Mixpeek was told, or may have been told, of a "can't tell"."""
    changes = Change.objects.filter(cause=decision.decision_id)
    sent = changes.filter(state__in=[Change.State.QUEUED, Change.State.DELIVERED])
    return sent.exclude(outbox.NEVER_SENT).exists()


def _withdraw_change(decision: Decision) -> None:
    # A change that is due later is not always a held one: a worker may have sent it and died, and
    # then it waits for its next turn.
    if not decision.held_for:
        raise TooLate(str(decision.decision_id))

    change = Change.objects.filter(cause=decision.decision_id).first()
    if change is None:
        return
    reason = f"{decision.reviewer.get_username()} undid the decision"
    if not outbox.withdraw_held(change, reason=reason):
        raise TooLate(str(decision.decision_id))


def _previous_status(annotation: Annotation, previous: Decision | None) -> Annotation.Status:
    if annotation.status == Annotation.Status.GONE:
        return Annotation.Status.GONE
    if previous is not None:
        return Annotation.Status(previous.outcome)

    if annotation.annotation_id is None:
        return Annotation.Status.WAITING
    cannot_tell_id = cannot_tell_decision_id(annotation.revisions)
    if cannot_tell_id and without_own([cannot_tell_id]):
        return Annotation.Status.UNDECIDABLE
    if is_from_person(annotation.proposed, annotation.revisions):
        return Annotation.Status.DECIDED
    return Annotation.Status.WAITING
