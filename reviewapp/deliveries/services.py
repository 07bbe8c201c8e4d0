"""Withdraw or hurry changes that wait, as leads do on the deliveries page; look first at what would become of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied

from reviewapp.annotations.decide.undo import locked_with_decision, take_back
from reviewapp.annotations.mirror.absorb import rebase, shown
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.audit.context import about, acting
from reviewapp.json_values import same
from reviewapp.outbox import rebase as outbox_rebase
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import in_words
from reviewapp.retrievers import services as retriever_services
from reviewapp.retrievers.mirror import shown as shown_of_retriever
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

PERMISSION = "outbox.manage_change"
_ADMINS_ONLY = "It changes a retriever: an admin has to do this."


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One value that the thing shows now and would show then, in words."""

    name: str
    now: str
    then: str


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """What would become of one change; `why_not` when nothing can be done about it. `reopens`: its item waits again."""

    change: Change
    item: Annotation | Retriever | None
    why_not: str = ""
    shifts: tuple[Shift, ...] = ()
    reopens: bool = False


def withdraw(change: Change, *, actor: User) -> bool:
    """Take back a change that cannot be on the wire, with the decision that made it; False when it was too late.

    Raises `PermissionDenied`, also for a retriever's change unless the actor may change retrievers.
    """
    may_manage(actor)
    reason = f"{actor.get_username()} withdrew it"
    if _kind(change) == "retrievers":
        return retriever_services.withdraw(change, reason=reason, actor=actor)
    with acting(actor, note="withdrawn under Deliveries"):
        annotation = locked_with_decision(Annotation.objects.values_list("pk", flat=True).get(ref=change.ref))
        about(annotation.ref)
        unsent = Change.objects.select_for_update().get(pk=change.pk).is_open
        if not outbox.withdraw_unsent(change, reason=reason):
            return False
        if unsent:
            outbox_rebase.fall_away(change)
        _take_decision_back(annotation, change, actor)
    return True


def retry(change: Change, *, actor: User) -> bool:
    """Have a change that failed tried again at once; False when it does not wait. Raises `PermissionDenied`."""
    may_manage(actor)
    with acting(actor):
        about(change.ref)
        return outbox.retry(change)


def may_manage(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may retry and withdraw changes."""
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied("Retrying and withdrawing changes needs the role lead or admin.")


def prospects_of_retry(changes: Sequence[Change]) -> list[Prospect]:
    """Return what trying these again at once would do: nothing changes here."""
    items = items_of(changes)
    return [Prospect(change=one, item=items.get(one.ref), why_not=_why_no_retry(one)) for one in changes]


def prospects_of_withdrawal(changes: Sequence[Change], *, actor: User) -> list[Prospect]:
    """Return what withdrawing all of these would do to each thing they are about: the values it shows then."""
    items, going = items_of(changes), defaultdict(set)
    why_not = {one.pk: _why_no_withdrawal(one, actor) for one in changes}
    for one in changes:
        if not why_not[one.pk]:
            going[one.ref].add(one.pk)
    left = _left(going)
    found = []
    for one in changes:
        item, leaves = items.get(one.ref), one.pk in going[one.ref]
        shifts = _shifts(item, left[one.ref]) if item is not None and leaves else ()
        reopens = leaves and isinstance(item, Annotation) and _stands(item, one)
        found.append(Prospect(change=one, item=item, why_not=why_not[one.pk], shifts=shifts, reopens=reopens))
    return found


def items_of(changes: Iterable[Change]) -> dict[str, Annotation | Retriever]:
    """Return what changes are about, by ref."""
    refs = [change.ref for change in changes]
    rows = Annotation.objects.select_related("decision").defer("words", "search", "proposed", "revisions")
    return {**rows.by_ref(refs), **Retriever.objects.by_ref(refs)}


def _left(going: Mapping[str, Collection[int]]) -> dict[str, list[Change]]:
    """Return what stays open on each ref, resting on what stands before it."""
    left: dict[str, list[Change]] = {}
    for ref, waiting in Change.objects.open_by_ref(going).items():
        for gone in [one for one in waiting if one.pk in going[ref]]:
            behind = [one for one in waiting if one.pk > gone.pk and one.pk not in going[ref]]
            list(outbox_rebase.rest_on_before(gone, behind))
        left[ref] = [one for one in waiting if one.pk not in going[ref]]
    return left


def _shifts(item: Annotation | Retriever, left: Iterable[Change]) -> tuple[Shift, ...]:
    now: Mapping[str, Any] = item.values()
    then = shown(item, left) if isinstance(item, Annotation) else shown_of_retriever(item, left)
    return tuple(
        Shift(name=name, now=in_words(was), then=in_words(then[name]))
        for name, was in now.items()
        if name in then and not same(was, then[name])
    )


def _take_decision_back(annotation: Annotation, change: Change, actor: User) -> None:
    decision = Decision.objects.filter(decision_id=change.cause, undo=None).first() if change.cause else None
    if decision is not None and annotation.decision_id == decision.pk:
        take_back(annotation, decision, actor=actor)
        return
    if decision is not None:
        Undo.objects.create(decision=decision, actor=actor)
    rebase(annotation.ref)


def _stands(annotation: Annotation, change: Change) -> bool:
    return annotation.decision is not None and annotation.decision.decision_id == change.cause


def _why_no_withdrawal(change: Change, actor: User) -> str:
    if change.state in {Change.State.DELIVERED, Change.State.WITHDRAWN}:
        return f"It is {change.get_state_display().lower()} already."
    if change.is_open and change.claimed_at:
        return "It is being sent at this moment: too late."
    if change.is_open and change.maybe_sent:
        return "Mixpeek may have it already: an earlier try got no answer, and the next one tells."
    if _kind(change) == "retrievers" and not actor.has_perm("retrievers.change_retriever"):
        return _ADMINS_ONLY
    return ""


def _why_no_retry(change: Change) -> str:
    if not change.is_open:
        return f"It is {change.get_state_display().lower()}: there is nothing to try again."
    if change.claimed_at:
        return "It is being sent at this moment."
    return "" if change.attempts else "It has not failed: it is sent as soon as its turn comes."


def _kind(change: Change) -> str:
    return change.ref.partition("/")[0]
