"""Take a decision back before Mixpeek has it: the annotation is again what it was, and the decision stays on record.

When it is too late for that, undoing is a new decision with the old values (`undo_form.py` says which).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from reviewapp.annotations.decide import skip
from reviewapp.annotations.decide.services import may_decide
from reviewapp.annotations.mirror.absorb import shown
from reviewapp.annotations.mirror.from_upstream import BLANK, kept_of_a_person
from reviewapp.annotations.models import Annotation, Decision, Lease, Undo
from reviewapp.annotations.queue.leases import LASTS, let_oldest_go
from reviewapp.audit.context import about, acting
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class TooLate(Exception):
    """The hold is over or a worker was faster: undo it by a new decision."""


class Overtaken(Exception):
    """Another decision, `standing`, was made on the item since: nothing is taken back from under it."""

    def __init__(self, standing: Decision | None) -> None:
        super().__init__(f"decided again by {standing.reviewer.get_username()}" if standing else "not standing")
        self.standing = standing


def undo(decision_pk: int, *, actor: User) -> Decision:
    """Take back a person's own standing decision while it is held; all or nothing, and harmless to repeat.

    That somebody cannot tell is sent to nobody: as long as it stands it can be taken back.

    Raises `PermissionDenied`, `Decision.DoesNotExist` (also for somebody else's), `Overtaken` and `TooLate`.
    """
    may_decide(actor)
    with acting(actor):
        decision = Decision.objects.get(pk=decision_pk, reviewer=actor)
        annotation = locked_with_decision(decision.annotation_id)
        about(annotation.ref)
        if Undo.objects.filter(decision=decision).exists():
            return decision
        if annotation.decision_id != decision.pk:
            raise Overtaken(annotation.decision)
        _withdraw(decision)
        take_back(annotation, decision, actor=actor)
        held = {"holder": actor, "until": timezone.now() + LASTS}
        Lease.objects.get_or_create(annotation=annotation, defaults=held)
        let_oldest_go(actor)
    return decision


def locked_with_decision(pk: int) -> Annotation:
    """Return the annotation and its standing decision, locked until the transaction ends, without what pages show."""
    rows = Annotation.objects.select_for_update(of=["self"]).select_related("decision__reviewer")
    return rows.defer("words", "search", "excerpt").get(pk=pk)


def take_back(annotation: Annotation, decision: Decision, *, actor: User) -> None:
    """Make a locked annotation what it was before its standing decision, whose change has been withdrawn.

    Values are what upstream said last under what is still to be delivered; status and reviewer are those of the
    decision before. What the decision had cleared away waits again.
    """
    Undo.objects.create(decision=decision, actor=actor)
    for one in decision.cleared.get("replaced", ()):
        outbox.reinstate(Change(pk=one["change"], ref=annotation.ref), state=one["state"], reason=one["reason"])
    if aside := decision.cleared.get("aside"):
        skip.put_back(annotation, aside, decision.reviewer)
    _show_before(annotation, Decision.objects.before(decision).first())


def _withdraw(decision: Decision) -> None:
    if not decision.is_sent:
        return
    # A change that is due later is not a held one: it may wait for its turn after a worker that died had sent it.
    if not decision.held_for:
        raise TooLate(str(decision.decision_id))
    change = Change.objects.filter(cause=decision.decision_id).first()
    why = f"{decision.reviewer.get_username()} took the decision back"
    if change is not None and not outbox.withdraw_held(change, reason=why):
        raise TooLate(str(decision.decision_id))


def _show_before(annotation: Annotation, before: Decision | None) -> None:
    for name, value in shown(annotation, Change.objects.open_on(annotation.ref)).items():
        setattr(annotation, name, value)
    annotation.decision, annotation.reviewer = before, before.reviewer if before else None
    annotation.decided_at = before.created_at if before else None
    annotation.status = _status(annotation, before)
    annotation.save(update_fields=[*BLANK, "decision", "reviewer", "decided_at", "status"])


def _status(annotation: Annotation, before: Decision | None) -> Annotation.Status:
    if annotation.status == Annotation.Status.GONE:
        return Annotation.Status.GONE
    if before is not None:
        return Annotation.Status(before.outcome)
    elsewhere = annotation.annotation_id is not None
    decided = elsewhere and kept_of_a_person(annotation.proposed, annotation.revisions)
    return Annotation.Status.DECIDED if decided else Annotation.Status.WAITING
