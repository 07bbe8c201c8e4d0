"""Withdraw or retry changes, as leads do on the deliveries page, and preview the result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations.decide.undo import lock_with_decision, revert_decision
from reviewapp.annotations.mirror.absorb import rebase, visible_values
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.audit.context import acting, set_subject
from reviewapp.json_values import is_same_json
from reviewapp.outbox import rebase as outbox_rebase
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import ValueChange, format_value
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers import services as retriever_services
from reviewapp.retrievers.mirror import visible_retriever_values
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

PERMISSION = "outbox.manage_change"
_ADMINS_ONLY = gettext_lazy("Only an admin can withdraw a change of a retriever.")
_MUST_BE_SENT = gettext_lazy("It reverts a “can't tell” that Mixpeek was told, so it must be sent.")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The result that an action would have on one change and its item.

    `obstacle` says why the action is not possible, "" if it is. `reopens`: the item returns to the
    queue.
    """

    change: Change
    item: Annotation | Retriever | None
    obstacle: str = ""
    value_changes: tuple[ValueChange, ...] = ()
    reopens: bool = False


def withdraw_change(change: Change, *, actor: User) -> bool:
    """Withdraw an unsent change and undo the decision behind it; return False if it is too late.

    Its annotation or retriever may have been deleted here. Raises `PermissionDenied`, for a
    retriever's change also unless the actor may change retrievers.
    """
    require_delivery_permission(actor)
    if change.is_open and change.verb == Change.Verb.REVERT:
        return False
    reason = f"{actor.get_username()} withdrew it"
    if Ref.parse(change.ref).kind == RefKind.RETRIEVER:
        return retriever_services.withdraw_retriever_change(change, reason=reason, actor=actor)

    with acting(actor, note="withdrawn under Deliveries"):
        set_subject(change.ref)
        annotations = Annotation.objects.filter(ref=change.ref)
        annotation_pk = annotations.values_list("pk", flat=True).first()
        if annotation_pk is None:
            return outbox.withdraw_unsent(change, reason=reason)
        annotation = lock_with_decision(annotation_pk)

        was_open = Change.objects.select_for_update().get(pk=change.pk).is_open
        if not outbox.withdraw_unsent(change, reason=reason):
            return False

        if was_open:
            outbox_rebase.rebase_after_withdrawal(change)
        decision = None
        if change.cause:
            decision = Decision.objects.filter(decision_id=change.cause, undo=None).first()
        if decision is not None and annotation.decision_id == decision.pk:
            revert_decision(annotation, decision, actor=actor)
            return True

        if decision is not None:
            Undo.objects.create(decision=decision, actor=actor)
        rebase(annotation.ref)
    return True


def retry_change(change: Change, *, actor: User) -> bool:
    """Retry a failed change at once; return False if it is not waiting for its next try.

    Raises `PermissionDenied`.
    """
    require_delivery_permission(actor)
    with acting(actor):
        set_subject(change.ref)
        return outbox.retry(change)


def require_delivery_permission(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may retry and withdraw changes."""
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied(
            _("Only leads and admins can retry or withdraw changes. Ask an admin for access.")
        )


def preview_retry(changes: Sequence[Change]) -> list[Preview]:
    """Return the result of retrying these changes at once: no value changes."""
    items = load_items(changes)
    previews = []
    for change in changes:
        obstacle = ""
        if not change.is_open:
            state = change.get_state_display().lower()
            obstacle = _("It is %(value)s, so there is nothing to retry.") % {"value": state}
        elif change.claimed_at:
            obstacle = _("It is being sent right now.")
        elif not change.attempts:
            obstacle = _("It has not failed. It is sent as soon as its turn comes.")

        item = items.get(change.ref)
        previews.append(Preview(change=change, item=item, obstacle=obstacle))
    return previews


def preview_withdrawal(changes: Sequence[Change], *, actor: User) -> list[Preview]:
    """Return the result of withdrawing all these changes: the values that each item would show."""
    items = load_items(changes)

    obstacles = {}
    withdrawn: defaultdict[str, set[int]] = defaultdict(set)
    for change in changes:
        obstacles[change.pk] = withdrawal_obstacle(change, actor)
        if not obstacles[change.pk]:
            withdrawn[change.ref].add(change.pk)
    remaining = _remaining_changes(withdrawn)

    previews = []
    for change in changes:
        item = items.get(change.ref)
        value_changes: tuple[ValueChange, ...] = ()
        reopens = False
        if item is not None and not obstacles[change.pk]:
            value_changes = _value_changes(item, remaining[change.ref])
            if isinstance(item, Annotation) and item.decision is not None:
                reopens = item.decision.decision_id == change.cause

        preview = Preview(
            change=change,
            item=item,
            obstacle=obstacles[change.pk],
            value_changes=value_changes,
            reopens=reopens,
        )
        previews.append(preview)
    return previews


def load_items(changes: Iterable[Change]) -> dict[str, Annotation | Retriever]:
    """Return the annotations and retrievers that these changes are about, by ref."""
    refs = [change.ref for change in changes]
    annotations = Annotation.objects.select_related("decision")
    annotations = annotations.defer("words", "search", "proposed", "revisions")
    return {**annotations.by_ref(refs), **Retriever.objects.by_ref(refs)}


def _remaining_changes(withdrawn: Mapping[str, Collection[int]]) -> dict[str, list[Change]]:
    """Return the changes that stay open on each ref, rebased as after the withdrawals."""
    remaining: dict[str, list[Change]] = {}
    for ref, open_changes in Change.objects.open_by_ref(withdrawn).items():
        withdrawn_pks = withdrawn[ref]
        remaining[ref] = [change for change in open_changes if change.pk not in withdrawn_pks]

        for change in open_changes:
            if change.pk in withdrawn_pks:
                following = [other for other in remaining[ref] if other.pk > change.pk]
                # A generator, which rebases as it is read.
                list(outbox_rebase.rebase_following(change, following))
    return remaining


def _value_changes(
    item: Annotation | Retriever,
    remaining: Iterable[Change],
) -> tuple[ValueChange, ...]:
    old_values: Mapping[str, Any] = item.values()
    if isinstance(item, Annotation):
        new_values: Mapping[str, Any] = visible_values(item, remaining)
    else:
        new_values = visible_retriever_values(item, remaining)

    value_changes = []
    for name, old in old_values.items():
        if name in new_values and not is_same_json(old, new_values[name]):
            new = format_value(new_values[name])
            value_changes.append(ValueChange(name=name, old=format_value(old), new=new))
    return tuple(value_changes)


def withdrawal_obstacle(change: Change, actor: User) -> str:
    """Return why the actor cannot withdraw a change, "" if they can."""
    if change.state in {Change.State.DELIVERED, Change.State.WITHDRAWN}:
        return _("It is already %(value)s.") % {"value": change.get_state_display().lower()}
    if change.is_open and change.verb == Change.Verb.REVERT:
        return str(_MUST_BE_SENT)
    if change.is_open and change.claimed_at:
        return _("It is being sent right now, so it is too late.")
    if change.is_open and change.maybe_sent:
        return _(
            "Mixpeek may already have it: an earlier try got no answer. The next try will show."
        )
    if Ref.parse(change.ref).kind == RefKind.RETRIEVER and not actor.has_perm(
        "retrievers.change_retriever"
    ):
        return str(_ADMINS_ONLY)
    return ""
